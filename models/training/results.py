"""The results of one test part: figures with intervals, every emotion, confusion, reliability, groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.training.bootstrap import Resampling, bootstrap, interval, resampling
from models.training.corpora import Example
from models.training.metrics import (
    BoolArray,
    accuracies,
    calibration_error,
    confusion,
    f1_scores,
    label_recalls,
    reliability,
    roc_aucs,
    weighted_accuracies,
)
from models.training.rank_scores import RankedScores
from stream.messages import Float32Array, Int64Array

Metrics = dict[str, Any]
"""Results as they stand in `metrics.json`."""

_DIGITS = 4


@dataclass(frozen=True)
class Scored:
    """The probabilities of a test part beside its labels.

    Attributes:
        names: `[C]`: the emotions.
        truth: `[n, C]`.
        probability: `[n, C]`.
        thresholds: `[C]`, at or above which an emotion counts as found; `None` where each example has one
            label: the emotion with the highest probability.
        examples: `[n]`, telling who speaks; or none.
    """

    names: Sequence[str]
    truth: BoolArray
    probability: Float32Array
    thresholds: Float32Array | None
    examples: Sequence[Example] = ()

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def first(self) -> Int64Array:
        """`[n]`: the emotion with the highest probability."""
        return self.probability.argmax(axis=1)

    @property
    def decided(self) -> BoolArray:
        """`[n, C]`: the emotions that count as found."""
        if self.thresholds is None:
            return self.first[:, None] == np.arange(len(self.names))
        return self.probability >= self.thresholds

    @property
    def speakers(self) -> list[str]:
        """`[n]`: who speaks; empty where nobody is named."""
        return [example.speaker for example in self.examples] or [""] * len(self)


def results(scored: Scored) -> Metrics:
    """Return all results of a test part.

    Of the figures, `accuracy` is the share of examples whose label was found, of several labels the share of
    all labels decided right; `uar`, `weighted_accuracy`, `macro_f1` and `auc` are means over emotions, which
    `weighted_f1` weighs by their number. `ece` is the calibration error of the probabilities of all emotions,
    `top_ece` that of the highest alone. `confusion` counts, for each true label (row), the emotion with the
    highest probability (column). `reliability` is the diagram of `ece`.
    """
    drawn = resampling(scored.speakers)
    labels = "one" if scored.thresholds is None else "several"
    found: Metrics = {"examples": len(scored), "labels": labels, "resampled": drawn.unit}
    found |= with_intervals(_figures(scored), len(scored), drawn)
    found["emotions"] = _emotions(scored)
    example, label = np.nonzero(scored.truth)
    found["confusion"] = confusion(label, scored.first[example], len(scored.names)).tolist()
    found["reliability"] = [
        [rounded(surest), rounded(share), count]
        for surest, share, count in reliability(scored.truth.ravel(), scored.probability.ravel())
    ]
    groups = _groups(scored)
    return found | {"groups": groups} if groups else found


def with_intervals(
    figures: Callable[[Int64Array], Mapping[str, float]], count: int, drawn: Resampling
) -> Metrics:
    """Return the figures of `count` examples, and under `intervals` the 95 % bootstrap interval of each."""
    values = figures(np.arange(count))
    intervals = {name: interval(each) for name, each in bootstrap(figures, drawn).items()}
    return {
        **{name: rounded(value) for name, value in values.items()},
        "intervals": {name: [rounded(low), rounded(high)] for name, (low, high) in intervals.items()},
    }


def rounded(value: float) -> float | None:
    """Return a figure as it is stored; nothing for NaN, which JSON does not know."""
    return None if np.isnan(value) else round(float(value), _DIGITS)


def _figures(scored: Scored) -> Callable[[Int64Array], dict[str, float]]:
    truth, decided, probability = scored.truth, scored.decided, scored.probability
    ranked = RankedScores(truth, probability)
    highest = probability.max(axis=1)
    first_right = truth[np.arange(len(truth)), scored.first]
    right = truth == decided if scored.thresholds is not None else first_right[:, None]

    def figures(rows: Int64Array) -> dict[str, float]:
        true, found = truth[rows], decided[rows]
        f1, counts = f1_scores(true, found), true.sum(axis=0)
        return {
            "accuracy": float(right[rows].mean()),
            "uar": _mean(label_recalls(true, found)),
            "weighted_accuracy": _mean(weighted_accuracies(true, found)),
            "macro_f1": float(np.mean(f1)),
            "weighted_f1": float(np.average(f1, weights=counts)) if counts.any() else float("nan"),
            "auc": _mean(ranked.aucs(rows)),
            "ece": calibration_error(true.ravel(), probability[rows].ravel()),
            "top_ece": calibration_error(first_right[rows], highest[rows]),
        }

    return figures


def _mean(values: Sequence[float] | np.ndarray[Any, Any]) -> float:
    known = np.asarray(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _emotions(scored: Scored) -> dict[str, Metrics]:
    truth, decided = scored.truth, scored.decided
    columns = {
        "accuracy": accuracies(truth, decided),
        "recall": label_recalls(truth, decided),
        "weighted_accuracy": weighted_accuracies(truth, decided),
        "f1": f1_scores(truth, decided),
        "auc": roc_aucs(truth, scored.probability),
    }
    return {
        name: {"examples": int(truth[:, c].sum())} | {key: rounded(v[c]) for key, v in columns.items()}
        for c, name in enumerate(scored.names)
    }


def _groups(scored: Scored) -> dict[str, Metrics]:
    """Return the results of women and of men, where the corpus tells who is who."""
    found = {}
    for sex in sorted({example.sex for example in scored.examples} - {""}):
        rows = np.flatnonzero([example.sex == sex for example in scored.examples])
        part = Scored(
            scored.names,
            scored.truth[rows],
            scored.probability[rows],
            scored.thresholds,
            [scored.examples[int(i)] for i in rows],
        )
        drawn = resampling(part.speakers)
        found[sex] = {
            "examples": len(part),
            "speakers": len(set(part.speakers)),
            "resampled": drawn.unit,
            **with_intervals(_figures(part), len(part), drawn),
            "emotions": _emotions(part),
        }
    return found
