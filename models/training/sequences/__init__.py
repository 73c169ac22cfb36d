"""Training and measuring on corpora of extracted features, by the protocols of Dai et al. 2020.

The networks are in `models.training.paper`. What only reads recipes and measures bundles needs no PyTorch.
"""
