"""Puts the view on a terminal, a few times a second."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live

from workers.live_view.drawing import View, draw
from workers.live_view.palette import Palette
from workers.live_view.state import ViewState

REFRESH_HZ = 8.0


class LiveScreen:
    """Draws a `ViewState` on the alternate screen; what was on the terminal comes back at the end."""

    def __init__(self, console: Console, state: ViewState, palette: Palette) -> None:
        self.notice = ""
        """What else to say, such as that nothing comes."""
        self._console = console
        self._state = state
        self._palette = palette
        self._live = Live(
            View([]),
            console=console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._due_s = 0.0

    def __enter__(self) -> LiveScreen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self) -> None:
        """Draw, if the last drawing is old enough."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + 1 / REFRESH_HZ
        size = self._console.size
        view = draw(self._state, self._palette, size.width, size.height, notice=self.notice)
        self._live.update(view, refresh=True)
