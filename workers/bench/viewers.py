"""What many viewers of the gateway cost: memory, the daemon's latency, and what slow ones lose."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from models.demo_clip import demo_clip
from stream import EmotionMessage, HealthMessage, NoMessageError, subscribe
from stream.config import Config
from stream.public import PublicMessage
from workers.bench.soak import loop
from workers.bench.tables import out, print_machine, table
from workers.cli.common import file_config
from workers.supervisor import Supervisor

_STARTING = 20
"""Windows before everything runs evenly."""


@dataclass
class _Play:
    latency_ms: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    drops: int = 0
    crowd: dict[str, int] = field(default_factory=dict)

    def take(self, message: PublicMessage) -> None:
        if isinstance(message, EmotionMessage):
            if message.latency_ms.capture_to_score is not None:
                self.latency_ms.append(message.latency_ms.capture_to_score)
        elif isinstance(message, HealthMessage):
            self._take_health(message)

    def _take_health(self, message: HealthMessage) -> None:
        for worker in message.workers:
            if worker.worker == "gateway" and worker.state == "running":
                self.cores.append(worker.cpu)
                self.memory_mb.append(worker.rss_mb)
                self.drops = worker.counters.get("viewer_drops", 0)


def viewers(
    count: Annotated[int, typer.Option(min=1, max=2000, help="Viewers on WebSockets.")] = 500,
    slow: Annotated[int, typer.Option(min=0, help="How many of them never read.")] = 20,
    seconds: Annotated[int, typer.Option(min=5, help="For how long they watch.")] = 60,
) -> None:
    """Find what a crowd on the live stream costs.

    Runs the whole daemon on the demo clip, over and over in real time, three times: with nobody watching,
    with a crowd that comes once scores do, and with nobody again, which tells how far chance goes. The crowd
    is a process of its own on the same machine, so its cost is in the figures.
    """
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        clip = loop(demo_clip(), 2 * seconds, Path(folder))
        plays = [_play(clip, *each, seconds) for each in ((0, 0), (count, slow), (0, 0))]
    watched = plays[1]
    figures = table(f"{count} viewers, {slow} of which never read", "what", "alone", "watched", "alone again")
    for percent in (50, 99):
        figures.add_row(
            f"capture to score, p{percent}",
            *(f"{np.percentile(each.latency_ms[_STARTING:], percent):.1f} ms" for each in plays),
        )
    figures.add_row("gateway, cores", *(f"{np.mean(each.cores[2:]):.2f}" for each in plays))
    for title, place in (("after 10 s", 10), ("at the end", -1)):
        memory = (each.memory_mb[min(place, len(each.memory_mb) - 1)] for each in plays)
        figures.add_row(f"gateway, memory {title}", *(f"{each:.0f} MB" for each in memory))
    figures.add_row("messages that slow viewers lost", "–", str(watched.drops))
    figures.add_row("connections lost", "–", str(watched.crowd["lost"]))
    figures.add_row("bytes, least of a viewer that reads", "–", str(watched.crowd["least_bytes"]))
    figures.add_row("bytes, most of a viewer", "–", str(watched.crowd["most_bytes"]))
    out.print(figures)


def _play(clip: Path, count: int, slow: int, seconds: int) -> _Play:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    gateway = {"enabled": True, "port": port}
    config = file_config(clip, source="loop", name=f"bench-{os.getpid()}", gateway=gateway)
    config = config.published_at(f"ipc://{config.run_folder / 'public'}")
    supervisor = Supervisor(config)
    try:
        supervisor.start()
        return _listen(supervisor, config, (port, count, slow, seconds))
    finally:
        supervisor.stop()
        shutil.rmtree(config.run_folder, ignore_errors=True)


def _listen(supervisor: Supervisor, config: Config, asked: tuple[int, int, int, int]) -> _Play:
    play, crowd, ends_s = _Play(), None, math.inf
    command = [sys.executable, "-m", "workers.bench.crowd", *map(str, asked)]
    kinds = (EmotionMessage, HealthMessage)
    with subscribe(*kinds, endpoint=config.stream.endpoint, timeout_s=0.1) as stream:
        while supervisor.step(0) and (time.monotonic() < ends_s if crowd is None else crowd.poll() is None):
            with contextlib.suppress(NoMessageError):
                play.take(next(stream))
            if play.latency_ms and ends_s == math.inf:
                ends_s = time.monotonic() + asked[3]
                if asked[1]:
                    crowd = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd())
    if crowd is not None:
        play.crowd = json.loads(crowd.communicate(timeout=30)[0])
    return play
