"""Sliding windows: rings of timed feature vectors, cut into right-aligned bins.

A window of `steps` bins at `rate_hz` ends at `end_ns`. Bin `k` holds the vectors whose time lies in
`(end - (steps - k) / rate, end - (steps - k - 1) / rate]`, averaged; a bin without evidence is zero and
masked out. Nothing later than `end_ns` enters, so a window is causal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from stream.messages import Float32Array, Int64Array

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def seconds_to_ns(seconds: float) -> int:
    """Return `seconds` as whole nanoseconds."""
    return round(seconds * NS_PER_S)


def next_window_end(time_ns: int, hop_ns: int) -> int:
    """Return the first multiple of `hop_ns` strictly after `time_ns`: windows end on this grid."""
    return (time_ns // hop_ns + 1) * hop_ns


def bin_width_ns(rate_hz: float) -> int:
    """Return the width of a bin, of which there are `rate_hz` a second."""
    return round(NS_PER_S / rate_hz)


@dataclass(frozen=True)
class Window:
    """One modality's part of a window."""

    values: Float32Array
    """`[steps, D]`; rows without evidence are zero."""
    mask: Float32Array
    """`[steps]`; 1 where there is evidence, else 0."""
    newest_ns: int | None
    """Capture time of the newest evidence; `None` without any."""
    key: object = field(default_factory=object)
    """Tells it from every other window."""
    moved: tuple[object, int] | None = None
    """The key of a window and how many bins this one has beyond it; the rest is as it was there."""

    @property
    def coverage(self) -> float:
        """Share of the window's bins that hold evidence, 0..1."""
        return int(np.count_nonzero(self.mask)) / len(self.mask)


def assemble(
    times_ns: Int64Array, vectors: Float32Array, *, end_ns: int, steps: int, rate_hz: float
) -> Window:
    """Cut the window that ends at `end_ns` out of timed vectors.

    Args:
        times_ns: `[n]`, in order.
        vectors: `[n, D]` evidence; leave out what is none.
        end_ns: right edge of the window, inclusive.
        steps: number of bins.
        rate_hz: bins a second.
    """
    width_ns = bin_width_ns(rate_hz)
    values, mask = np.zeros((steps, vectors.shape[1]), np.float32), np.zeros(steps, np.float32)
    edges = times_ns.searchsorted(end_ns - width_ns * np.arange(steps, -1, -1), side="right").tolist()
    for step, (first, behind) in enumerate(pairwise(edges)):
        if first < behind:
            np.add.reduce(vectors[first:behind], axis=0, out=values[step])
            values[step] /= behind - first
            mask[step] = 1
    return Window(values, mask, int(times_ns[edges[-1] - 1]) if edges[0] < edges[-1] else None)


class Ring:
    """The last `horizon_ns` of timed vectors, in time order.

    Rows lie in one growing array that is compacted when it fills, so that reading is a slice and appending
    copies each row twice at most.
    """

    def __init__(self, dim: int, horizon_ns: int) -> None:
        self._horizon_ns = horizon_ns
        self._times = np.empty(64, np.int64)
        self._vectors = np.empty((64, dim), np.float32)
        self._first = 0
        self._last = 0
        self._forgotten = 0

    def __len__(self) -> int:
        return self._last - self._first

    @property
    def times_ns(self) -> Int64Array:
        """`[n]`, oldest first; a view that the next `append` may change."""
        return self._times[self._first : self._last]

    @property
    def vectors(self) -> Float32Array:
        """`[n, D]`, oldest first; a view that the next `append` may change."""
        return self._vectors[self._first : self._last]

    def append(self, time_ns: int, vector: Float32Array) -> None:
        """Add one vector and forget what is older than the horizon before it.

        Raises:
            ValueError: `time_ns` is before the newest, or `vector` has another dimension.
        """
        if len(self) and time_ns < self._times[self._last - 1]:
            raise ValueError(f"time runs backwards: {time_ns} after {self._times[self._last - 1]}")
        if self._last == len(self._times):
            self._compact()
        self._times[self._last] = time_ns
        self._vectors[self._last] = vector
        self._last += 1
        self.forget(time_ns - self._horizon_ns)

    def forget(self, time_ns: int) -> None:
        """Forget what is not later than `time_ns`."""
        old = int(self.times_ns.searchsorted(time_ns, side="right"))
        self._first += old
        self._forgotten += old

    def count_until(self, time_ns: int) -> int:
        """Return how many vectors up to `time_ns` there have ever been, if none after it is forgotten."""
        return self._forgotten + int(self.times_ns.searchsorted(time_ns, side="right"))

    def _compact(self) -> None:
        count = len(self)
        capacity = max(64, 2 * count)
        times, vectors = self.times_ns, self.vectors
        self._times = np.empty(capacity, np.int64)
        self._vectors = np.empty((capacity, vectors.shape[1]), np.float32)
        self._times[:count], self._vectors[:count] = times, vectors
        self._first, self._last = 0, count


class SlidingWindow:
    """The windows of one ring, one after the other; a bin that the one before held is not computed again.

    Args:
        dim: numbers in a vector.
        horizon_ns: for how long vectors are kept; more than the length of a window.
        steps: number of bins.
        rate_hz: bins a second.
    """

    def __init__(self, dim: int, horizon_ns: int, *, steps: int, rate_hz: float) -> None:
        self.ring = Ring(dim, horizon_ns)
        self._steps = steps
        self._rate_hz = rate_hz
        self._width_ns = bin_width_ns(rate_hz)
        self._before: tuple[int, int, Window] | None = None
        """Where the last window ended, how many vectors there were until then, and the window."""

    def window(self, end_ns: int) -> Window:
        """Return what `assemble` does."""
        window = self._moved(end_ns) or self._assembled(end_ns, self._steps)
        self._before = end_ns, self.ring.count_until(end_ns), window
        return window

    def _moved(self, end_ns: int) -> Window | None:
        """Return the window before with its new bins, `None` where it has other bins or knew less of them."""
        if self._before is None:
            return None
        before_ns, count, before = self._before
        steps, rest = divmod(end_ns - before_ns, self._width_ns)
        if rest or not 0 < steps < self._steps or self.ring.count_until(before_ns) != count:
            return None
        new = self._assembled(end_ns, steps)
        newest_ns = before.newest_ns if new.newest_ns is None else new.newest_ns
        if newest_ns is not None and newest_ns <= end_ns - self._steps * self._width_ns:
            newest_ns = None
        return Window(
            np.concatenate([before.values[steps:], new.values]),
            np.concatenate([before.mask[steps:], new.mask]),
            newest_ns,
            moved=(before.key, steps),
        )

    def _assembled(self, end_ns: int, steps: int) -> Window:
        ring = self.ring
        return assemble(ring.times_ns, ring.vectors, end_ns=end_ns, steps=steps, rate_hz=self._rate_hz)
