"""Epoch after epoch until validation gets no better, with a checkpoint each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

EpochReport = Callable[[int, float, float], None]
"""Called after an epoch with its number from 1, its mean loss and its validation score."""


class Stateful(Protocol):
    """What a checkpoint can hold."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes."""

    def load_state_dict(self, state: Any) -> Any:
        """Take back what `state_dict` returned."""


class EarlyStopping:
    """Counts epochs, keeps the best weights, and goes on from a checkpoint where there is one.

    Args:
        kept: The network whose weights are scored.
        parts: All that changes in training, by name.
        epochs: How many at most.
        patience: How many without a better score before it stops.
        checkpoint: File to go on from and to write after each epoch.
        identity: What the checkpoint must match to be gone on from.
        device: Where the parts are.
    """

    def __init__(
        self,
        kept: nn.Module,
        parts: Mapping[str, Stateful],
        *,
        epochs: int,
        patience: int,
        checkpoint: Path,
        identity: str,
        device: torch.device,
    ) -> None:
        self._kept = kept
        self._parts = parts
        self._epochs = epochs
        self._patience = patience
        self._checkpoint = checkpoint
        self._identity = identity
        self._device = device
        self.epoch = 0
        self.best_epoch = 0
        self.best_score = -1.0
        self.best_state: dict[str, Any] = copy.deepcopy(kept.state_dict())

    def run(self, learn: Callable[[], float], score: Callable[[], float], report: EpochReport) -> None:
        """Train to the end.

        Args:
            learn: Trains one epoch, whose number from 0 is `epoch`, and returns its mean loss.
            score: Returns the validation score of the weights as they are, 0..1.
            report: Told of every epoch.
        """
        self._resume()
        while self.epoch < self._epochs and self.epoch - self.best_epoch < self._patience:
            loss, found = learn(), score()
            self.epoch += 1
            if found > self.best_score:
                self.best_score, self.best_epoch = found, self.epoch
                self.best_state = copy.deepcopy(self._kept.state_dict())
            self._save()
            report(self.epoch, loss, found)

    def _save(self) -> None:
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        partial = self._checkpoint.with_suffix(".partial")
        best = (self.best_score, self.best_epoch, self.best_state)
        states = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save({"identity": self._identity, "epoch": self.epoch, "best": best, **states}, partial)
        partial.replace(self._checkpoint)

    def _resume(self) -> None:
        if not self._checkpoint.is_file():
            return
        saved = torch.load(self._checkpoint, map_location=self._device, weights_only=True)
        if saved["identity"] != self._identity:
            return
        self.epoch = saved["epoch"]
        self.best_score, self.best_epoch, self.best_state = saved["best"]
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
