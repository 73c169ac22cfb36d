"""What every worker process has: its sockets, its state once a second, and a stop flag set by signals."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Iterator

import psutil

from models.stages import Stage
from stream.bus import Inbox, Publisher, Received
from stream.clock import now_ns
from stream.config import Config, Source
from stream.messages import AnyMessage, End, MessageError, ReadCounts, State, WorkerState
from stream.windows import NS_PER_S, seconds_to_ns
from workers.heap import Heap
from workers.liveness import BUSY_LIMIT_S
from workers.recycling import Recycling
from workers.service_manager import ServiceManager
from workers.table import WorkerProcess, published, reader_count, served_sources

_STATE_PERIOD_NS = NS_PER_S
# Where nothing may be lost, longer than the slowest of many readers takes to load on a busy machine.
_READERS_TIMEOUT_S = {"realtime": 60.0, "lossless": 600.0}
_STATE_READER_TIMEOUT_S = 60.0
_LEVELS: dict[State, int] = {"failed": logging.ERROR, "lost": logging.WARNING, "restarting": logging.WARNING}


class Worker:
    """The process a worker's `main` runs in.

    Args:
        process: Which worker it is.
        config: What the daemon was told.
        logger: Where its events go.
        supervised: Whether a supervisor listens to what it says of itself.
    """

    def __init__(
        self, process: WorkerProcess, config: Config, logger: logging.Logger, *, supervised: bool = False
    ) -> None:
        self.process = process
        self.config = config
        self.log = logger
        self.stop = threading.Event()
        self.reload = threading.Event()
        """Set by SIGHUP: read again what can change while running."""
        self.inbox = Inbox(config.run_folder, lossless=config.pace == "lossless")
        self.counters: Counter[str] = Counter()
        """What this worker counts beside messages, by name."""
        self._sent: Counter[str] = Counter()
        self._ended: set[str] = set()
        self._publishers: dict[tuple[str, str], Publisher] = {}
        self._state_out = Publisher(config.run_folder, "state", process.id)
        self._state: tuple[State, str] = ("loading", "")
        self._state_readers = 2 if supervised else 1
        self._state_due_ns = 0
        self._memory = psutil.Process()
        self._heap = Heap()
        self._manager = ServiceManager()

    @property
    def source(self) -> Source:
        """The source this worker serves (one that serves a single source)."""
        assert self.process.source is not None
        return self.config.source(self.process.source)

    def catch_signals(self) -> None:
        """Stop cleanly on SIGTERM and SIGINT, reload on SIGHUP."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        signal.signal(signal.SIGINT, lambda *_: self.stop.set())
        signal.signal(signal.SIGHUP, lambda *_: self.reload.set())

    def subscribe(self) -> None:
        """Join the topics of this worker's row; call it once the models are loaded.

        Its own readers come first: what follows from the first message must find them there.
        """
        self._await_readers()
        for topic, source in self._topics_in():
            self.inbox.subscribe(topic, [source])
        self.state("ready")

    def publish(self, topic: str, message: AnyMessage) -> None:
        """Publish `message` on `topic` of its source."""
        self._publisher(topic, message.source).send(message, self.stop, self.heartbeat)
        if isinstance(message, End):
            self._ended.add(topic)
        self._sent[f"{topic}.{message.source}"] += 1

    def wait_for_readers(self) -> None:
        """Bind this worker's topics and wait for their readers, so that a device opens after they loaded."""
        self.state("ready", "waiting for readers")
        self._await_readers()

    def messages(self) -> Iterator[Received]:
        """Yield what comes in until every topic of every source has ended, or the worker is to stop."""
        open_topics = set(self._topics_in())
        while open_topics and not self.stop.is_set():
            self.heartbeat()
            for received in self.inbox.receive(timeout_s=0.2):
                self.heartbeat()  # a backlog can take long
                yield received
                if isinstance(received.message, End):
                    open_topics.discard((received.topic, received.message.source))

    def run_stage(
        self, stage: Stage, topic: str, detail: str = "", recycling: Recycling | None = None
    ) -> None:
        """Publish on `topic` what `stage` makes of all that comes in, until every source has ended.

        Raises:
            RestartError: `recycling` asks for a new process. It is not asked at `pace: lossless`, where
                nothing may be lost on the way.
        """
        for received in self.messages():
            self.running(detail)
            try:
                made = stage.accept(received.message, received.dropped)
            except MessageError as error:
                self.refuse(received, error)
                continue
            for message in made:
                self.publish(topic, message)
            if recycling is not None and self.config.pace == "realtime":
                recycling.check()

    def refuse(self, received: Received, error: MessageError) -> None:
        """Count and log a message that cannot be used."""
        self.counters[f"{received.topic}_refused"] += 1
        self.log.warning("%s of %s refused: %s", received.topic, received.message.source, error)

    def fail(self, why: str) -> None:
        """Say that this worker cannot go on, and tell the readers of its topics that nothing will come."""
        self.state("failed", why)
        if self.process.source is None:
            return
        for topic, source in self._topics_in():
            self.inbox.subscribe(topic, [source])
        self._await_readers()
        # Said again: a worker that fails at once has said it before anybody listened.
        self._state_out.wait_for_readers(self._state_readers, self.stop, _STATE_READER_TIMEOUT_S)
        self._state_due_ns = 0
        self.heartbeat()
        for topic in set(self.process.row.writes) - self._ended:
            self.publish(topic, End(source=self.process.source, time_ns=now_ns(), why=why))
        self._await_writers()

    def running(self, detail: str = "") -> None:
        """Say that work is under way, if that is news."""
        if self._state[0] != "running":
            self.state("running", detail)

    def state(self, state: State, detail: str = "") -> None:
        """Say at once what this worker is doing now."""
        if (state, detail) != self._state:
            text = f"{state}: {detail}" if detail else state
            self.log.log(_LEVELS.get(state, logging.INFO), "%s", text)
            self._manager.status(text)
        self._state = (state, detail)
        self._state_due_ns = 0
        self.heartbeat()
        if state in ("ready", "running"):
            self._manager.ready()

    def heartbeat(self) -> None:
        """Publish the state when it is due; call it at least every few hundred milliseconds."""
        now = now_ns()
        if now < self._state_due_ns:
            return
        self._state_due_ns = now + _STATE_PERIOD_NS
        self._manager.alive()
        self._heap.give_back()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        reads = self.inbox.counts()
        self._state_out.send(
            WorkerState(
                source=self.process.source or "",
                time_ns=now,
                worker=self.process.row.name,
                state=self._state[0],
                detail=self._state[1],
                pid=os.getpid(),
                sent=dict(self._sent),
                reads=reads,
                counters={**self.counters, **_malformed(reads)},
                cpu_s=usage.ru_utime + usage.ru_stime,
                rss_bytes=self._memory.memory_info().rss,
            )
        )

    def close(self) -> None:
        """Close every socket, once the readers have taken what was sent to the end of a topic."""
        self._manager.allow(BUSY_LIMIT_S)
        self.inbox.close()
        for publisher in self._publishers.values():
            publisher.await_end(self.stop)
        for publisher in (*self._publishers.values(), self._state_out):
            publisher.close(abandon=self.stop.is_set())

    def _await_readers(self) -> None:
        # What is loaded by now stays. Without this every full garbage collection would go through all of it,
        # and hold up the work for tens of milliseconds.
        gc.collect()
        gc.freeze()
        deadline_ns = now_ns() + seconds_to_ns(_READERS_TIMEOUT_S[self.config.pace])
        for topic, source in self._topics_out():
            publisher = self._publisher(topic, source.name)
            count = reader_count(self.config, topic, source)
            while not publisher.wait_for_readers(count, self.stop, timeout_s=0.2) and not self.stop.is_set():
                self.heartbeat()
                if now_ns() > deadline_ns:
                    self.log.warning("not every reader of %s has joined; going on without", topic)
                    break

    def _await_writers(self) -> None:
        """Stay until every writer of this worker's topics has begun: it waits for all its readers to join."""
        silent = set(self._topics_in())
        while silent and not self.stop.is_set():
            self.heartbeat()
            silent -= {(each.topic, each.message.source) for each in self.inbox.receive(timeout_s=0.2)}

    def _topics_in(self) -> list[tuple[str, str]]:
        """Return (topic, source) of everything this worker reads."""
        return [
            (topic, source.name)
            for topic in self.process.row.reads
            for source in self._sources()
            if published(self.config, topic, source)
        ]

    def _topics_out(self) -> list[tuple[str, Source]]:
        """Return (topic, source) of everything this worker publishes for other workers."""
        return [
            (topic, source)
            for topic in self.process.row.writes
            for source in self._sources()
            if reader_count(self.config, topic, source)
        ]

    def _sources(self) -> list[Source]:
        served = served_sources(self.config, self.process.row)
        return [source for source in served if self.process.source in (None, source.name)]

    def _publisher(self, topic: str, source: str) -> Publisher:
        key = (topic, source)
        if key not in self._publishers:
            lossless = self.config.pace == "lossless"
            self._publishers[key] = Publisher(self.config.run_folder, topic, source, lossless=lossless)
        return self._publishers[key]


def _malformed(reads: dict[str, ReadCounts]) -> Counter[str]:
    """Return how many messages could not be read, by topic."""
    counts: Counter[str] = Counter()
    for name, read in reads.items():
        counts[f"{name.split('.', 1)[0]}_malformed"] += read.malformed
    return +counts
