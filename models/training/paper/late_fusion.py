"""Late fusion: an LSTM a modality, their last states side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.training.paper.head import perceptron_head
from models.training.paper.recurrent import RecurrentEncoder
from models.training.paper.sequences import pick_sequences, used_sequences


class LateFusionLstm(nn.Module):
    """An LSTM for each sequence, their last states through a perceptron; lengths may differ.

    Args:
        dims: Feature size of each modality that is used, any subset of text, audio, vision.
        hidden: State size of each of those LSTMs, a direction.
        classes: How many emotions.
        layers: How many recurrent layers.
        bidirectional: Whether the LSTMs read in both directions.
        dropout: Between recurrent layers and in the perceptron.

    Raises:
        ValueError: `dims` names no modality or an unknown one.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        hidden: Mapping[str, int],
        classes: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        names = used_sequences(dims)
        self.encoders = nn.ModuleDict(
            {
                name: RecurrentEncoder(
                    dims[name], hidden[name], layers=layers, bidirectional=bidirectional, dropout=dropout
                )
                for name in names
            }
        )
        states = sum(hidden[name] for name in names) * (2 if bidirectional else 1)
        self.head = perceptron_head(states, states // len(names), classes, dropout)

    def forward(
        self, text: Tensor | None = None, audio: Tensor | None = None, vision: Tensor | None = None
    ) -> Tensor:
        """Return logits `[N, C]` for sequences `[N, T, D]`.

        Raises:
            ValueError: A sequence that the network uses is missing or not `[N, T, D]`.
        """
        sequences = pick_sequences(tuple(self.encoders), text, audio, vision)
        states = [self.encoders[name](sequence).flatten(1) for name, sequence in sequences.items()]
        return self.head(torch.cat(states, dim=-1))
