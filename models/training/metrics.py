"""How good predictions and scores are: accuracies, recalls, F1, areas under the ROC curve, calibration."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.messages import Float32Array, Int64Array

BoolArray = npt.NDArray[np.bool_]
Float64Array = npt.NDArray[np.float64]


def accuracy(truth: Int64Array, predicted: Int64Array) -> float:
    """Return the share of `[n]` predictions that are right, 0..1."""
    return float((truth == predicted).mean())


def recalls(truth: Int64Array, predicted: Int64Array, classes: int) -> list[float]:
    """Return each class's recall, 0..1; NaN where the truth holds none of it."""
    own = np.arange(classes)
    return label_recalls(truth[:, None] == own, predicted[:, None] == own)


def label_recalls(truth: BoolArray, predicted: BoolArray) -> list[float]:
    """Return the recall of each column of `[n, C]`, 0..1; NaN for a column that is never true."""
    with np.errstate(invalid="ignore"):
        return [float(share) for share in (truth & predicted).sum(axis=0) / truth.sum(axis=0)]


def unweighted_average_recall(truth: Int64Array, predicted: Int64Array, classes: int) -> float:
    """Return the mean recall over the classes that the truth holds, 0..1."""
    return float(np.nanmean(recalls(truth, predicted, classes)))


def f1_scores(truth: BoolArray, predicted: BoolArray) -> list[float]:
    """Return the F1 of each column of `[n, C]`; 0 where nothing is true or predicted."""
    hits = (truth & predicted).sum(axis=0)
    total = truth.sum(axis=0) + predicted.sum(axis=0)
    return [float(2 * h / t) if t else 0.0 for h, t in zip(hits, total, strict=True)]


def macro_f1(truth: BoolArray, predicted: BoolArray) -> float:
    """Return the mean F1 over the columns of `[n, C]`."""
    return float(np.mean(f1_scores(truth, predicted)))


def accuracies(truth: BoolArray, predicted: BoolArray) -> list[float]:
    """Return the share of right predictions in each column of `[n, C]`, 0..1."""
    return [float(share) for share in (truth == predicted).mean(axis=0)]


def weighted_accuracies(truth: BoolArray, predicted: BoolArray) -> list[float]:
    """Return the mean of the recall of presence and that of absence, for each column of `[n, C]`, 0..1.

    NaN for a column that is always or never true. After Tong et al. 2017 (arXiv 1705.02735); the papers
    on CMU-MOSEI report it as weighted accuracy.
    """
    present, absent = truth.sum(axis=0), (~truth).sum(axis=0)
    hits, passes = (truth & predicted).sum(axis=0), (~truth & ~predicted).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return [float(share) for share in (hits / present + passes / absent) / 2]


def class_weighted_f1_scores(truth: BoolArray, predicted: BoolArray) -> list[float]:
    """Return, for each column of `[n, C]`, the F1 of presence and that of absence, averaged by their number.

    Papers on IEMOCAP and CMU-MOSEI mean this by the F1 of an emotion.
    """
    return [
        weighted_f1(own.astype(np.int64), found.astype(np.int64), 2)
        for own, found in zip(truth.T, predicted.T, strict=True)
    ]


def roc_aucs(truth: BoolArray, scores: Float32Array) -> list[float]:
    """Return, for each column of `[n, C]`, how often what is true scores higher than what is not, 0..1.

    This is the area under the ROC curve, from ranks (Mann-Whitney); equal scores count half. NaN for a column
    that is always or never true.
    """
    return [_roc_auc(own, score) for own, score in zip(truth.T, scores.T, strict=True)]


def _roc_auc(truth: BoolArray, scores: Float32Array) -> float:
    present, absent = int(truth.sum()), int((~truth).sum())
    if not present or not absent:
        return float("nan")
    _, position, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    return float((ranks[position][truth].sum() - present * (present + 1) / 2) / (present * absent))


def weighted_f1(truth: Int64Array, predicted: Int64Array, classes: int) -> float:
    """Return the F1 of each class, averaged with the number of its examples as weight, 0..1."""
    own = np.arange(classes)
    f1 = f1_scores(truth[:, None] == own, predicted[:, None] == own)
    return float(np.average(f1, weights=np.bincount(truth, minlength=classes)))


def best_thresholds(truth: BoolArray, scores: Float32Array) -> Float32Array:
    """Return, for each column of `[n, C]`, the threshold on its scores with the best F1.

    A score at or above its threshold predicts the label. Each threshold lies half way between two scores.
    """
    thresholds = []
    for column, score in zip(truth.T, scores.T, strict=True):
        order = np.argsort(-score, kind="stable")
        hits = np.cumsum(column[order])
        f1 = 2 * hits / (np.arange(1, len(order) + 1) + column.sum())
        best = int(np.argmax(f1))
        at = score[order[best]]
        below = score[order[best + 1]] if best + 1 < len(order) else at
        middle = (at + below) / 2
        thresholds.append(middle if middle > below else at)  # neighbouring floats have nothing between them
    return np.asarray(thresholds, np.float32)


def confusion(truth: Int64Array, predicted: Int64Array, classes: int) -> Int64Array:
    """Return `[classes, classes]` counts: rows are the truth, columns the prediction."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def calibration_error(truth: BoolArray, probability: Float32Array, bins: int = 15) -> float:
    """Return the expected calibration error of `[n]` probabilities, 0..1, over bins of equal width.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning".
    """
    counts, surest, right = _binned(truth, probability, bins)
    return float(np.abs(surest - right).sum() / counts.sum())


def reliability(
    truth: BoolArray, probability: Float32Array, bins: int = 15
) -> list[tuple[float, float, int]]:
    """Return mean probability, share that is true, and number, of each bin that `calibration_error` uses."""
    return [
        (float(sure / count), float(hits / count), int(count))
        for count, sure, hits in zip(*_binned(truth, probability, bins), strict=True)
        if count
    ]


def _binned(
    truth: BoolArray, probability: Float32Array, bins: int
) -> tuple[Int64Array, Float64Array, Float64Array]:
    """Return, a bin, the number of probabilities, their sum, and how many are true."""
    own = np.minimum((probability * bins).astype(np.int64), bins - 1)
    counts, surest, right = (np.bincount(own, weights, bins) for weights in (None, probability, truth))
    return counts.astype(np.int64), surest.astype(np.float64), right.astype(np.float64)
