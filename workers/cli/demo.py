"""`emostream demo`."""

from __future__ import annotations

import math
import os
import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from models.assets import AssetError, asset_status, find_asset, group_members
from models.cache import writing_cache
from models.demo_clip import demo_clip
from models.media import probe
from stream.config import Config
from stream.public import PublicMessage
from stream.run_folder import make_private
from stream.vocabulary import load_vocabulary
from workers.cli.common import VocabularyOption, err, file_config, interrupt_on_signals, out
from workers.cli.demo_summary import DemoSummary
from workers.cli.worker_log import logging_to, show_complaints
from workers.live_view import Feed, Palette, Picture
from workers.supervisor import Supervisor

_EXIT_INTERRUPTED = 130
_GRACE_S = 90.0


def demo(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A media file of your own, instead of the demo clip.", metavar="[FILE]", show_default=False
        ),
    ] = None,
    vocabulary: VocabularyOption = None,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", help="Also save the view at its fullest as an SVG.", metavar="FILE.svg"),
    ] = None,
) -> None:
    """Run the whole daemon on a clip, with the live view.

    Every worker runs as a process of its own, in real time, as with a camera and a microphone; the view reads
    the public stream, as your own program would. At the end it says how many windows were scored, how long
    scores took from capture, and what was dropped. Needs the assets: `emostream assets fetch --group demo`.

    Exit status: 0, or 1 when no window was scored or a worker failed.

    [bold]Examples[/]

      emostream demo
      emostream demo interview.mp4 --vocabulary meeting
      emostream demo --picture docs/live-view.svg
    """
    interrupt_on_signals()
    _check_assets()
    clip = demo_clip() if file is None else file
    duration_s = probe(clip).duration_s or math.inf
    config = _configure(clip, "demo" if file is None else "", vocabulary)
    load_vocabulary(Path(config.vocabulary))
    with writing_cache() as cache:
        log = cache / "demo.log"
        log.unlink(missing_ok=True)
        log.touch()
    out.print(f"{clip.name}: starting the workers (their log: {log})", soft_wrap=True)
    summary = DemoSummary()
    status = _play(config, duration_s, log, summary, picture)
    out.print(summary.table())
    if status == 0 and not summary.scored:
        err.print("[bold red]error:[/] no window was scored", soft_wrap=True)
        status = 1
    if status == 1:
        show_complaints(log)
    raise typer.Exit(status)


def _check_assets() -> None:
    """Say at once everything that is missing, not one worker after the other.

    Raises:
        AssetError: an asset that the demo needs has not been fetched.
    """
    missing = [
        name
        for name in group_members("demo")
        if asset_status(name).path is None and find_asset(name).optional is None
    ]
    if missing:
        raise AssetError(
            f"assets not fetched yet: {', '.join(missing)}; run `emostream assets fetch --group demo`"
        )


def _configure(clip: Path, source: str, vocabulary: str | None) -> Config:
    config = file_config(
        clip,
        source=source,
        name=f"demo-{os.getpid()}",
        vocabulary=vocabulary,
        stream={"publish_transcript": True},
        baseline={"enabled": True},
    )
    return config.published_at(f"ipc://{config.run_folder / 'public'}")


def _play(config: Config, duration_s: float, log: Path, summary: DemoSummary, picture: Path | None) -> int:
    """Run the daemon to the end of its source and show what it says; return the exit status."""
    palette = Palette(Path(config.vocabulary))
    shot = Picture(palette)

    def take(message: PublicMessage) -> None:
        summary.take(message)
        if picture is not None:
            shot.consider(feed.state)

    with log.open("ab") as log_file, logging_to(log):
        supervisor = Supervisor(config, log_file=log_file)
        started = time.process_time(), time.monotonic()
        # A worker that dies again and again would keep the others waiting for ever.
        deadline_s = started[1] + duration_s + _GRACE_S
        try:
            make_private(config.run_folder)
            with Feed(out, config.stream.endpoint, palette, on_message=take) as feed:
                supervisor.start()
                while supervisor.step(0) and time.monotonic() < deadline_s:
                    feed.step("the workers are loading their models")
                while feed.step():
                    pass
                summary.missed = feed.state.missed
        except KeyboardInterrupt:
            return _EXIT_INTERRUPTED
        finally:
            supervisor.stop()
            shutil.rmtree(config.run_folder, ignore_errors=True)
            summary.view_cores = (time.process_time() - started[0]) / (time.monotonic() - started[1])
    if time.monotonic() > deadline_s:
        err.print("[bold red]error:[/] the workers did not come to the end of the clip")
        return 1
    if picture is not None and summary.scored:
        shot.save(picture)
    return supervisor.exit_code
