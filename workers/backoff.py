"""How long to wait before a lost device is tried again."""

from __future__ import annotations


class Backoff:
    """Doubles the wait with every failure in a row; some good seconds in between start it anew."""

    def __init__(self, *, first_s: float = 0.5, longest_s: float = 10.0, good_s: float = 5.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._good_s = good_s
        self._next_s = first_s

    def after_failure(self, worked_s: float) -> float:
        """Return the seconds to wait now that the device failed, having worked for `worked_s` before."""
        if worked_s >= self._good_s:
            self._next_s = self._first_s
        delay_s = self._next_s
        self._next_s = min(2 * delay_s, self._longest_s)
        return delay_s
