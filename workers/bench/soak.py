"""Whether the memory of any worker grows while the daemon runs at full load."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from models.demo_clip import demo_clip
from models.media import probe
from stream import HealthMessage, NoMessageError, subscribe
from stream.config import Config
from workers.bench.daemon import is_running
from workers.bench.tables import out, print_machine, table
from workers.cli.common import file_config
from workers.supervisor import Supervisor

_GOAL_MB_H = 1.0


@dataclass(frozen=True)
class Slope:
    """How memory grows, by a straight line through it."""

    mb_h: float
    error_mb_h: float
    """Standard error, as if all points were independent; they are not, so it is too small."""


def soak(
    minutes: Annotated[float, typer.Option(help="How long it runs, after the warm-up.")] = 30.0,
    warm_up: Annotated[float, typer.Option(help="Minutes that are not counted, before.")] = 5.0,
    file: Annotated[Path | None, typer.Option(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """See whether the memory of any worker grows.

    Runs the whole daemon in real time on the demo clip, over and over, and lays a straight line through the
    memory of each worker after a warm-up, in which pools fill that are then used again. The goal is 1 MB an
    hour over half an hour; a shorter run says little.

      python -m workers.bench soak --minutes 30
    """
    print_machine()
    clip = demo_clip() if file is None else file
    with tempfile.TemporaryDirectory() as folder:
        config = _configure(loop(clip, 60 * (minutes + warm_up), Path(folder)))
        grown = _run(config, 60 * warm_up, 60 * minutes)
    found = table(f"{minutes:g} min after {warm_up:g} min", "worker", "from MB", "to MB", "MB an hour", "")
    for worker, points in grown.items():
        slope = slope_of(points)
        ok = "" if slope.mb_h <= _GOAL_MB_H + slope.error_mb_h else f"more than {_GOAL_MB_H:g}"
        ends = (f"{points[0][1]:.1f}", f"{points[-1][1]:.1f}")
        found.add_row(worker, *ends, f"{slope.mb_h:+.1f} ± {slope.error_mb_h:.1f}", ok)
    out.print(found)


def loop(clip: Path, seconds: float, folder: Path) -> Path:
    """Write into `folder` a list that plays `clip` over and over for at least so long; nothing is copied."""
    times = int(seconds // (probe(clip).duration_s or 1.0)) + 2
    (folder / clip.name).symlink_to(clip.absolute())
    file = folder / "loop.ffconcat"
    file.write_text("ffconcat version 1.0\n" + f"file '{clip.name}'\n" * times, encoding="utf-8")
    return file


def slope_of(points: Sequence[tuple[float, float]]) -> Slope:
    """Return the slope of memory in MB over time in seconds, by least squares."""
    hours, memory = np.array(points, np.float64).T * [[1 / 3600], [1]]
    hours -= hours.mean()
    spread = float((hours**2).sum())
    if len(points) < 3 or not spread:
        return Slope(0.0, float("inf"))
    slope = float((hours * memory).sum()) / spread
    rest = memory - memory.mean() - slope * hours
    return Slope(slope, float(np.sqrt((rest**2).sum() / (len(points) - 2) / spread)))


def _configure(clip: Path) -> Config:
    config = file_config(clip, source="loop", name=f"bench-{os.getpid()}")
    endpoint = f"ipc://{config.run_folder / 'public'}"
    return config.model_copy(update={"stream": config.stream.model_copy(update={"endpoint": endpoint})})


def _run(config: Config, warm_up_s: float, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Return, by worker, (time in seconds, memory in MB), once a second after the warm-up."""
    points: dict[str, list[tuple[float, float]]] = {}
    supervisor = Supervisor(config)
    try:
        supervisor.start()
        with subscribe(HealthMessage, endpoint=config.stream.endpoint, timeout_s=0.5) as stream:
            running_since: float | None = None
            while supervisor.step(0):
                message = None
                with contextlib.suppress(NoMessageError):
                    message = next(stream)
                now = time.monotonic()
                if running_since is not None and now > running_since + warm_up_s + seconds:
                    break
                if message is None or not is_running(message):
                    continue
                running_since = running_since or now
                if now > running_since + warm_up_s:
                    for worker in message.workers:
                        points.setdefault(worker.worker, []).append((now - running_since, worker.rss_mb))
    finally:
        supervisor.stop()
        shutil.rmtree(config.run_folder, ignore_errors=True)
    return points
