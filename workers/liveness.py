"""Tells a worker that hangs from one that is slow: the loop that does the work also publishes `state`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from stream.messages import State
from stream.topics import TOPICS

SILENT_LIMIT_S = TOPICS["state"].alive_within_s or 0.0
"""A worker at work that has not spoken for ten periods of `state` hangs."""

BUSY_LIMIT_S = 120.0
"""One that loads its models, hands over the end of its topics, or computes, may be silent for so long."""

_SPEAKS: tuple[State, ...] = ("ready", "running", "lost")
_OWN_DELAY_S = 1.0
_COMPUTES = 0.02
"""Share of a core from which on a silent worker counts as computing; a blocked one uses next to none."""

Verdict = Literal["well", "silent", "hangs"]


class Liveness:
    """How long one worker has said nothing. All times are seconds of one monotonic clock."""

    def __init__(self, now_s: float) -> None:
        """Begin with a process that was started at `now_s`."""
        self._heard_s = self._looked_s = now_s
        self._speaks = False
        self._seen: tuple[float, float] | None = None
        """When its CPU time was last looked at, and what it was."""

    def hear(self, state: State, now_s: float) -> None:
        """Take note that the worker spoke."""
        self._heard_s = now_s
        self._speaks = state in _SPEAKS
        self._seen = None

    def silent_s(self, now_s: float) -> float:
        """Return for how long it has said nothing."""
        return now_s - self._heard_s

    @property
    def limit_s(self) -> float:
        """For how long it may say nothing while it does not compute."""
        return SILENT_LIMIT_S if self._speaks else BUSY_LIMIT_S

    def judge(self, now_s: float, cpu_s: Callable[[], float]) -> Verdict:
        """Return `silent` from half its limit on, `hangs` at the limit; call it often.

        `cpu_s` tells what CPU time the worker has used, and is asked only about one that is silent. One step
        of its work can take long, and a worker that is at it is slow, not hung.

        Time in which nobody asked does not count: this process was held up, so perhaps the whole machine was.
        """
        delay_s = now_s - self._looked_s
        self._looked_s = now_s
        if delay_s > _OWN_DELAY_S:
            self._heard_s = min(now_s, self._heard_s + delay_s)
        silent_s = self.silent_s(now_s)
        if silent_s < self.limit_s / 2:
            return "well"
        if silent_s >= BUSY_LIMIT_S or (self._speaks and not self._computes(now_s, cpu_s)):
            return "hangs"
        return "silent"

    def _computes(self, now_s: float, cpu_s: Callable[[], float]) -> bool:
        """Look at its CPU time every half limit; return false once it has used next to none in between."""
        if self._seen is None:
            self._seen = now_s, cpu_s()
        seen_s, used_s = self._seen
        if now_s - seen_s < SILENT_LIMIT_S / 2:
            return True
        self._seen = now_s, cpu_s()
        return self._seen[1] - used_s > _COMPUTES * (now_s - seen_s)
