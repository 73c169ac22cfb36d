"""The perceptron that turns a fused vector into logits in the LSTM baselines."""

from __future__ import annotations

from torch import nn


def perceptron_head(dim: int, width: int, classes: int, dropout: float) -> nn.Sequential:
    """Return a perceptron of one hidden layer, `[N, dim]` to `[N, classes]`."""
    return nn.Sequential(
        nn.Linear(dim, width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(width, classes),
    )
