"""Statistics of a masked sequence: how a voice is spread and moves over a window, whatever is said when."""

from __future__ import annotations

import torch
from torch import Tensor

_LIMIT = 6.0  # features are limited to this
_PAUSE = 4  # bins that the slower differences look back


def functionals(bins: Tensor, mask: Tensor) -> Tensor:
    """Return `[N, size]` statistics of bins `[N, T, D]`, limited to ±6, over the mask `[N, T]`.

    Mean, standard deviation, skewness, maximum and minimum of each feature; its mean absolute change from
    one bin to the next and over four bins, and its mean change over four; then the logarithm of the number
    of bins and how often speech sets in.
    """
    kept = mask.unsqueeze(-1)
    count = kept.sum(dim=1).clamp(min=1)
    mean = (bins * kept).sum(dim=1) / count
    centred = (bins - mean.unsqueeze(1)) * kept
    std = (centred.square().sum(dim=1) / count + 1e-4).sqrt()
    skewness = ((centred * centred * centred).sum(dim=1) / count / (std * std * std)).clamp(-3, 3)
    outside = 2 * _LIMIT * (1 - kept)
    highest = (bins * kept - outside).amax(dim=1).clamp(min=-_LIMIT)
    lowest = (bins * kept + outside).amin(dim=1).clamp(max=_LIMIT)
    _, fast = _changes(bins, mask, 1)
    drift, slow = _changes(bins, mask, _PAUSE)
    length = torch.log1p(mask.sum(dim=1, keepdim=True))
    onsets = (mask[:, 1:] - mask[:, :-1]).clamp(min=0).sum(dim=1, keepdim=True)
    return torch.cat([mean, std, skewness, highest, lowest, fast, slow, drift, length, onsets], dim=1)


def functionals_size(dim: int) -> int:
    """Return how many statistics there are of sequences with `dim` features."""
    return 8 * dim + 2


def _changes(bins: Tensor, mask: Tensor, lag: int) -> tuple[Tensor, Tensor]:
    """Return the mean change and the mean absolute change `[N, D]` between bins `lag` apart."""
    both = (mask[:, lag:] * mask[:, :-lag]).unsqueeze(-1)
    change = (bins[:, lag:] - bins[:, :-lag]) * both
    count = both.sum(dim=1).clamp(min=1)
    return change.sum(dim=1) / count, change.abs().sum(dim=1) / count
