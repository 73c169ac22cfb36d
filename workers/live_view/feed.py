"""Feeds the view from a running daemon's stream, on a screen or line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console

from stream.client import NoMessageError, Subscription, subscribe
from stream.public import EmotionMessage, HealthMessage, PublicMessage, TranscriptMessage
from workers.live_view.lines import LineReport
from workers.live_view.palette import Palette
from workers.live_view.screen import LiveScreen
from workers.live_view.state import ViewState

_POLL_S = 0.1
_SILENT_S = 3.0


class Feed:
    """A subscription to everything a daemon says, and the view that shows it.

    Use it in a `with` block, and call `step` often.
    """

    def __init__(
        self,
        console: Console,
        endpoint: str,
        palette: Palette,
        *,
        source: str | None = None,
        on_message: Callable[[PublicMessage], None] | None = None,
        key: Path | None = None,
        server_key: str | None = None,
    ) -> None:
        self.state = ViewState(only=source)
        self._endpoint = endpoint
        self._on_message = on_message
        self._messages: Subscription[PublicMessage] = subscribe(
            EmotionMessage,
            TranscriptMessage,
            HealthMessage,
            endpoint=endpoint,
            source=source,
            timeout_s=_POLL_S,
            on_gap=self.state.gap,
            key=key,
            server_key=server_key,
        )
        self._view: LiveScreen | LineReport
        self._view_context: AbstractContextManager[object]
        if console.is_terminal:
            self._view = self._view_context = LiveScreen(console, self.state, palette)
        else:
            self._view = LineReport(self.state, lambda line: console.print(line, soft_wrap=True))
            self._view_context = nullcontext()
        self._heard_s = time.monotonic()

    def __enter__(self) -> Feed:
        self._view_context.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._view_context.__exit__(None, None, None)
        self._messages.close()

    def step(self, silent: str = "") -> bool:
        """Take one message, or none within a tenth of a second, and draw; return whether one came.

        Args:
            silent: what to say when nothing has come for a while; by default how to mend it.
        """
        try:
            message = next(self._messages)
        except NoMessageError:
            message = None
        now_s = time.monotonic()
        if message is not None:
            self._heard_s = now_s
            self.state.take(message)
            if self._on_message is not None:
                self._on_message(message)
        quiet_s = now_s - self._heard_s
        self._view.notice = "" if quiet_s < _SILENT_S else silent or self._remedy(quiet_s)
        self._view.show()
        return message is not None

    def _remedy(self, quiet_s: float) -> str:
        which = f" about {self.state.only}" if self.state.only else ""
        return (
            f"nothing has come{which} from {self._endpoint} for {quiet_s:.0f} s: is `emostream run` running, "
            "and does its `stream.endpoint` say the same?"
        )
