"""Early fusion: one LSTM over the features of all modalities side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.training.paper.head import perceptron_head
from models.training.paper.recurrent import RecurrentEncoder
from models.training.paper.sequences import pick_sequences, used_sequences


class EarlyFusionLstm(nn.Module):
    """An LSTM over aligned sequences, its last state through a perceptron.

    Args:
        dims: Feature size of each modality that is used, any subset of text, audio, vision.
        hidden: State size, a direction.
        classes: How many emotions.
        layers: How many recurrent layers.
        bidirectional: Whether the LSTM reads in both directions.
        dropout: Between recurrent layers and in the perceptron.

    Raises:
        ValueError: `dims` names no modality or an unknown one.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        hidden: int,
        classes: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.names = used_sequences(dims)
        self.encoder = RecurrentEncoder(
            sum(dims.values()), hidden, layers=layers, bidirectional=bidirectional, dropout=dropout
        )
        state = hidden * self.encoder.directions
        self.head = perceptron_head(state, state, classes, dropout)

    def forward(
        self, text: Tensor | None = None, audio: Tensor | None = None, vision: Tensor | None = None
    ) -> Tensor:
        """Return logits `[N, C]` for sequences `[N, T, D]` of one length.

        Raises:
            ValueError: A sequence is missing, is not `[N, T, D]`, or is longer than another.
        """
        sequences = pick_sequences(self.names, text, audio, vision)
        lengths = {name: int(sequence.shape[1]) for name, sequence in sequences.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"early fusion needs sequences aligned step by step; their lengths are {lengths}"
            )
        fused = torch.cat(tuple(sequences.values()), dim=-1)
        return self.head(self.encoder(fused).flatten(1))
