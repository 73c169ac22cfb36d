"""The transformer of MulT: a sequence attends to another or to itself (Tsai et al. 2019, section 3.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_LONGEST_WAVE = 10_000.0


def positions(steps: int, dim: int) -> Tensor:
    """Return sinusoidal positions `[steps, dim]` (Vaswani et al. 2017, section 3.5); `dim` is even."""
    waves = torch.exp(torch.arange(0, dim, 2) * (-math.log(_LONGEST_WAVE) / dim))
    angles = torch.arange(steps).unsqueeze(1) * waves
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)


class _Block(nn.Module):
    """Attention from target to source, then a perceptron on each step; both residual, normalised before."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, dropout=dropout, batch_first=True)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, 4 * dim),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4 * dim, dim),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, target: Tensor, source: Tensor) -> Tensor:
        """Return the target `[N, T, dim]` with what it found in the source `[N, S, dim]`."""
        keys = self.norm(source)
        found, _ = self.attention(self.norm(target), keys, keys, need_weights=False)
        target = target + self.dropout(found)
        return target + self.dropout(self.perceptron(target))


class Transformer(nn.Module):
    """Reinforces a target sequence with a source sequence of any length, or with itself.

    Every layer attends to the source as it came in, so low-level features reach all of them; to itself, a
    sequence attends as the layer before left it. There is no causal mask: the sequence is complete. The
    residual goes around the normalisation, as in the authors' code; the paper's equation (4) has it start
    behind it.

    Args:
        dim: Size of a step; even, and a multiple of `heads`.
        heads: Attention heads.
        layers: How many blocks.
        dropout: On the input, on attention and after both parts of a block.
    """

    def __init__(self, dim: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(_Block(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def forward(self, target: Tensor, source: Tensor | None = None) -> Tensor:
        """Return `[N, T, dim]` for a target `[N, T, dim]` and a source `[N, S, dim]`, else itself."""
        hidden = self._enter(target)
        keys = None if source is None else self._enter(source)
        for block in self.blocks:
            hidden = block(hidden, hidden if keys is None else keys)
        return self.norm(hidden)

    def _enter(self, sequence: Tensor) -> Tensor:
        steps, dim = sequence.shape[1:]
        return self.dropout(sequence * math.sqrt(dim) + positions(steps, dim).to(sequence))
