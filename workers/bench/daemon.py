"""What the whole daemon costs, and where the time goes between capture and score."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from models.demo_clip import demo_clip
from stream import EmotionMessage, HealthMessage, NoMessageError, subscribe
from stream.clock import now_ns
from stream.config import Config
from stream.public import PublicMessage
from workers.bench.tables import out, print_machine, table
from workers.bench.tap import Tap
from workers.bench.timing import p50_p99
from workers.cli.common import file_config
from workers.supervisor import Supervisor

_STARTING = 10
"""Windows before every modality has come."""


@dataclass
class _Figures:
    windows: int = 0
    face_age_ms: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    inference_ms: list[float] = field(default_factory=list)
    pending_ms: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    cores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rss_mb: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rates_hz: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    dropped: dict[str, int] = field(default_factory=dict)
    to_score_ms: list[float] = field(default_factory=list)
    """From the end of a window."""
    to_subscriber_ms: list[float] = field(default_factory=list)
    """From the score."""
    feature_age_ms: Mapping[str, list[float]] = field(default_factory=dict)
    own_cores: float = 0.0
    """CPU cores of this process: the supervisor, and a subscriber."""

    def take(self, message: PublicMessage) -> None:
        if isinstance(message, EmotionMessage):
            self._take_scores(message)
        elif isinstance(message, HealthMessage) and is_running(message):
            for worker in message.workers:
                self.cores[worker.worker].append(worker.cpu)
                self.rss_mb[worker.worker].append(worker.rss_mb)
            for topic in message.topics:
                self.rates_hz[topic.topic].append(topic.rate_hz)
                self.dropped[topic.topic] = topic.dropped

    def _take_scores(self, message: EmotionMessage) -> None:
        self.windows += 1
        self.to_score_ms.append((message.time_ns - message.window.end_ns) / 1e6)
        self.to_subscriber_ms.append((now_ns() - message.time_ns) / 1e6)
        self.inference_ms.append(message.latency_ms.inference)
        if message.latency_ms.capture_to_score is not None:
            self.latency_ms.append(message.latency_ms.capture_to_score)
        face = message.evidence["face"]
        if face.used and face.age_ms is not None:
            self.face_age_ms.append(face.age_ms)
        for name, evidence in message.evidence.items():
            self.pending_ms[name].append(evidence.pending_ms)


def daemon(
    file: Annotated[Path | None, typer.Argument(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """Play a clip through the whole daemon in real time, and print what it cost.

    Each figure stands beside the goal for two cores. A backlog is what was still being extracted when a
    window was scored. Then the way from capture to score, stage by stage, as one more reader of the features
    sees it.

      python -m workers.bench daemon
    """
    clip = demo_clip() if file is None else file
    print_machine()
    figures = _Figures()
    status = _play(_configure(clip), figures)
    if figures.windows:
        _print(figures, clip)
    raise typer.Exit(status)


def _configure(clip: Path) -> Config:
    config = file_config(clip, name=f"bench-{os.getpid()}")
    return config.published_at(f"ipc://{config.run_folder / 'public'}")


def _play(config: Config, figures: _Figures) -> int:
    supervisor = Supervisor(config)
    tap = Tap(config.run_folder, [source.name for source in config.sources])
    kinds = (EmotionMessage, HealthMessage)
    started = time.process_time(), time.monotonic()
    try:
        supervisor.start()
        with subscribe(*kinds, endpoint=config.stream.endpoint, timeout_s=0.1) as stream:
            running = True
            while running:
                running = supervisor.step(0)
                with contextlib.suppress(NoMessageError):
                    while True:
                        message = next(stream)
                        figures.take(message)
                        if isinstance(message, HealthMessage) and is_running(message) and not tap.ident:
                            tap.start()
    except KeyboardInterrupt:
        return 130
    finally:
        supervisor.stop()
        if tap.ident:
            tap.stop()
        figures.feature_age_ms = tap.age_ms
        figures.own_cores = (time.process_time() - started[0]) / (time.monotonic() - started[1])
        shutil.rmtree(config.run_folder, ignore_errors=True)
    return supervisor.exit_code


def _print(figures: _Figures, clip: Path) -> None:
    found = table(f"{clip.name}, {figures.windows} windows", "what", "measured", "goal on two cores")
    found.add_row("face frames a second", f"{_mean(figures.rates_hz['face']):.1f}", "≥ 15")
    found.add_row("age of face evidence at the score", p50_p99(figures.face_age_ms), "p50 ≤ 80, p99 ≤ 250 ms")
    found.add_row("capture to score, newest evidence", p50_p99(figures.latency_ms), "")
    found.add_row("inference, one window", p50_p99(figures.inference_ms), "")
    for name, pending in figures.pending_ms.items():
        first, second = (np.mean(half) for half in np.array_split(pending[_STARTING:], 2))
        found.add_row(
            f"backlog of {name}, first and second half",
            f"{first:.0f} ms, {second:.0f} ms, at most {max(pending[_STARTING:])} ms",
            "does not grow",
        )
    dropped = ", ".join(f"{count} {topic}" for topic, count in figures.dropped.items() if count)
    found.add_row("dropped", dropped or "nothing", "")
    cores = sum(map(_mean, figures.cores.values())) + figures.own_cores
    found.add_row("CPU cores in all", f"{cores:.2f}", "≤ 1.6")
    out.print(found)
    out.print()
    out.print(_stages(figures))
    workers = table("workers", "worker", "cores", "memory MB")
    for name, each in figures.cores.items():
        workers.add_row(name, f"{_mean(each):.2f}", f"{max(figures.rss_mb[name]):.0f}")
    workers.add_row("supervisor, and a subscriber", f"{figures.own_cores:.2f}", "")
    out.print()
    out.print(workers)


def is_running(message: HealthMessage) -> bool:
    """Return whether every source runs."""
    return all(source.state == "running" for source in message.sources)


def _stages(figures: _Figures) -> Table:
    found = table("from capture to score", "stage", "milliseconds")
    for topic, ages in figures.feature_age_ms.items():
        found.add_row(f"capture to {topic} features, over the bus", p50_p99(ages))
    found.add_row("end of the window to score", p50_p99(figures.to_score_ms))
    found.add_row("of that the model", p50_p99(figures.inference_ms))
    found.add_row("score to subscriber", p50_p99(figures.to_subscriber_ms))
    return found


def _mean(values: list[float]) -> float:
    """Return the mean without the first two, which the start of the clip spoils."""
    return float(np.mean(values[2:] or values or [0.0]))
