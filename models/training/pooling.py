"""Pooling over time under a mask."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_MASKED = 1e4  # subtracted from the attention logit of a masked step; its weight is then exactly zero


class MaskedAttentionPool(nn.Module):
    """Softmax attention over the steps that hold evidence, each head over its own slice of the width.

    Weights sum to one over the evidence, so that a constant sequence pools to its one value however long it
    is. With no evidence at all the result is zero.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.score = nn.Linear(width, heads)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """Return `[N, width]` for steps `[N, T, width]` and mask `[N, T]`."""
        kept = mask.unsqueeze(-1)
        weights = torch.softmax(self.score(steps) - _MASKED * (1 - kept), dim=1) * kept
        slices = steps.unflatten(-1, (self.heads, -1))
        return (weights.unsqueeze(-1) * slices).sum(dim=1).flatten(1)
