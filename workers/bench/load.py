"""The real inference worker under the load of many sources, and what became of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from stream import EmotionMessage, HealthMessage, NoMessageError, subscribe
from stream.clock import now_ns
from stream.config import Camera, Config, Microphone, Source
from stream.errors import UserError
from stream.public import PublicMessage
from workers.bench.player import Player
from workers.bench.recording import Recording
from workers.child import worker_environment

_START_TIMEOUT_S = 120.0
_HEALTH_TIMEOUT_S = 15.0


class LoadError(UserError):
    """The inference worker could not be put under load."""


@dataclass
class Load:
    """What the inference worker did while it was measured."""

    sources: int
    seconds: float
    windows: int = 0
    missed: int = 0
    """Windows that were skipped, or scored in messages that did not arrive."""
    dropped: int = 0
    """Feature messages that were lost on the way."""
    latency_ms: list[float] = field(default_factory=list)
    """From when a window had ended and all its evidence had been sent to when it was scored."""
    to_subscriber_ms: list[float] = field(default_factory=list)
    """The same, to when its score was received."""
    since_end_ms: list[float] = field(default_factory=list)
    """From when a window had ended to when its score was received: with the wait for evidence."""
    cores: float = 0.0
    rss_mb: tuple[float, float] = (0.0, 0.0)
    """Before and after."""
    counts: Counter[str] = field(default_factory=Counter)
    """How far the worker's counters rose."""


def put_under_load(
    recording: Recording, base: Config, sources: int, *, seconds: float, warm_up_s: float
) -> Load:
    """Replay `recording` as so many sources at once into a new inference worker.

    Args:
        recording: Of features.
        base: The configuration but for its sources.
        sources: How many.
        seconds: For how long it is measured.
        warm_up_s: For how long it is not, before; more than the length of a window.

    Raises:
        LoadError: The worker does not start, or ends.
    """
    names = [f"s{number}" for number in range(sources)]
    config = _configure(base, names)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, config.run_folder, ignore_errors=True)
        player = Player(recording, config.run_folder, names)
        stack.callback(player.close)
        worker = stack.enter_context(_inference(config))
        deadline = time.monotonic() + _START_TIMEOUT_S
        if not player.wait_for_reader(lambda: worker.poll() is None and time.monotonic() < deadline):
            raise LoadError("the inference worker did not start; what it logged says why")
        ear = stack.enter_context(_Ear(config.stream.endpoint))
        while not ear.heard:  # the first windows take longest
            if worker.poll() is not None or time.monotonic() > deadline:
                raise LoadError("the inference worker scores nothing; what it logged says why")
            player.play(0.05)
        player.play(warm_up_s)
        before = _Reading(worker, ear, player)
        player.play(seconds)
        after = _Reading(worker, ear, player)
        return _compare(before, after, ear, player, sources)


def _configure(base: Config, names: list[str]) -> Config:
    config = base.model_copy(
        update={
            "name": f"bench-{os.getpid()}",
            "sources": tuple(Source(name=n, camera=Camera(device=0), microphone=Microphone()) for n in names),
        }
    )
    endpoint = f"ipc://{config.run_folder / 'public'}"
    return config.model_copy(update={"stream": config.stream.model_copy(update={"endpoint": endpoint})})


@contextlib.contextmanager
def _inference(config: Config) -> Iterator[psutil.Popen]:
    """Run the inference worker as the supervisor does."""
    file = config.run_folder / "config.json"
    file.write_text(config.model_dump_json())
    command = [sys.executable, "-m", "workers", "inference", "--config", str(file)]
    command += ["--parent", str(os.getpid())]
    process = psutil.Popen(command, stdin=subprocess.DEVNULL, env=worker_environment())
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


class _Ear(threading.Thread):
    """Listens as a subscriber does, and notes when it heard what."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(name="ear", daemon=True)
        self.heard: list[tuple[int, EmotionMessage]] = []
        self.health: HealthMessage | None = None
        self._endpoint = endpoint
        self._done = threading.Event()

    def __enter__(self) -> _Ear:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        kinds = (EmotionMessage, HealthMessage)
        with subscribe(*kinds, endpoint=self._endpoint, timeout_s=0.1) as stream:
            while not self._done.is_set():
                with contextlib.suppress(NoMessageError):
                    self._take(next(stream))

    def _take(self, message: PublicMessage) -> None:
        if isinstance(message, EmotionMessage):
            self.heard.append((now_ns(), message))
        elif isinstance(message, HealthMessage):
            self.health = message


class _Reading:
    """The worker's counters at a moment; they come with its health, once a second, while the load goes on."""

    def __init__(self, worker: psutil.Popen, ear: _Ear, player: Player) -> None:
        asked_ns, deadline = now_ns(), time.monotonic() + _HEALTH_TIMEOUT_S
        while ear.health is None or ear.health.time_ns < asked_ns:
            if worker.poll() is not None or time.monotonic() > deadline:
                raise LoadError("the inference worker ended, or hangs; what it logged says why")
            player.play(0.05)
        self.time_ns = now_ns()
        times = worker.cpu_times()
        self.cpu_s = times.user + times.system
        self.rss_mb = worker.memory_info().rss / 1e6
        states = [each for each in ear.health.workers if each.worker == "inference"]
        self.counts = Counter(states[0].counters if states else {})
        self.dropped = sum(topic.dropped for topic in ear.health.topics)


def _compare(before: _Reading, after: _Reading, ear: _Ear, player: Player, sources: int) -> Load:
    seconds = (after.time_ns - before.time_ns) / 1e9
    load = Load(sources, seconds, cores=(after.cpu_s - before.cpu_s) / seconds)
    load.rss_mb = (before.rss_mb, after.rss_mb)
    load.counts, load.dropped = after.counts - before.counts, after.dropped - before.dropped
    seqs: dict[str, list[int]] = {}
    for received_ns, message in list(ear.heard):
        if not before.time_ns <= received_ns < after.time_ns:
            continue
        seqs.setdefault(message.source, []).append(message.seq)
        end_ns = message.window.end_ns
        load.since_end_ms.append((received_ns - end_ns) / 1e6)
        complete_ns = player.complete_ns(message.source, end_ns)
        if complete_ns is not None:
            due_ns = max(end_ns, complete_ns)
            load.latency_ms.append((message.time_ns - due_ns) / 1e6)
            load.to_subscriber_ms.append((received_ns - due_ns) / 1e6)
    load.windows = sum(map(len, seqs.values()))
    load.missed = sum(each[-1] - each[0] + 1 - len(each) for each in seqs.values())
    return load
