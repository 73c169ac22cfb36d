"""How far a figure would move if other people or other examples had been drawn: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.training.metrics import Float64Array
from stream.messages import Int64Array

Statistic = Callable[[Int64Array], Mapping[str, float]]
"""Figures, by name, of the part that some rows make up; a row may come several times."""

DRAWS = 1000
LEAST_SPEAKERS = 6
"""With fewer, drawing speakers would say more of the draw than of the figure; examples are drawn then."""

_SEED = 20090  # any; the same for every figure, so that a command gives the same interval again
_TAIL_PERCENT = 2.5


@dataclass(frozen=True)
class Resampling:
    """What is drawn with replacement.

    Attributes:
        unit: `speaker`: all examples of one go together, for they are alike; `example`: each by itself.
        groups: The rows that go together.
    """

    unit: Literal["speaker", "example"]
    groups: Sequence[Int64Array]


def resampling(speakers: Sequence[str]) -> Resampling:
    """Return how a part is drawn anew, given who speaks in each example; empty where nobody is named."""
    own = np.asarray(speakers)
    names = np.unique(own)
    if "" not in names and LEAST_SPEAKERS <= len(names) < len(own):
        return Resampling("speaker", [np.flatnonzero(own == name) for name in names])
    return Resampling("example", list(np.arange(len(own))[:, None]))


def bootstrap(statistic: Statistic, drawn: Resampling, draws: int = DRAWS) -> dict[str, Float64Array]:
    """Return `[draws]` values of each figure, each of a part drawn anew (Efron 1979); seeded.

    Args:
        statistic: The figures.
        drawn: What is drawn.
        draws: How often.
    """
    random = np.random.default_rng(_SEED)
    sizes = np.array([len(group) for group in drawn.groups])
    ends, flat = np.cumsum(sizes), np.concatenate(drawn.groups)
    found: list[Mapping[str, float]] = []
    for _ in range(draws):
        chosen = random.integers(len(sizes), size=len(sizes))
        if drawn.unit == "example":
            rows = flat[chosen]
        else:
            rows = np.concatenate([flat[ends[i] - sizes[i] : ends[i]] for i in chosen])
        found.append(statistic(rows))
    return {name: np.array([each[name] for each in found], np.float64) for name in found[0]}


def interval(values: Float64Array) -> tuple[float, float]:
    """Return the middle 95 % of `values`, without those that are NaN; NaN if all are."""
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [_TAIL_PERCENT, 100 - _TAIL_PERCENT])
    return float(low), float(high)
