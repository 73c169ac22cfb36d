"""`emostream watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.common import (
    DEFAULT_ENDPOINT,
    EndpointOption,
    KeyOption,
    ServerKeyOption,
    SourceOption,
    check_endpoint,
    interrupt_on_signals,
    out,
)
from workers.live_view import Feed, Palette


def watch(
    endpoint: EndpointOption = DEFAULT_ENDPOINT,
    source: SourceOption = None,
    key: KeyOption = None,
    server_key: ServerKeyOption = None,
    vocabulary: Annotated[
        Path | None, typer.Option("--vocabulary", "-v", help="Vocabulary file to take the colours from.")
    ] = None,
) -> None:
    """Show the live view of a running daemon.

    A bar for each emotion with its smoothed probability, its distance and what face, voice and words each
    say; how much of the window each of them covers and how old it is; the words heard, where the daemon
    publishes them; and rates, latency, drops and gaps. Without a terminal it prints a line a second.
    Ctrl-C ends it.

    [bold]Examples[/]

      emostream watch
      emostream watch --source desk
      emostream watch --endpoint tcp://127.0.0.1:6000
      emostream watch > scores.log
    """
    interrupt_on_signals()
    check_endpoint(endpoint)
    palette = Palette(vocabulary)
    with Feed(out, endpoint, palette, source=source, key=key, server_key=server_key) as feed:
        while True:
            feed.step()
