"""Areas under the ROC curve of a part drawn anew many times, sorted once."""

from __future__ import annotations

import numpy as np

from models.training.metrics import BoolArray, Float64Array
from stream.messages import Float32Array, Int64Array


class RankedScores:
    """Scores beside their truth, sorted, so that a resample costs no sorting.

    Args:
        truth: `[n, C]`.
        scores: `[n, C]`; equal scores count half, as in `metrics.roc_aucs`.
    """

    def __init__(self, truth: BoolArray, scores: Float32Array) -> None:
        self._order = np.ascontiguousarray(np.argsort(scores, axis=0, kind="stable").T)
        self._truth = np.take_along_axis(truth.T, self._order, axis=1)
        ordered = np.take_along_axis(scores.T, self._order, axis=1)
        same = ordered[:, 1:] == ordered[:, :-1]
        # Where each run of equal scores begins and ends; not needed where there is none.
        self._runs = (_starts(same), _starts(same[:, ::-1])[:, ::-1]) if same.any() else None

    def aucs(self, rows: Int64Array) -> Float64Array:
        """Return `[C]`: the area of the part that `rows` make up; NaN where a column has but one truth."""
        count = self._order.shape[1]
        counts = np.bincount(rows, minlength=count)[self._order]
        present = counts * self._truth
        absent = counts - present
        until = np.cumsum(absent, axis=1)
        before = until - absent
        if self._runs is not None:
            first, last = self._runs
            before = np.take_along_axis(before, first, axis=1)
            until = np.take_along_axis(until, count - 1 - last, axis=1)
        pairs = present.sum(axis=1) * absent.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray((present * (before + until)).sum(axis=1) / 2 / pairs, np.float64)


def _starts(same: BoolArray) -> Int64Array:
    """Return `[C, n]`: where the run that each place belongs to begins; `same` as the place before it."""
    places = np.arange(same.shape[1] + 1)
    new = np.ones((len(same), len(places)), np.bool_)
    new[:, 1:] = ~same
    return np.maximum.accumulate(np.where(new, places, 0), axis=1)
