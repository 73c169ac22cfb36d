"""A subscriber that stops reading, and many that come and go: what that costs the others."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

import numpy as np
import psutil
import zmq

from stream import EmotionMessage, NoMessageError, subscribe
from tests.chaos.figures import Figure
from tests.chaos.scene import scene

_HOP = "window: {hop_s: 0.02}\n"
"""Fifty scores a second: the queue of one that stopped is full within the time watched."""
_CALM_S, _STOPPED_S, _VISITED_S = 40.0, 70.0, 40.0
_VISITORS = 200
_GROWTH_MB = 10.0


class _Listener:
    """A subscriber that keeps up, and notes when each score came and how old it was.

    It is a process of its own: in this one it would wait for those that come and go.
    """

    def __init__(self, endpoint: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_listen, args=(endpoint, self._stop, theirs), daemon=True)
        self._process.start()
        self.scores: list[tuple[float, float, int]] = []
        """When it came, its age in milliseconds, and its number; once it has ended."""

    def end(self) -> None:
        self._stop.set()
        self.scores = self._ours.recv()
        self._process.join()

    def p99_ms(self, begin_s: float, end_s: float) -> float:
        return float(np.percentile([age for at, age, _ in self.scores if begin_s <= at < end_s], 99))


def _listen(endpoint: str, stop: Event, found: Connection) -> None:
    scores = []
    with subscribe(EmotionMessage, endpoint=endpoint, timeout_s=0.2) as stream:
        while not stop.is_set():
            with contextlib.suppress(NoMessageError):
                message = next(stream)
                now_ns = time.monotonic_ns()
                scores.append((now_ns / 1e9, (now_ns - message.time_ns) / 1e6, message.seq))
    found.send(scores)


def crowd() -> list[Figure]:
    """Watch one subscriber beside one that has stopped, and then beside two hundred that come and go."""
    with scene(minutes=6, config=_HOP) as running:
        endpoint = running.daemon.endpoint
        inference = psutil.Process(running.daemon.workers()["inference"].pid)
        listener = _Listener(endpoint)
        running.watch(5)
        times, memory_mb = [time.monotonic()], [_mb(inference)]

        def phase(seconds: float) -> None:
            running.watch(seconds)
            times.append(time.monotonic())
            memory_mb.append(_mb(inference))

        phase(_CALM_S)
        with subscribe(EmotionMessage, endpoint=endpoint, timeout_s=1.0) as stalled:
            first = next(stalled).seq
            phase(_STOPPED_S)
            visits = threading.Thread(target=_visit, args=(endpoint,))
            visits.start()
            phase(_VISITED_S)
            visits.join()
            received, last = 1, first
            until = running.daemon.emotions[-1].seq
            while last < until:
                last = next(stalled).seq
                received += 1
            counted = stalled.missed
        phase(_CALM_S)
        listener.end()
    before, stopped, visited, after = (listener.p99_ms(*span) for span in itertools.pairwise(times))
    lost = last - first + 1 - received
    numbers = [seq for _, _, seq in listener.scores]
    return [
        Figure(
            "messages lost to the one that stopped; counted by it",
            f"{lost}; {counted}",
            "equal",
            lost == counted,
        ),
        Figure("messages lost to the one that keeps up", str(_gaps(numbers)), "0", not _gaps(numbers)),
        _memory("memory of the publisher beside one that stopped", memory_mb[1], memory_mb[2]),
        _memory(f"memory of the publisher beside {_VISITORS} that come and go", memory_mb[2], memory_mb[3]),
        _latency("p99 from score to subscriber beside one that stopped", (before, after), stopped),
        _latency(
            f"p99 from score to subscriber beside {_VISITORS} that come and go", (before, after), visited
        ),
    ]


def _visit(endpoint: str) -> None:
    """Have two hundred subscribers join, read a little, and leave without a word."""
    for _ in range(_VISITORS):
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        socket.subscribe(b"")
        socket.connect(endpoint)
        socket.poll(round(_VISITED_S * 1000 / _VISITORS))
        socket.close(0)


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _gaps(numbers: list[int]) -> int:
    return sum(after - before - 1 for before, after in itertools.pairwise(numbers))


def _memory(what: str, before_mb: float, after_mb: float) -> Figure:
    grown = after_mb - before_mb
    return Figure(what, f"{grown:+.1f} MB, of {after_mb:.0f}", f"≤ {_GROWTH_MB:g} MB", grown <= _GROWTH_MB)


def _latency(what: str, calm_ms: tuple[float, float], now_ms: float) -> Figure:
    """Return the figure of one phase beside those before and after, which tell how far chance goes."""
    before, after = calm_ms
    measured = f"{now_ms:.2f} ms, {before:.2f} and {after:.2f} ms without, before and after"
    return Figure(what, measured, "+ 10 % at most", now_ms <= 1.1 * max(calm_ms))
