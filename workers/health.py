"""One snapshot of the whole daemon, made of what every worker says of itself."""

from __future__ import annotations

import importlib.metadata
from typing import Literal

from stream.clock import now_ns, wall_time
from stream.config import Config, Source
from stream.messages import ReadCounts, WorkerState
from stream.public import HealthMessage, SourceHealth, StageLatency, TopicHealth, WorkerHealth
from stream.topics import TOPICS, Plane, Topic
from stream.windows import NS_PER_S, seconds_to_ns
from workers.table import WORKERS, published, worker_processes

_SILENT_NS = 5 * NS_PER_S
_CAPTURE = [row.name for row in WORKERS.values() if not row.reads]
_ON_RATE = 0.9


class HealthBoard:
    """Keeps the last two states of every worker and derives rates, liveness and drops from them."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._processes = [(p.row.name, p.source or "") for p in worker_processes(config)]
        self._now: dict[tuple[str, str], WorkerState] = {}
        self._before: dict[tuple[str, str], WorkerState] = {}
        self._sent: dict[str, int] = {}
        self._restarts: dict[tuple[str, str], tuple[int, str | None]] = {}
        """How often each worker was started again, and why the last time."""
        self._since_ns = now_ns()
        self._spoke_ns: dict[str, int] = {}
        """When the count of each `topic.source` last rose."""
        self._seq = 0

    def add(self, state: WorkerState) -> None:
        """Take what a worker, or the supervisor in its place, says."""
        key = (state.worker, state.source)
        before = self._now.get(key)
        if not state.pid:
            self._restarts[key] = (state.counters.get("restarts", 0), state.detail)
            if state.state == "running":
                return  # the worker speaks for itself
        if before is not None:
            if before.state == state.state == "failed" and not state.pid:
                return  # the supervisor knows only that it failed, the worker has said why
            self._before[key] = before
        for topic, count in state.sent.items():
            if count != self._sent.get(topic):
                self._sent[topic] = count
                self._spoke_ns[topic] = state.time_ns
        self._now[key] = state

    def snapshot(
        self,
        *,
        vocabulary: str,
        vocabulary_error: str | None,
        degraded: str | None,
        backend: str,
        latency: list[StageLatency],
        ended: bool,
    ) -> HealthMessage:
        """Return the state of the daemon now."""
        now = now_ns()
        message = HealthMessage(
            name=self._config.name,
            seq=self._seq,
            time_ns=now,
            wall_time=wall_time(now),
            version=importlib.metadata.version("emostream"),
            vocabulary=vocabulary,
            vocabulary_error=vocabulary_error,
            degraded=degraded,
            sources=[SourceHealth(source=s.name, state=self._source(s, ended)) for s in self._config.sources],
            workers=[self._worker(key, now) for key in self._processes],
            topics=[
                self._topic(topic, source)
                for source in self._config.sources
                for topic, row in TOPICS.items()
                if row.plane is not Plane.PUBLIC
                and topic != "state"
                and published(self._config, topic, source)
            ],
            backend=backend,
            latency=latency,
        )
        self._seq += 1
        return message

    def _worker(self, key: tuple[str, str], now: int) -> WorkerHealth:
        worker, source = key
        # Who has never spoken is named too: without a supervisor nobody else would.
        unheard = WorkerState(source=source, time_ns=self._since_ns, worker=worker, state="loading")
        state, before = self._now.get(key, unheard), self._before.get(key)
        restarts, restart_cause = self._restarts.get(key, (0, None))
        silent = now - state.time_ns > _SILENT_NS and state.state not in ("ended", "failed", "restarting")
        cpu = 0.0
        if before is not None and before.pid == state.pid and state.time_ns > before.time_ns:
            cpu = (state.cpu_s - before.cpu_s) / (state.time_ns - before.time_ns) * NS_PER_S
        return WorkerHealth(
            worker=state.worker,
            source=state.source,
            state="silent" if silent else state.state,
            detail=f"silent for {(now - state.time_ns) / NS_PER_S:.0f} s" if silent else state.detail,
            pid=state.pid,
            cpu=round(cpu, 3),
            rss_mb=round(state.rss_bytes / 1e6, 1),
            restarts=restarts,
            restart_cause=restart_cause,
            counters=state.counters if state.pid else {},
        )

    def _topic(self, topic: str, source: Source) -> TopicHealth:
        key = f"{topic}.{source.name}"
        writer = next((worker for worker, state in self._now.items() if key in state.sent), None)
        rate_hz = self._rate_hz(writer, key) if writer else 0.0
        reads = [state.reads.get(key, ReadCounts()) for state in self._now.values()]
        expected_hz = TOPICS[topic].rate_hz
        return TopicHealth(
            topic=topic,
            source=source.name,
            alive=now_ns() - self._spoke_ns.get(key, -_SILENT_NS) <= _alive_ns(TOPICS[topic]),
            on_rate=rate_hz >= _ON_RATE * expected_hz,
            rate_hz=round(rate_hz, 2),
            expected_hz=expected_hz,
            received=sum(read.received for read in reads),
            dropped=sum(read.dropped for read in reads),
        )

    def _rate_hz(self, writer: tuple[str, str], key: str) -> float:
        state, before = self._now[writer], self._before.get(writer)
        if before is None or before.pid != state.pid or state.time_ns <= before.time_ns:
            return 0.0
        if now_ns() - state.time_ns > _SILENT_NS:
            return 0.0
        return (state.sent[key] - before.sent.get(key, 0)) / (state.time_ns - before.time_ns) * NS_PER_S

    def _source(self, source: Source, ended: bool) -> Literal["waiting", "running", "lost", "ended"]:
        states = [
            s.state for (worker, name), s in self._now.items() if name == source.name and worker in _CAPTURE
        ]
        if ended or (states and all(state == "ended" for state in states)):
            return "ended"
        if any(state in ("lost", "failed", "restarting") for state in states):
            return "lost"
        return "running" if "running" in states else "waiting"


def _alive_ns(topic: Topic) -> int:
    # States come once a second, so no silence shorter than two of them can be told from speech.
    return max(2 * NS_PER_S, seconds_to_ns(topic.alive_within_s or 0.0))
