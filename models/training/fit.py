"""Fitting one modality's scorer: loss, early stopping on validation, a checkpoint an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.affect import AffectLexicon
from models.training.batches import drawn_batches
from models.training.datasets import Dataset
from models.training.early_stopping import EarlyStopping, EpochReport
from models.training.metrics import accuracy, best_thresholds, macro_f1, unweighted_average_recall
from models.training.network import ModalityScorer
from models.training.recipe import Branch
from models.training.vectors import unit
from models.training.words import ConceptWords
from stream.messages import Float32Array, Int64Array

_WARMUP = 0.05  # share of all steps
_EMA = 0.99
_LARGEST_POSITIVE_WEIGHT = 10.0
_SCORED_AT_ONCE = 1024
_SPREAD_OVER = 40  # rated words, drawn anew for every batch


class Fit:
    """Trains a scorer on a dataset, going on from a checkpoint where there is one.

    The weights that are scored, and kept, are a moving average of those that are trained.

    Args:
        scorer: The network to train, in place.
        branch: How.
        words: The words of the concepts.
        train: What to learn from.
        validation: What decides which epoch was best; without it the last one is.
        lexicon: The rated words that labels are spread over.
        seed: Of all randomness.
        checkpoint: File to go on from and to write after each epoch.
        identity: What the checkpoint must match to be gone on from.
        device: Where to train.
    """

    def __init__(
        self,
        scorer: ModalityScorer,
        branch: Branch,
        words: ConceptWords,
        train: Dataset,
        validation: Dataset | None,
        *,
        lexicon: AffectLexicon,
        seed: int,
        checkpoint: Path,
        identity: str,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.scorer = scorer.to(self.device)
        self.branch = branch
        self.words = words
        self.lexicon = lexicon
        if branch.spread:
            self.affect = self._here(lexicon.of(words.names(train.concepts)))
        self.train = train
        self.validation = validation
        self.seed = seed
        self.loss = _Loss(branch, words, train, self.device)
        self.average = AveragedModel(scorer, multi_avg_fn=get_ema_multi_avg_fn(_EMA), use_buffers=True)
        maps = [p for name, p in scorer.named_parameters() if p.dim() > 1]
        rest = [p for name, p in scorer.named_parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": maps, "weight_decay": branch.decay}, {"params": rest, "weight_decay": 0.0}],
            lr=branch.rate,
        )
        self.rows = np.concatenate(
            [np.tile(rows, branch.repeats.get(name, 1)) for name, rows in train.corpora.items()]
        )
        steps = branch.epochs * -(-len(self.rows) // branch.batch)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: _rate(step, steps))
        self.progress = EarlyStopping(
            self.average.module,
            {
                "scorer": scorer,
                "average": self.average,
                "optimizer": self.optimizer,
                "schedule": self.schedule,
            },
            epochs=branch.epochs,
            patience=branch.patience,
            checkpoint=checkpoint,
            identity=identity,
            device=self.device,
        )

    def run(self, report: EpochReport) -> float:
        """Train to the end and leave the best weights in the scorer; return their validation score."""
        self.progress.run(self._epoch, self._score, report)
        self.scorer.load_state_dict(self.progress.best_state)
        self.scorer.eval()
        return self.progress.best_score

    def _score(self) -> float:
        if self.validation is None:
            return (self.progress.epoch + 1) / self.branch.epochs  # the later, the better
        return validation_score(self.average.module, self.validation, self.words)

    def _epoch(self) -> float:
        # Seeded by epoch, so that a run that was interrupted goes on as one that was not.
        random = np.random.default_rng([self.seed, self.progress.epoch])
        torch.manual_seed(self.seed * 1000 + self.progress.epoch)
        self.scorer.train()
        total = 0.0
        lengths = self.train.windows.lengths()
        for rows in drawn_batches(self.rows, lengths, self.branch.batch, random):
            loss = self._step(rows, random)
            total += loss * len(rows)
        return total / len(self.rows)

    def _step(self, rows: Int64Array, random: np.random.Generator) -> float:
        values, mask = map(self._here, self.train.windows.augmented(rows, random))
        targets, allowed = self._here(self.train.targets[rows]), self._here(self.train.allowed[rows])
        targets = self.loss.smooth(targets, allowed)
        if self.branch.mixup:
            share = float(random.beta(self.branch.mixup, self.branch.mixup))
            other = self._here(random.permutation(len(rows)))
            values = share * values + (1 - share) * values[other]
            mask = torch.maximum(mask, mask[other])
            targets = share * targets + (1 - share) * targets[other]
            allowed = allowed | allowed[other]
        emotions = self._here(self.words.draw(self.train.concepts, random))
        encoded = self.scorer.encode(values, mask)
        cosine = encoded @ self.scorer.words(emotions).T
        loss = self.loss(self.scorer.loss_logits(cosine), targets, allowed)
        if self.branch.spread:
            loss = loss + self.branch.spread * self._spread(encoded, targets, random)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.scorer.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.scorer)
        return float(loss.detach())

    def _spread(self, encoded: Tensor, targets: Tensor, random: np.random.Generator) -> Tensor:
        """Return how far cosines to rated words are from those between their affect and the labels'."""
        vectors, directions = map(self._here, self.lexicon.draw(_SPREAD_OVER, random))
        labels = unit(targets @ self.affect)
        return nn.functional.mse_loss(encoded @ self.scorer.words(vectors).T, labels @ directions.T)

    def _here(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)


