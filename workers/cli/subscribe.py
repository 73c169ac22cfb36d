"""`emostream subscribe`."""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Annotated

import msgspec
import typer

from stream.client import Gap, NoMessageError
from stream.client import subscribe as open_subscription
from stream.public import EmotionMessage, HealthMessage, PublicMessage, TranscriptMessage, public_topic
from workers.cli.common import (
    DEFAULT_ENDPOINT,
    EndpointOption,
    KeyOption,
    ServerKeyOption,
    SourceOption,
    check_endpoint,
    err,
    interrupt_on_signals,
)


class Kind(str, Enum):
    """Which messages."""

    EMOTION = "emotion"
    TRANSCRIPT = "transcript"
    HEALTH = "health"
    ALL = "all"


_TYPES: dict[Kind, tuple[type[PublicMessage], ...]] = {
    Kind.EMOTION: (EmotionMessage,),
    Kind.TRANSCRIPT: (TranscriptMessage,),
    Kind.HEALTH: (HealthMessage,),
    Kind.ALL: (EmotionMessage, TranscriptMessage, HealthMessage),
}


def subscribe(
    *,
    endpoint: EndpointOption = DEFAULT_ENDPOINT,
    source: SourceOption = None,
    key: KeyOption = None,
    server_key: ServerKeyOption = None,
    kind: Annotated[Kind, typer.Option("--kind", "-k", help="Which messages.")] = Kind.EMOTION,
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", min=1, help="Stop after so many messages.", show_default=False),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            "-t",
            min=0.01,
            help="Stop when nothing comes for so many seconds.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the messages of a running daemon as JSON lines.

    Whatever the daemon's own encoding is, a line is one message as docs/protocol.md describes it. With
    `--kind all` a line is {"topic": ..., "message": ...}. Messages that were lost on the way are reported on
    standard error.

    Exit status: 0 after `--count` messages or when the reader goes away, 1 when nothing came for `--timeout`
    seconds, 130 after Ctrl-C.

    [bold]Examples[/]

      emostream subscribe --count 1 | jq
      emostream subscribe | jq -r '.emotions | max_by(.smoothed) | .name'
      emostream subscribe --kind transcript --source desk
      emostream subscribe --endpoint tcp://HOST:5557 --key laptop.key --server-key KEY
      emostream subscribe --kind all --timeout 5 > session.jsonl
    """
    interrupt_on_signals()
    check_endpoint(endpoint)
    messages = open_subscription(
        *_TYPES[kind],
        endpoint=endpoint,
        source=source,
        timeout_s=timeout,
        on_gap=_report_gap,
        key=key,
        server_key=server_key,
    )
    with messages:
        try:
            for number, message in enumerate(messages, 1):
                _write(message, with_topic=kind is Kind.ALL)
                if number == count:
                    return
        except NoMessageError as error:
            err.print(f"[bold red]error:[/] {error}", soft_wrap=True)
            raise typer.Exit(1) from error
        except BrokenPipeError:
            # The interpreter flushes standard output once more when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(message: PublicMessage, *, with_topic: bool) -> None:
    content = {"topic": public_topic(message), "message": message} if with_topic else message
    sys.stdout.write(msgspec.json.encode(content).decode() + "\n")
    sys.stdout.flush()


def _report_gap(gap: Gap) -> None:
    what = "1 message" if gap.missed == 1 else f"{gap.missed} messages"
    err.print(f"gap: {what} of {gap.topic} missed after seq {gap.after_seq}", soft_wrap=True)
