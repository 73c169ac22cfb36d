"""The worker table: which processes there are, what each reads and writes, and when it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stream.config import Config, Source, is_loopback
from stream.topics import TOPICS, Plane

SUPERVISOR = "supervisor"
"""Publishes `state` in the place of workers that cannot."""


@dataclass(frozen=True)
class WorkerRow:
    """One row of the table; its code is `workers.<name>.main`."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    per_source: bool
    """One process a source, or one for all."""
    isolated: bool
    """Whether it runs without any network: what touches media and needs none."""
    serves: Callable[[Config, Source], bool]
    """Whether this source needs the worker; one for all sources runs when any does."""
    reaches_out: Callable[[Config], bool] = lambda _: False
    """Whether it has to do with other hosts (an outlet)."""
    forked: bool = False
    """Whether its models take so long to load that it is forked from a process that keeps them; see
    `workers.fork_server`. Its module has a `load` besides `main`."""

    @property
    def outlet(self) -> bool:
        """Whether it only hands on what the others make: it ends with them, and they do without it."""
        return any(TOPICS[topic].plane is Plane.PUBLIC for topic in self.reads)


def _scored(config: Config, source: Source) -> bool:
    return config.features.endpoint is None


def _relayed(config: Config, source: Source) -> bool:
    return config.features.endpoint is not None


def _video(config: Config, source: Source) -> bool:
    return source.has_video and source.remote is None


def _audio(config: Config, source: Source) -> bool:
    return source.has_audio and source.remote is None


def _words(config: Config, source: Source) -> bool:
    return _audio(config, source) and config.transcript.engine != "off"


def _file(config: Config, source: Source) -> bool:
    return source.file is not None


def _remote(config: Config, source: Source) -> bool:
    return source.remote is not None


def _camera(config: Config, source: Source) -> bool:
    return source.camera is not None


def _microphone(config: Config, source: Source) -> bool:
    return source.microphone is not None


def _gateway(config: Config, source: Source) -> bool:
    return config.gateway.enabled and _scored(config, source)


def _mqtt(config: Config, source: Source) -> bool:
    return config.mqtt.enabled and _scored(config, source)


def _lsl(config: Config, source: Source) -> bool:
    return config.lsl.enabled and _scored(config, source)


_FEATURES = ("face", "voice", "text")
_SCORES = ("emotion", "transcript", "health")

# In starting order: readers before what they read, so that nothing is published to nobody.
WORKERS = {
    row.name: row
    for row in (
        #         name           reads                      writes            per source isolated for
        WorkerRow("gateway",     ("face", *_SCORES),        (),               False,     False,  _gateway,
                  lambda config: not config.gateway.loopback),
        WorkerRow("mqtt",        ("emotion", "health"),     (),               False,     False,  _mqtt,
                  lambda config: not is_loopback(config.mqtt.host)),
        WorkerRow("lsl",         ("emotion",),              (),               False,     False,  _lsl,
                  lambda config: config.lsl.scope != "machine"),
        WorkerRow("inference",   _FEATURES,                 _SCORES,          False,     False,  _scored),
        WorkerRow("relay",       _FEATURES,                 (),               False,     False,  _relayed),
        WorkerRow("text",        ("words",),                ("text",),        False,     True,   _words),
        WorkerRow("transcriber", ("pcm",),                  ("words",),       True,      True,   _words,
                  forked=True),
        WorkerRow("voice",       ("pcm",),                  ("voice",),       True,      True,   _audio),
        WorkerRow("face",        ("frame",),                ("face",),        True,      True,   _video),
        WorkerRow("remote",      (),                        _FEATURES,        True,      False,  _remote),
        WorkerRow("media",       (),                        ("frame", "pcm"), True,      True,   _file),
        WorkerRow("camera",      (),                        ("frame",),       True,      False,  _camera),
        WorkerRow("microphone",  (),                        ("pcm",),         True,      False,  _microphone),
    )
}  # fmt: skip


@dataclass(frozen=True)
class WorkerProcess:
    """One process that the configuration calls for."""

    row: WorkerRow
    source: str | None
    """`None` for a worker that serves all sources."""

    @property
    def id(self) -> str:
        """Name of the process, and of its publisher of `state`: `face-desk`, `inference`."""
        return f"{self.row.name}-{self.source}" if self.source else self.row.name


def worker_processes(config: Config) -> list[WorkerProcess]:
    """Return the processes that `config` calls for, in starting order."""
    processes = []
    for row in WORKERS.values():
        served = [source.name for source in config.sources if row.serves(config, source)]
        if row.per_source:
            processes += [WorkerProcess(row, name) for name in served]
        elif served:
            processes.append(WorkerProcess(row, None))
    return processes


def served_sources(config: Config, row: WorkerRow) -> list[Source]:
    """Return the sources that the worker of `row` serves."""
    return [source for source in config.sources if row.serves(config, source)]


def published(config: Config, topic: str, source: Source) -> bool:
    """Return whether any worker publishes `topic` of `source` for other workers."""
    if TOPICS[topic].plane is Plane.PUBLIC:
        return False  # on a socket of its own, for whoever subscribes
    return any(topic in row.writes and row.serves(config, source) for row in WORKERS.values())


def reader_count(config: Config, topic: str, source: Source) -> int:
    """Return how many processes read `topic` of `source` on the bus."""
    if TOPICS[topic].plane is Plane.PUBLIC:
        return 0
    return sum(topic in row.reads and row.serves(config, source) for row in WORKERS.values())
