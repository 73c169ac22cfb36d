"""Gives freed memory back to the system.

What libraries free between blocks that stay, glibc keeps for itself (mallopt(3)): a process that allocates
pictures, audio and text of all lengths grows by megabytes an hour, without a leak.
"""

from __future__ import annotations

import ctypes

from stream.clock import now_ns
from stream.windows import NS_PER_S

_PERIOD_NS = 10 * NS_PER_S


class Heap:
    """The memory that the C library manages in this process."""

    def __init__(self) -> None:
        # Of glibc alone; another C library has other ways.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._due_ns = now_ns() + _PERIOD_NS

    def give_back(self) -> None:
        """Give back what is free, every ten seconds at most; it takes some milliseconds."""
        if self._trim is not None and now_ns() >= self._due_ns:
            self._due_ns = now_ns() + _PERIOD_NS
            self._trim(0)
