"""Fits the network of a recipe on its corpus, then on few examples of an unseen emotion if it says so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.training.corpora import CorpusError
from models.training.corpora.sequences import SequenceCorpus
from models.training.sequences.building import build_network
from models.training.sequences.evaluate import EpochReport, words_of
from models.training.sequences.fit import Material, SequenceFit, logits_of
from models.training.sequences.protocol import CorpusParts
from models.training.sequences.recipe import Schedule, SequenceRecipe
from stream.messages import Float32Array

_INDECISIVE = {"name", "version", "licence", "data", "notes", "weights"}


@dataclass(frozen=True)
class Stage:
    """How one fit went.

    Attributes:
        name: `training` or `fine-tuning`.
        examples: How many were learned from.
        epochs: For how many epochs.
        best_epoch: Which of them was kept.
        best_score: The validation score that decided, 0..1.
    """

    name: str
    examples: int
    epochs: int
    best_epoch: int
    best_score: float


@dataclass(frozen=True)
class Fitted:
    """A fitted network, on the CPU.

    Attributes:
        network: It.
        validation: What it was chosen on.
        logits: `[n, C]`, what it says of that.
        stages: How it came about.
    """

    network: nn.Module
    validation: SequenceCorpus
    logits: Float32Array
    stages: tuple[Stage, ...]


class Fitting:
    """Fits a recipe's network.

    Args:
        recipe: What.
        parts: On what.
        checkpoints: Folder to go on from and to write to.
        device: Where.
        report: Told of every epoch.
    """

    def __init__(
        self,
        recipe: SequenceRecipe,
        parts: CorpusParts,
        *,
        checkpoints: Path,
        device: torch.device,
        report: EpochReport,
    ) -> None:
        self._recipe = recipe
        self._parts = parts
        self._checkpoints = checkpoints
        self._device = device
        self._report = report

    def run(self) -> Fitted:
        """Return the fitted network.

        Raises:
            CorpusError: A part of the corpus is missing or malformed, or has nothing to learn of an emotion.
            RecipeError: The network does not fit the words.
            UnknownWordError: The embedding space does not know an emotion.
        """
        train, validation = self._parts.learning("train"), self._parts.learning("validation")
        _check_learnable(train)
        network = self._build(train)
        material = Material(train, validation, self._recipe.sequences, self._recipe.chosen_by)
        stages = [self._fit("training", network, self._recipe.training, material)]
        few = self._parts.tuning()
        if few is not None and self._recipe.unseen and self._recipe.unseen.fine_tuning:
            seen, network, validation = network, self._build(few), self._parts.whole("validation")
            _continue_from(seen, network)
            tuning = self._recipe.unseen.fine_tuning
            material = replace(material, train=few, validation=validation, memory=train)
            stages.append(self._fit("fine-tuning", network, tuning, material))
        logits = logits_of(network, validation, self._recipe.sequences, self._device)
        return Fitted(network.cpu(), validation, logits, tuple(stages))

    def _build(self, part: SequenceCorpus) -> nn.Module:
        words = words_of(self._recipe, part.emotions)
        return build_network(self._recipe, part, np.zeros((0, 0), np.float32) if words is None else words)

    def _fit(self, name: str, network: nn.Module, schedule: Schedule, material: Material) -> Stage:
        fit = SequenceFit(
            network,
            material,
            schedule,
            seed=self._recipe.seed,
            device=self._device,
            checkpoint=self._checkpoints / f"{name}.pt",
            identity=_identity(self._recipe, material),
        )
        fit.run(lambda epoch, loss, score: self._report(name, epoch, loss, score))
        return Stage(
            name, len(material.train), fit.progress.epoch, fit.progress.best_epoch, fit.progress.best_score
        )


def _check_learnable(part: SequenceCorpus) -> None:
    for emotion, count in zip(part.emotions, part.labels.sum(axis=0), strict=True):
        if count in (0, len(part)):
            raise CorpusError(
                f"{part.name}: {count} of the {len(part)} examples to learn from have {emotion!r}, so "
                "nothing can be learned of it; fetch the corpus again"
            )


def _continue_from(seen: nn.Module, network: nn.Module) -> None:
    """Give `network` the weights of one that lacks an emotion; what emotions there are is no weight."""
    state: dict[str, Any] = {**seen.state_dict(), "emotions": network.state_dict()["emotions"]}
    network.load_state_dict(state)


def _identity(recipe: SequenceRecipe, material: Material) -> str:
    """Return what a checkpoint must have been made with: what of the recipe matters, and the data's size."""
    decisive = recipe.model_dump_json(exclude=_INDECISIVE)
    return hashlib.sha256(f"{decisive} {len(material.train)} {len(material.validation)}".encode()).hexdigest()
