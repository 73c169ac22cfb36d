"""How long each stage takes, from capture to score, as histograms."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

import numpy as np

from stream.public import StageLatency

BOUNDS_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 250.0, 500.0, 1000.0, 2500.0)
_RECENT = 600


class _Stage:
    def __init__(self) -> None:
        self.sum_ms = 0.0
        self.places = [0] * (len(BOUNDS_MS) + 1)
        self.recent: deque[float] = deque(maxlen=_RECENT)


class StageLatencies:
    """A histogram a stage.

    `face`, `voice`, `text`: capture to features; `window`: its end to its score; `inference`: the model
    alone; `score`: capture of the newest evidence to the score.
    """

    def __init__(self) -> None:
        self._stages: dict[str, _Stage] = {}

    def observe(self, stage: str, ms: float) -> None:
        """Take note that `stage` took `ms` milliseconds."""
        entry = self._stages.setdefault(stage, _Stage())
        entry.sum_ms += ms
        entry.places[bisect_left(BOUNDS_MS, ms)] += 1
        entry.recent.append(ms)

    def summary(self) -> list[StageLatency]:
        """Return what was observed so far, by stage."""
        return [_summary(name, stage) for name, stage in self._stages.items()]


def _summary(name: str, stage: _Stage) -> StageLatency:
    cumulative = np.cumsum(stage.places)
    p50, p99 = np.percentile(np.fromiter(stage.recent, float), [50, 99])
    return StageLatency(
        stage=name,
        count=int(cumulative[-1]),
        sum_ms=round(stage.sum_ms, 3),
        p50_ms=round(float(p50), 3),
        p99_ms=round(float(p99), 3),
        bounds_ms=list(BOUNDS_MS),
        counts=cumulative[:-1].tolist(),
    )
