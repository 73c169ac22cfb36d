"""A modality fitted several times more, on all that may be learned from, and the mean of these fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.branch_fit import EpochReport, fit_scorer
from models.training.datasets import joined
from models.training.network import ModalityScorer
from models.training.preparation import Preparation

_APART = 100  # between the seeds of two fits


class Ensemble(nn.Module):
    """Several scorers of one modality as one: the mean of their cosines."""

    def __init__(self, scorers: Sequence[ModalityScorer]) -> None:
        super().__init__()
        self.scorers = nn.ModuleList(scorers)

    def forward(self, values: Tensor, mask: Tensor, emotions: Tensor) -> Tensor:
        """Return cosines `[N, K]` for values `[N, T, D]`, mask `[N, T]` and words `[K, E]`."""
        return self.encode(values, mask) @ self.words(emotions).transpose(0, 1)

    def encode(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return the encodings of all, side by side, no longer than one together."""
        return self._together([scorer.encode(values, mask) for scorer in self.fits()])

    def words(self, emotions: Tensor) -> Tensor:
        """Return the words of all, side by side, of length one together."""
        return self._together([scorer.words(emotions) for scorer in self.fits()])

    def fits(self) -> list[ModalityScorer]:
        """Return each scorer."""
        return [scorer for scorer in self.scorers if isinstance(scorer, ModalityScorer)]

    def _together(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts), dim=1) / math.sqrt(len(parts))


def fit_ensemble(
    preparation: Preparation, modality: str, folder: Path, report: EpochReport, *, device: torch.device
) -> Ensemble:
    """Return as many fits as the recipe asks for, on training and validation parts together; on the CPU.

    No epoch is chosen. What was measured on validation data holds for the scorer of `fit_branch`, which has
    not learned from it, and about for this one, which has learned from more people.

    Args:
        preparation: What is trained on what.
        modality: One of `MODALITIES`.
        folder: Where the checkpoints lie.
        report: Told of every epoch; in the place of a validation score, the share of epochs done.
        device: Where it is fitted.
    """
    recipe = preparation.recipe
    data = joined(
        preparation.dataset(modality, "train"), preparation.dataset(modality, "validation", learned_from=True)
    )
    scorers = []
    for number in range(1, recipe.branch(modality).refits + 1):
        seeded = recipe.model_copy(update={"seed": recipe.seed + _APART * (number - 1)})
        fitted = f"{modality} again, {number}"

        def told(epoch: int, loss: float, score: float, fitted: str = fitted) -> None:
            report(fitted, epoch, loss, score)

        scorer, _ = fit_scorer(
            replace(preparation, recipe=seeded),
            modality,
            data,
            None,
            checkpoint=folder / f"{modality}-again-{number}.pt",
            report=told,
            device=device,
        )
        scorers.append(scorer)
    return Ensemble(scorers)
