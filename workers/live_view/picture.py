"""A picture of the view, for documents."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

from rich.console import Console

from stream.errors import UserError
from workers.live_view.drawing import View, draw
from workers.live_view.palette import Palette
from workers.live_view.state import ViewState

_WIDTH = 104
_FONTS = "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_PERIOD_S = 0.5


class Picture:
    """Keeps the fullest view seen: all evidence used, and the most words heard."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._due_s = 0.0
        self._fullest = (-1, -1)
        self._view: View | None = None

    def consider(self, state: ViewState) -> None:
        """Keep the view of `state` if it shows more than what is kept; looks twice a second at most."""
        if time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + _PERIOD_S
        fullness = max((_fullness(state, name) for name in state.sources), default=self._fullest)
        if fullness > self._fullest:
            self._fullest, self._view = fullness, draw(state, self._palette, _WIDTH)

    def save(self, path: Path) -> None:
        """Write it as an SVG.

        Raises:
            UserError: nothing was ever shown, or the file cannot be written.
        """
        if self._view is None:
            raise UserError(f"{path} was not written: there was nothing to show")
        console = Console(
            record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        console.print(self._view)
        svg = console.export_svg(title="emostream watch", unique_id="emostream")
        try:
            path.write_text(_without_web_fonts(svg), encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from error


def _without_web_fonts(svg: str) -> str:
    """Return a picture that asks nothing of the network: letters in whatever fixed-width font is there."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")


def _fullness(state: ViewState, name: str) -> tuple[int, int]:
    source = state.sources[name]
    if source.newest is None or state.source_state(name) != "running":
        return (0, 0)
    used = sum(item.used for item in source.newest.evidence.values())
    return used, sum(len(word.text) for word in source.words if word.counts)
