"""How long a backend takes for one batch of windows, on this machine, as the daemon would ask it."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from models.backends import Backend
from models.backends.parity import repeated
from models.bundle import Bundle

RUNS = 200
_WARM_UP_RUNS = 20
_PAUSE_S = 0.02
"""Between runs: a GPU that is asked without a pause is clocked up, which a daemon's is not."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds that a run takes."""

    p50_ms: float
    p99_ms: float


def measure(backend: Backend, bundle: Bundle, windows: int, *, runs: int = RUNS) -> Timing:
    """Time `runs` runs of `windows` windows, with the bundle's stored inputs, from arrays to arrays.

    Raises:
        BackendError: A run failed.
    """
    inputs = repeated(bundle.check_arrays()[0], windows)
    for _ in range(min(_WARM_UP_RUNS, runs)):
        backend.run(inputs)
    taken = []
    for _ in range(runs):
        time.sleep(_PAUSE_S)
        started = time.perf_counter_ns()
        backend.run(inputs)
        taken.append((time.perf_counter_ns() - started) / 1e6)
    p50, p99 = np.percentile(taken, [50, 99])
    return Timing(p50_ms=round(float(p50), 3), p99_ms=round(float(p99), 3))
