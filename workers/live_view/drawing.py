"""The whole view: a header, a box a source, a footer, fitted to the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

from workers.live_view.marks import DIM, Line, piece, spread
from workers.live_view.palette import Palette
from workers.live_view.source_box import draw_source, draw_source_line
from workers.live_view.state import SourceView, ViewState, percentile

_COLUMN = 84
"""Narrowest box for sources side by side."""
_ROOMY = 84
"""Narrowest footer with its names in full."""
_LOWEST_BOX = 9
"""Fewest lines of a box; with less room a source gets one line."""


class View:
    """A drawn view; rich prints it."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, line in enumerate(self.lines):
            if number:
                yield Segment.line()
            yield from Segment.adjust_line_length(line, options.max_width)


def draw(
    state: ViewState, palette: Palette, width: int, height: int | None = None, *, notice: str = ""
) -> View:
    """Draw `state` into `width` cells.

    Args:
        state: what is shown.
        palette: colours of the emotions.
        width: cells a line; made for 60 and more.
        height: lines there are; as many as it takes where `None`.
        notice: what else to say, such as that nothing comes.
    """
    top = list(_header(state, width, notice if state.sources else ""))
    bottom = _footer(state, width)
    room = None if height is None else height - len(top) - len(bottom)
    middle = _sources(state, palette, width, room) if state.sources else _waiting(notice, width)
    if room is not None:
        middle = middle[:room] + [[]] * (room - len(middle))
    return View([*top, *middle, *bottom])


def _waiting(notice: str, width: int) -> list[Line]:
    return [[], *([piece(f"  {line}", DIM)] for line in textwrap.wrap(notice, width - 4)), []]


def _header(state: ViewState, width: int, notice: str) -> Iterator[Line]:
    newest = max(
        (source.newest for source in state.sources.values() if source.newest),
        key=lambda message: message.time_ns,
        default=None,
    )
    start = [piece(" emostream ", "bold reverse")]
    if newest is None:
        yield spread(start, [], width)
    else:
        what = [newest.model, newest.backend, newest.vocabulary]
        clock = datetime.fromisoformat(newest.wall_time.replace("Z", "+00:00")).astimezone()
        start.append(piece(f"  {clock:%H:%M:%S}", "bold"))
        yield spread(start, [piece(" · ".join(what) + " ", DIM)], width)
    problems = [notice] * bool(notice) + state.problems()
    if newest is not None and newest.degraded and not (state.health and state.health.degraded):
        problems.append(f"degraded: {newest.degraded}")
    for problem in problems[:3]:
        yield [piece(f" ▲ {problem.splitlines()[0]}", "yellow")]


def _sources(state: ViewState, palette: Palette, width: int, room: int | None) -> list[Line]:
    sources = list(state.sources.values())
    columns = max(1, min(len(sources), width // _COLUMN))
    rows = -(-len(sources) // columns)
    if room is not None and room // rows < _LOWEST_BOX:
        return [[], *(draw_source_line(state, source, palette, width) for source in sources)]
    each = None if room is None else room // rows
    lines: list[Line] = []
    for first in range(0, len(sources), columns):
        lines += _side_by_side(state, palette, sources[first : first + columns], width // columns, each)
    return lines


def _side_by_side(
    state: ViewState, palette: Palette, sources: list[SourceView], column: int, height: int | None
) -> Iterator[Line]:
    boxes = [draw_source(state, source, palette, column, height) for source in sources]
    for row in range(max(len(box) for box in boxes)):
        yield [
            segment
            for box in boxes
            for segment in Segment.adjust_line_length(box[row] if row < len(box) else [], column)
        ]


def _footer(state: ViewState, width: int) -> list[Line]:
    latencies = [value for source in state.sources.values() for value in source.latencies_ms]
    p50, p99 = percentile(latencies, 50), percentile(latencies, 99)
    faces = [row.rate_hz for row in (state.topic(name, "face") for name in state.sources) if row]
    dropped = sum(state.dropped(name) for name in state.sources)
    roomy = width >= _ROOMY
    latency = f"{p50:.0f}/{p99:.0f} ms" if p50 is not None else "–"
    facts = [
        ("faces", f"{sum(faces):.1f}/s" if faces else "–"),
        ("windows", f"{sum(source.windows_per_s for source in state.sources.values()):.1f}/s"),
        ("latency p50/p99" if roomy else "", latency),
        ("drops", f"{dropped}"),
        ("gaps", f"{state.missed}"),
    ]
    space = "   " if roomy else " "
    line: Line = [piece(" ")]
    for name, value in facts:
        alarming = name == "gaps" and value != "0"
        line += [
            piece(f"{name} " if name else "", DIM),
            piece(f"{value}{space}", "bold yellow" if alarming else "bold"),
        ]
    return [spread(line, [piece("Ctrl-C ends ", DIM)], width)]
