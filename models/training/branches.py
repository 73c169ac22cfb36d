"""The encoders of the live model: a window of one modality in, a vector of the joint space out.

All pool over time under the mask, so a window counts for what is in it wherever in the window that lies, and
one with no evidence gives a defined vector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.training.functionals import functionals, functionals_size
from models.training.normalization import RunningNorm, Standardize
from models.training.pooling import MaskedAttentionPool

_STATISTICS_DROPOUT = 0.2


class FaceBranch(nn.Module):
    """A perceptron on each frame, then attention over the frames that show a face.

    Each frame is judged alone and the attention weights sum to one, so a face that does not move gives the
    answer of a still. The training stills have no dynamics to learn from.
    """

    def __init__(self, dim: int, width: int, joint: int, dropout: float, noise: float = 0.0) -> None:
        super().__init__()
        self.joint = joint
        self.standardize = Standardize(dim)
        self.noise = noise
        self.enter = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout))
        self.deepen = nn.Sequential(
            nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout)
        )
        self.pool = MaskedAttentionPool(width, heads=1)
        self.leave = nn.Linear(width, joint)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Return `[N, joint]` for frames `[N, T, dim]` and mask `[N, T]`."""
        values = self.standardize(frames)
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        hidden = self.enter(values)
        hidden = hidden + self.deepen(hidden)
        return self.leave(self.pool(hidden, mask))


class MaskedConvolution(nn.Module):
    """A residual convolution over time; steps without evidence are zero before and after."""

    def __init__(self, width: int, kernel: int, dropout: float, dilation: int = 1) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """Return `[N, T, width]` for steps `[N, T, width]` and mask `[N, T]`."""
        found = self.convolve(steps.transpose(1, 2)).transpose(1, 2)
        found = self.dropout(nn.functional.gelu(self.norm(found)))
        return (steps + found) * mask.unsqueeze(-1)


class VoiceBranch(nn.Module):
    """Two views of the bins that hold speech, added up: their statistics, and convolutions with attention.

    Statistics are what little data learns from best; convolutions add how a voice moves. Not a recurrent
    net: convolutions see both directions at every step and run in any backend. They run on pairs of bins.
    """

    def __init__(self, dim: int, width: int, joint: int, dropout: float, noise: float = 0.0) -> None:
        super().__init__()
        self.joint = joint
        self.noise = noise
        size = functionals_size(dim)
        self.statistics = nn.Sequential(
            RunningNorm(size),
            nn.Hardtanh(-5, 5),
            nn.Dropout(_STATISTICS_DROPOUT),
            nn.Linear(size, 2 * width),
            nn.LayerNorm(2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, joint),
        )
        self.enter = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout))
        self.layers = nn.ModuleList(MaskedConvolution(width, 5, dropout, dilation) for dilation in (1, 2))
        self.pool = MaskedAttentionPool(width, heads=4)
        self.leave = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, joint))

    def forward(self, bins: Tensor, mask: Tensor) -> Tensor:
        """Return `[N, joint]` for speaker-normalised bins `[N, T, dim]` and mask `[N, T]`, T even."""
        values = bins.clamp(-6, 6)
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        known = self.statistics(functionals(values, mask))
        hidden, mask = _pairs(self.enter(values), mask)
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return known + self.leave(self.pool(hidden, mask))


def _pairs(bins: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means of pairs of bins `[N, T / 2, D]` and their mask, 1 where either bin counts."""
    pairs, kept = bins.unflatten(1, (-1, 2)), mask.unflatten(1, (-1, 2)).unsqueeze(-1)
    count = kept.sum(dim=2)
    return (pairs * kept).sum(dim=2) / count.clamp(min=1), count.squeeze(-1).clamp(max=1)


class TextBranch(nn.Module):
    """A projection of each word's vector, one convolution over neighbours, then attention over the words."""

    def __init__(self, dim: int, width: int, joint: int, dropout: float, noise: float = 0.0) -> None:
        super().__init__()
        self.joint = joint
        self.standardize = Standardize(dim)
        self.noise = noise
        self.enter = nn.Sequential(nn.Linear(dim, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout))
        self.layer = MaskedConvolution(width, 3, dropout)
        self.pool = MaskedAttentionPool(width, heads=8)
        self.leave = nn.Sequential(
            nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, joint)
        )

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return `[N, joint]` for word vectors `[N, W, dim]` and mask `[N, W]`."""
        values = self.standardize(words)
        if self.training and self.noise:
            values = values + self.noise * torch.randn_like(values)
        hidden = self.layer(self.enter(values) * mask.unsqueeze(-1), mask)
        return self.leave(self.pool(hidden, mask))


Encoder = FaceBranch | VoiceBranch | TextBranch

BRANCHES: dict[str, type[Encoder]] = {
    "face": FaceBranch,
    "voice": VoiceBranch,
    "text": TextBranch,
}
