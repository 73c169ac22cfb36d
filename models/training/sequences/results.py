"""What is reported of one part of a corpus: accuracy, F1 and area under the ROC curve, an emotion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from models.training.corpora.sequences import SequenceCorpus
from models.training.metrics import (
    accuracies,
    calibration_error,
    class_weighted_f1_scores,
    roc_aucs,
    weighted_accuracies,
)
from stream.messages import Float32Array

Results = dict[str, Any]
"""`examples`, `emotions` (each `present`, `accuracy`, `f1`, `auc`), their `average`, and `ece`; 0..1."""

SCORES = ("accuracy", "f1", "auc")


def emotion_results(
    part: SequenceCorpus,
    probability: Float32Array,
    thresholds: Mapping[str, float],
    accuracy: Literal["accuracy", "weighted_accuracy"],
) -> Results:
    """Return the results on a part.

    Args:
        part: With the labels.
        probability: `[n, C]`, of each of its emotions.
        thresholds: From which probability an emotion is predicted; 0.5 where none is given.
        accuracy: Which kind is reported as accuracy.
    """
    least = np.array([thresholds.get(emotion, 0.5) for emotion in part.emotions], np.float32)
    predicted = probability >= least
    kinds = {"accuracy": accuracies, "weighted_accuracy": weighted_accuracies}
    found = {
        "accuracy": kinds[accuracy](part.labels, predicted),
        "f1": class_weighted_f1_scores(part.labels, predicted),
        "auc": roc_aucs(part.labels, probability),
    }
    emotions = {
        emotion: {"present": int(part.labels[:, i].sum())} | {key: _rounded(found[key][i]) for key in SCORES}
        for i, emotion in enumerate(part.emotions)
    }
    return {
        "examples": len(part),
        "emotions": emotions,
        "average": {key: _rounded(_mean(found[key])) for key in SCORES},
        "ece": _rounded(calibration_error(part.labels.ravel(), probability.ravel())),
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
