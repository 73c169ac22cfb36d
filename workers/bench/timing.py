"""Timing calls, and saying what they took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

_WARM_UP = 5


def time_ms(
    call: Callable[[], object], *, runs: int, clock: Callable[[], int] = time.perf_counter_ns
) -> list[float]:
    """Return how many milliseconds of `clock` each of `runs` calls takes, after some that warm up."""
    for _ in range(min(_WARM_UP, runs)):
        call()
    taken = []
    for _ in range(runs):
        started = clock()
        call()
        taken.append((clock() - started) / 1e6)
    return taken


def median(values: Sequence[float]) -> float:
    """Return the median, or NaN of nothing."""
    return float(np.median(values)) if len(values) else float("nan")


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile, 0..100, or NaN of nothing."""
    return float(np.percentile(values, share)) if len(values) else float("nan")


def p50_p99(values: Sequence[float]) -> str:
    """Return median and 99th percentile of milliseconds as text."""
    if not len(values):
        return "–"
    return f"p50 {percentile(values, 50):.1f} ms, p99 {percentile(values, 99):.1f} ms"
