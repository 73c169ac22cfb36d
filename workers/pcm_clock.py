"""Capture times of audio blocks, from when they were delivered.

The capture times that PortAudio gives are not used: through the PulseAudio plug-in of ALSA they are off by
0.3 s in the first second, and later claim blocks that are younger than they are long.
"""

from __future__ import annotations

from collections import deque

BLOCK_NS = 50_000_000
"""A block is 50 ms of audio."""

_SETTLING = 6
_WATCHED = 20  # blocks, 1 s: in a second at least one is delivered in time
_GAP_NS = 100_000_000
_FORWARD_NS = 500_000
_BACK_NS = 5_000_000


class PcmClock:
    """Stamps consecutive blocks of one open device.

    Delivery is late by up to some tens of milliseconds, now and then, and never early. So the times run on a
    50 ms grid that is steered towards the earliest deliveries: by at most 0.5 ms a block forward, which
    follows the drift of any sound card, and 5 ms back. Where a second of blocks came late by 0.1 s or more,
    audio is missing that nobody reported, and the grid jumps.
    """

    def __init__(self) -> None:
        self._settled = 0
        self._time_ns: int | None = None
        self._late_ns: deque[int] = deque(maxlen=_WATCHED)
        self.found_gap = False
        """Whether the last stamp found that audio is missing which nobody reported."""

    def stamp(self, delivered_ns: int, *, gap: bool = False) -> int | None:
        """Return the capture time of the end of the block delivered at `delivered_ns`; strictly increasing.

        `None` says to discard the block: the first 0.3 s show how late deliveries are.

        Args:
            delivered_ns: When the device handed it over.
            gap: Whether the device has lost audio just before it.
        """
        predicted_ns = delivered_ns if self._time_ns is None else self._time_ns + BLOCK_NS
        late_ns = delivered_ns - predicted_ns
        self.found_gap = False
        if self._settled < _SETTLING:
            self._settled += 1
            self._time_ns = predicted_ns + min(late_ns, 0)
            return None
        if gap:
            return self._jump(predicted_ns + max(late_ns, 0))
        self._late_ns.append(late_ns)
        full = len(self._late_ns) == _WATCHED
        earliest_ns = min(self._late_ns)
        if full and earliest_ns > _GAP_NS:
            self.found_gap = True
            return self._jump(predicted_ns + earliest_ns)
        step_ns = max(-_BACK_NS, min(earliest_ns, _FORWARD_NS if full else 0))
        self._late_ns = deque((late - step_ns for late in self._late_ns), maxlen=_WATCHED)
        self._time_ns = predicted_ns + step_ns
        return self._time_ns

    def _jump(self, time_ns: int) -> int:
        self._late_ns.clear()
        self._time_ns = time_ns
        return time_ns