class _Loss:
    """A sigmoid a word; for single labels softmax over the words as well.

    Softmax alone would leave open how near a fitting word lies.
    """

    def __init__(self, branch: Branch, words: ConceptWords, train: Dataset, device: torch.device) -> None:
        self._multi_label = train.multi_label
        self._smoothing = branch.smoothing
        counts = torch.from_numpy(train.targets.sum(axis=0)).to(device)
        seen = torch.from_numpy(train.allowed.sum(axis=0)).to(device)
        self._weights = (counts.mean() / counts.clamp(min=1)) ** branch.balance
        odds = (seen - counts) / counts.clamp(min=1)
        self._positive = odds.clamp(1, _LARGEST_POSITIVE_WEIGHT) ** branch.balance
        similarity = torch.from_numpy(words.similarity(train.concepts)).to(device)
        similarity.fill_diagonal_(-1e4)
        self._near = torch.softmax(similarity / 0.2, dim=1)

    def smooth(self, targets: Tensor, allowed: Tensor) -> Tensor:
        """Return `[N, C]` targets of which a share has gone to the words most like the labels."""
        if self._multi_label or not self._smoothing:
            return targets
        near = (targets @ self._near) * allowed
        near = near / near.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return (1 - self._smoothing) * targets + self._smoothing * near

    def __call__(self, logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
        each = nn.functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=self._positive if self._multi_label else None, reduction="none"
        )
        loss = (each * allowed).sum() / allowed.sum()
        if self._multi_label:
            return loss
        logits = logits.masked_fill(~allowed, -1e4)
        return loss - (targets * torch.log_softmax(logits, dim=1) * self._weights).sum(dim=1).mean()


def cosines(scorer: nn.Module, dataset: Dataset, emotions: Float32Array) -> Float32Array:
    """Return the cosine of every example with every word, `[n, K]`."""
    scorer.eval()
    device = next(scorer.parameters()).device
    found = []
    with torch.no_grad():
        for start in range(0, len(dataset.windows), _SCORED_AT_ONCE):
            rows = np.arange(start, min(start + _SCORED_AT_ONCE, len(dataset.windows)))
            given = (*dataset.windows.windows(rows), emotions)
            found.append(scorer(*(torch.from_numpy(array).to(device) for array in given)).cpu().numpy())
    return np.concatenate(found)


def validation_score(scorer: nn.Module, dataset: Dataset, words: ConceptWords) -> float:
    """Return how good the scorer is, 0..1: the mean over corpora of what each is judged by.

    Macro-F1 at the best thresholds where there are several labels; else the mean of accuracy and unweighted
    average recall.
    """
    scores = cosines(scorer, dataset, words.first(dataset.concepts))
    results = []
    for rows in dataset.corpora.values():
        own = dataset.allowed[rows[0]]
        truth, found = dataset.targets[rows][:, own], scores[rows][:, own]
        if dataset.multi_label:
            labels = truth > 0
            results.append(macro_f1(labels, found >= best_thresholds(labels, found)))
        else:
            right, chosen = truth.argmax(axis=1), found.argmax(axis=1)
            results.append(
                (accuracy(right, chosen) + unweighted_average_recall(right, chosen, truth.shape[1])) / 2
            )
    return float(np.mean(results))


def _rate(step: int, steps: int) -> float:
    warm = max(1, round(_WARMUP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + float(np.cos(np.pi * min(1.0, (step - warm) / max(1, steps - warm)))))
