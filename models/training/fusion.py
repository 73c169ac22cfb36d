"""From one cosine a modality to one distance and one probability, over what is present."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_NOTHING = 1e-9  # stands in for the weights' sum where nothing is present


class Calibration(nn.Module):
    """A probability for a cosine: `sigmoid(scale * cos + bias)`, one scale and bias a modality."""

    def __init__(self, modalities: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((modalities,), 5.0))
        self.bias = nn.Parameter(torch.full((modalities,), -2.0))

    def forward(self, cosine: Tensor) -> Tensor:
        """Return logits `[N, M, K]` for cosines `[N, M, K]`."""
        return self.scale.view(1, -1, 1) * cosine + self.bias.view(1, -1, 1)


class Fusion(nn.Module):
    """Weighted means over the modalities present; where only one is, its own answer.

    The mean of the logits is multiplied by `present ** sharpness`: modalities that agree are surer together
    than each alone. With nothing present the distance is 1 and the probability a half, both without meaning.
    """

    def __init__(self, modalities: int) -> None:
        super().__init__()
        self.log_weight = nn.Parameter(torch.zeros(modalities))
        self.sharpness = nn.Parameter(torch.zeros(()))

    @property
    def weights(self) -> Tensor:
        """`[M]`, positive, summing to one."""
        return torch.softmax(self.log_weight, dim=0)

    def forward(self, cosine: Tensor, logits: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the fused cosine and logit, `[N, K]`, for `[N, M, K]` and present `[N, M]`."""
        weights = (self.weights * present).unsqueeze(-1)
        total = weights.sum(dim=1).clamp(min=_NOTHING)
        count = present.sum(dim=1, keepdim=True).clamp(min=1)
        fused = (weights * cosine).sum(dim=1) / total
        logit = (weights * logits).sum(dim=1) / total
        return fused, logit * torch.exp(self.sharpness * torch.log(count))
