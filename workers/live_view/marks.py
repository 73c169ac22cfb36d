"""The small things the view is drawn with: styled pieces of a line, bars, curves, boxes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

Line: TypeAlias = list[Segment]

_LEVELS = "▁▂▃▄▅▆▇█"
DIM = "bright_black"
EDGE = "grey37"
MARK = "┊"


@lru_cache(maxsize=512)
def style(definition: str) -> Style:
    """Return a style by its definition."""
    return Style.parse(definition)


def piece(text: str, definition: str = "") -> Segment:
    """Return a styled piece of a line."""
    return Segment(text, style(definition))


def left(text: str, width: int, definition: str = "") -> Segment:
    """Return `text` at the left of `width` cells, cut with an ellipsis where it is longer."""
    if cell_len(text) > width:
        text = set_cell_size(text, max(0, width - 1)).rstrip() + "…"
    return piece(set_cell_size(text, width), definition)


def right(text: str, width: int, definition: str = "") -> Segment:
    """Return `text` at the right of `width` cells."""
    return piece(" " * (width - cell_len(text)) + text, definition)


def bar(share: float, width: int, colour: str, mark: float | None = None) -> Line:
    """Return a bar that fills `share` of `width` cells, to half a cell, with a faint mark at `mark`."""
    halves = round(min(1.0, max(0.0, share)) * width * 2)
    body = "━" * (halves // 2) + "╸" * (halves % 2)
    line = [piece(body, colour), piece("─" * (width - len(body)), EDGE)]
    if mark is None:
        return line
    place = min(width - 1, int(min(1.0, max(0.0, mark)) * width))
    before, under, after = Segment.divide(line, [place, place + 1, width])
    return [*before, piece(MARK, f"{DIM}"), *after] if under else line


def curve(values: Sequence[float | None], width: int, colour: str) -> Line:
    """Return a curve of values in 0..1, the newest at the right; `None` leaves its place empty."""
    chosen = _thinned(values, width)
    text = "".join(
        " " if value is None else _LEVELS[min(len(_LEVELS) - 1, int(value * len(_LEVELS)))]
        for value in chosen
    )
    return [piece(text.rjust(width), colour)]


def _thinned(values: Sequence[float | None], width: int) -> list[float | None]:
    # Cells are counted from the newest value back, so that the curve moves without changing its shape much.
    if len(values) <= width:
        return list(values)
    return [values[len(values) - 1 - (width - 1 - cell) * len(values) // width] for cell in range(width)]


def width_of(line: Line) -> int:
    """Return the cells a line takes."""
    return sum(segment.cell_length for segment in line)


def spread(start: Line, end: Line, width: int) -> Line:
    """Return `start` at the left and `end` at the right; `end` goes where there is no room for both."""
    gap = width - width_of(start) - width_of(end)
    if gap < 1:
        return Segment.adjust_line_length(start, width)
    return [*start, Segment(" " * gap), *end]


def boxed(lines: Sequence[Line], width: int, title: Line, corner: Line) -> list[Line]:
    """Return `lines` in a box of `width` cells with a title at the top left and a note at the top right."""
    rule = width - width_of(title) - width_of(corner) - 7
    if rule < 1:
        corner, rule = [], max(0, width - width_of(title) - 6)
    top = [piece("╭─ ", EDGE), *title, piece(f" {'─' * rule}", EDGE)]
    top += [piece(" ", EDGE), *corner, piece(" ╮", EDGE)] if corner else [piece("─╮", EDGE)]
    inside = width - 4
    body = [
        [piece("│ ", EDGE), *Segment.adjust_line_length(line, inside), piece(" │", EDGE)] for line in lines
    ]
    return [top, *body, [piece(f"╰{'─' * (width - 2)}╯", EDGE)]]
