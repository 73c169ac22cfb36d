"""The view without a terminal: a line a second for each source."""

from __future__ import annotations

import time
from collections.abc import Callable

from stream.public import EmotionScore
from workers.live_view.source_box import MODALITIES
from workers.live_view.state import SourceView, ViewState, percentile

_PERIOD_S = 1.0


class LineReport:
    """Writes what a `ViewState` holds, at most once a second."""

    def __init__(self, state: ViewState, write: Callable[[str], None]) -> None:
        self.notice = ""
        """What else to say, such as that nothing comes."""
        self._state = state
        self._write = write
        self._due_s = 0.0
        self._shown: dict[str, int] = {}
        self._problems: list[str] = []

    def show(self) -> None:
        """Write a line for each source that has scored since the last one, if a second has passed."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _PERIOD_S
        problems = [self.notice] * bool(self.notice) + self._state.problems()
        for problem in problems:
            if problem not in self._problems:
                self._write(problem)
        self._problems = problems
        for source in self._state.sources.values():
            if source.newest and self._shown.get(source.name) != source.windows:
                self._shown[source.name] = source.windows
                self._write(describe(self._state, source))


def describe(state: ViewState, source: SourceView) -> str:
    """Return the newest window of a source in one line."""
    assert source.newest is not None
    strongest = sorted(source.newest.emotions, key=lambda score: -score.smoothed)[:3]
    scores = "  ".join(f"{s.name} {s.smoothed:.0%} ({_beside(s)})" for s in strongest)
    evidence = " · ".join(
        f"{MODALITIES.get(name, name)} {item.coverage:.0%}" + ("" if item.used else " unused")
        for name, item in source.newest.evidence.items()
    )
    face = state.topic(source.name, "face")
    latency = percentile(source.latencies_ms, 50)
    rates = [f"faces {face.rate_hz:.1f}/s"] if face else []
    rates.append(f"windows {source.windows_per_s:.1f}/s")
    rates += [f"latency {latency:.0f} ms"] if latency is not None else []
    rates += [f"drops {state.dropped(source.name)}", f"gaps {state.missed}"]
    rates += [
        f"neutral {name} in {state.seconds_left:.0f} s"
        for name, state in (source.newest.baseline or {}).items()
        if state.seconds_left is not None
    ]
    what = f"{source.newest.wall_time[11:19]} {source.name}: {scores or 'no evidence, nothing scored'}"
    return "  |  ".join([what, evidence, "  ".join(rates)])


def _beside(score: EmotionScore) -> str:
    distance = f"distance {score.distance:.2f}"
    return f"{distance}, uncorrected {score.uncorrected.smoothed:.0%}" if score.uncorrected else distance
