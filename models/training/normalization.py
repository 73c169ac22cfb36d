"""Bringing numbers to zero mean and unit variance, by data seen before or by the batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_REMEMBERED = 0.98


class Standardize(nn.Module):
    """Brings features to zero mean and unit variance of the training data; scale 0 drops a feature."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def forward(self, values: Tensor) -> Tensor:
        """Return `[..., dim]` standardised, limited to ±6."""
        return ((values - self.mean) * self.scale).clamp(-6, 6)


class RunningNorm(nn.BatchNorm1d):
    """Brings a batch to zero mean and unit variance; a batch of one by what is known of the others."""

    def __init__(self, size: int) -> None:
        super().__init__(size, affine=False)

    def forward(self, values: Tensor) -> Tensor:
        """Return `[N, size]` normalised."""
        if not self.training or len(values) > 1:
            return super().forward(values)
        return nn.functional.batch_norm(values, self.running_mean, self.running_var, eps=self.eps)


class Centre(nn.Module):
    """Moves unit vectors so that their mean is zero, and shortens them so that none is longer than one.

    They are not stretched to length one again: what is like the average is near zero, and says little.
    In training the mean is the batch's, afterwards one that moved along with it.
    """

    mean: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, vectors: Tensor) -> Tensor:
        """Return `[N, size]`, no longer than one, for unit vectors `[N, size]`."""
        mean = self.mean
        if self.training:
            mean = vectors.mean(dim=0)
            self.mean.lerp_(mean.detach(), 1 - _REMEMBERED)
        return (vectors - mean) / (1 + mean.detach().norm())
