"""From corpora to a bundle: features, the network, training, evaluation and export."""
