"""Vectors of length one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TINY = 1e-6


def unit(vectors: Tensor) -> Tensor:
    """Return `vectors` scaled to length one along the last axis; a zero vector stays zero."""
    return vectors / (vectors.square().sum(dim=-1, keepdim=True) + _TINY**2).sqrt()


def side_by_side(first: Tensor, second: Tensor, share: float) -> Tensor:
    """Return unit vectors `[..., A + B]` of two; of a dot product of such, `share` is the second part's."""
    return torch.cat([first * math.sqrt(1 - share), second * math.sqrt(share)], dim=-1)
