"""Fits the branches of a recipe one after the other, each from its checkpoint where it has one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from models.training.datasets import Dataset
from models.training.fit import Fit
from models.training.network import ModalityScorer
from models.training.preparation import Preparation

EpochReport = Callable[[str, int, float, float], None]
"""Called after an epoch with what is fitted, the epoch from 1, its mean loss and its validation score.

What is fitted is a modality; more words may follow its name.
"""

_DECISIVE = ("space", "seed", "window_s", "speaker_prior_s", "joint", "word_rank", "words", "affect")
_ELSEWHERE = {"floor", "refits", "zero_shot_epochs"}
"""What of a branch says nothing of a fit: the daemon's, and what has its own checkpoints and epochs."""


def fit_branch(
    preparation: Preparation,
    modality: str,
    validation: Dataset,
    folder: Path,
    report: EpochReport,
    *,
    device: torch.device,
) -> tuple[ModalityScorer, Fit]:
    """Return the fitted scorer of one modality, on the CPU, and how the fit went.

    Args:
        preparation: What is trained on what.
        modality: One of `MODALITIES`.
        validation: What decides which epoch was best.
        folder: Where the checkpoint lies.
        report: Told of every epoch.
        device: Where it is fitted.
    """
    train = preparation.dataset(modality, "train")
    return fit_scorer(
        preparation,
        modality,
        train,
        validation,
        checkpoint=folder / f"{modality}.pt",
        report=lambda epoch, loss, score: report(modality, epoch, loss, score),
        device=device,
    )


def fit_scorer(
    preparation: Preparation,
    modality: str,
    train: Dataset,
    validation: Dataset | None,
    *,
    checkpoint: Path,
    report: Callable[[int, float, float], None],
    device: torch.device,
) -> tuple[ModalityScorer, Fit]:
    """Return a scorer fitted on given data; see `fit_branch`. Without validation the last epoch is kept."""
    scorer = preparation.scorer(modality, train)
    fit = Fit(
        scorer,
        preparation.recipe.branch(modality),
        preparation.words,
        train,
        validation,
        lexicon=preparation.lexicon,
        seed=preparation.recipe.seed,
        checkpoint=checkpoint,
        identity=fit_identity(preparation, modality, train, validation),
        device=device,
    )
    fit.run(report)
    return scorer.cpu(), fit


def fit_identity(preparation: Preparation, modality: str, train: Dataset, validation: Dataset | None) -> str:
    """Return what a checkpoint must have been made with: what of the recipe matters, and the data's size."""
    recipe = preparation.recipe.model_dump_json(include=set(_DECISIVE))
    branch = preparation.recipe.branch(modality).model_dump_json(exclude=_ELSEWHERE)
    sizes = f"{len(train.windows)} {0 if validation is None else len(validation.windows)}"
    return hashlib.sha256(f"{recipe} {branch} {sizes}".encode()).hexdigest()
