"""Fitting a network on a sequence corpus: loss, falling rate, early stopping, a checkpoint an epoch.

After the code that the authors of Dai et al. 2020 published: Adam, a rate that falls where the validation
loss stays, gradients of limited norm, and the epoch with the best validation score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training.corpora import CorpusError
from models.training.corpora.sequences import SequenceCorpus
from models.training.early_stopping import EarlyStopping, EpochReport
from models.training.metrics import accuracies, roc_aucs, weighted_accuracies
from models.training.sequences.recipe import FineTuning, Schedule
from models.training.sequences.rehearsal import turn_gradients
from stream.messages import Float32Array, Int64Array

_SCORED_AT_ONCE = 1024
_REMEMBERED_AT_ONCE = 1024
_RATE_FALLS_TO = 0.1


@dataclass(frozen=True)
class Material:
    """What a network is fitted on.

    Attributes:
        train: What to learn from.
        validation: What decides which epoch was best; labelled with the same emotions.
        memory: What was learned before and is not to be forgotten; labelled with some of these emotions.
        sequences: The modalities that the network uses.
        chosen_by: Which score of the validation part decides.
    """

    train: SequenceCorpus
    validation: SequenceCorpus
    sequences: Sequence[str]
    chosen_by: str
    memory: SequenceCorpus | None = None


class SequenceFit:
    """Trains a network, going on from a checkpoint where there is one.

    Args:
        network: What to train, in place; called with its sequences by name.
        material: On what.
        schedule: How.
        seed: Of all randomness.
        device: Where.
        checkpoint: File to go on from and to write after each epoch.
        identity: What the checkpoint must match to be gone on from.
    """

    def __init__(
        self,
        network: nn.Module,
        material: Material,
        schedule: Schedule,
        *,
        seed: int,
        device: torch.device,
        checkpoint: Path,
        identity: str,
    ) -> None:
        self.network = network.to(device)
        self.material = material
        self.schedule = schedule
        self.seed = seed
        self.device = device
        self.loss = nn.BCEWithLogitsLoss(pos_weight=positive_weights(material.train)).to(device)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
        self.rate = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=_RATE_FALLS_TO, patience=schedule.plateau
        )
        self.rehearse = isinstance(schedule, FineTuning) and schedule.rehearse
        self.progress = EarlyStopping(
            network,
            {"network": network, "optimizer": self.optimizer, "rate": self.rate},
            epochs=schedule.epochs,
            patience=schedule.patience,
            checkpoint=checkpoint,
            identity=identity,
            device=device,
        )

    def run(self, report: EpochReport) -> None:
        """Train to the end and leave the best weights in the network."""
        self.progress.run(self._epoch, self._score, report)
        self.network.load_state_dict(self.progress.best_state)
        self.network.eval()

    def _score(self) -> float:
        """Return the validation score, after lowering the rate where the validation loss no longer falls."""
        validation = self.material.validation
        logits = logits_of(self.network, validation, self.material.sequences, self.device)
        labels = torch.from_numpy(validation.labels).float().to(self.device)
        self.rate.step(float(self.loss(torch.from_numpy(logits).to(self.device), labels)))
        return validation_score(validation, logits, self.material.chosen_by)

    def _epoch(self) -> float:
        # Seeded by epoch, so that a run that was interrupted goes on as one that was not.
        random = np.random.default_rng([self.seed, self.progress.epoch])
        torch.manual_seed(self.seed * 1000 + self.progress.epoch)
        self.network.train()
        order = random.permutation(len(self.material.train))
        total = 0.0
        for start in range(0, len(order), self.schedule.batch):
            rows = order[start : start + self.schedule.batch]
            total += self._step(rows, random) * len(rows)
        return total / len(order)

    def _step(self, rows: Int64Array, random: np.random.Generator) -> float:
        loss = self._loss_on(self.material.train, rows)
        self.optimizer.zero_grad()
        loss.backward()
        if self.rehearse and self.material.memory is not None:
            memory = self.material.memory
            remembered = random.permutation(len(memory))[:_REMEMBERED_AT_ONCE]
            turn_gradients(self.network.parameters(), self._loss_on(memory, np.sort(remembered)))
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.clip)
        self.optimizer.step()
        return float(loss.detach())

    def _loss_on(self, part: SequenceCorpus, rows: Int64Array) -> Tensor:
        logits = self.network(**_batch(part, rows, self.material.sequences, self.device))
        labels = torch.from_numpy(part.labels[rows]).float().to(self.device)
        if part is self.material.train:
            return self.loss(logits, labels)
        known = [self.material.train.emotions.index(emotion) for emotion in part.emotions]
        weights = positive_weights(part).to(self.device)
        return nn.functional.binary_cross_entropy_with_logits(logits[:, known], labels, pos_weight=weights)


def positive_weights(part: SequenceCorpus) -> Tensor:
    """Return `[C]`: how many examples lack an emotion for each that has it; the weight of those in the loss.

    An emotion that none has, which happens among few, counts as if one had it.
    """
    present = part.labels.sum(axis=0)
    return torch.from_numpy((len(part) - present) / np.maximum(present, 1)).float()


def logits_of(
    network: nn.Module, part: SequenceCorpus, sequences: Sequence[str], device: torch.device
) -> Float32Array:
    """Return the network's logits `[n, C]` of every example of a part."""
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(part), _SCORED_AT_ONCE):
            rows = np.arange(start, min(start + _SCORED_AT_ONCE, len(part)))
            found.append(network(**_batch(part, rows, sequences, device)).cpu().numpy())
    return np.concatenate(found)


def validation_score(part: SequenceCorpus, logits: Float32Array, kind: str) -> float:
    """Return the mean over emotions of one score, 0..1; emotions that all or none of the examples have aside.

    Raises:
        CorpusError: That is the case of every emotion.
    """
    told = part.labels.any(axis=0) & ~part.labels.all(axis=0)
    if not told.any():
        raise CorpusError(f"{part.name}: the {part.split} part tells no emotion apart; fetch it again")
    truth, logits = part.labels[:, told], logits[:, told]
    scores: Mapping[str, Callable[[], list[float]]] = {
        "accuracy": lambda: accuracies(truth, logits >= 0),
        "weighted_accuracy": lambda: weighted_accuracies(truth, logits >= 0),
        "auc": lambda: roc_aucs(truth, logits),
    }
    return float(np.mean(scores[kind]()))


def _batch(
    part: SequenceCorpus, rows: Int64Array, sequences: Sequence[str], device: torch.device
) -> dict[str, Tensor]:
    return {name: torch.from_numpy(getattr(part, name)[rows]).to(device) for name in sequences}
