"""Plays recorded feature streams of many sources onto the bus, in real time."""

from __future__ import annotations

import heapq
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from stream.bus import Publisher
from stream.clock import now_ns
from stream.messages import FaceFeatures
from stream.windows import NS_PER_S, seconds_to_ns
from workers.bench.recording import FEATURE_TOPICS, Recording


class Player:
    """Sends each message at the time at which it would have been captured, and remembers when it did.

    Args:
        recording: What is played, over and over; each source begins at another place of it.
        run_folder: Where the daemon's sockets lie.
        sources: Their names.
    """

    def __init__(self, recording: Recording, run_folder: Path, sources: Sequence[str]) -> None:
        self._recording = recording
        self._sources = sources
        self._publishers = {
            (topic, name): Publisher(run_folder, topic, name) for topic in FEATURE_TOPICS for name in sources
        }
        self._first = [number * len(recording.messages) // len(sources) for number in range(len(sources))]
        self._start_ns = 0
        self._due: list[tuple[int, int, int, int]] = []
        """A heap of (when, source, which message, in which round)."""
        self._sent: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        """By topic and source: up to when a message tells what was captured, and when it was sent."""
        self._began: dict[tuple[str, str], list[int]] = defaultdict(list)

    def wait_for_reader(self, go_on: Callable[[], bool]) -> bool:
        """Wait until there is a reader of everything, for as long as `go_on`; return whether there is."""
        never = threading.Event()
        for publisher in self._publishers.values():
            while not publisher.wait_for_readers(1, never, timeout_s=0.2):
                if not go_on():
                    return False
        return True

    def play(self, seconds: float) -> None:
        """Send what falls due in the next `seconds`."""
        if not self._due:
            self._start_ns = now_ns()
            self._due = [
                (self._when(source, first, 0), source, first, 0) for source, first in enumerate(self._first)
            ]
            heapq.heapify(self._due)
        until_ns, last = now_ns() + seconds_to_ns(seconds), len(self._recording.messages) - 1
        while self._due[0][0] < until_ns:
            when_ns, source, index, round_ = self._due[0]
            if (wait_ns := when_ns - now_ns()) > 0:
                time.sleep(wait_ns / NS_PER_S)
            self._send(source, index, round_)
            index, round_ = (0, round_ + 1) if index == last else (index + 1, round_)
            heapq.heapreplace(self._due, (self._when(source, index, round_), source, index, round_))

    def complete_ns(self, source: str, end_ns: int) -> int | None:
        """Return when the last evidence of the window that ends at `end_ns` was sent, if it was."""
        found = []
        for topic in FEATURE_TOPICS:
            through_ns, sent_ns = self._sent[topic, source]
            place = bisect_left(through_ns, end_ns)
            if place == len(through_ns):
                return None
            found.append(sent_ns[place])
        return max(found)

    def began_ns(self, topic: str, source: str) -> list[int]:
        """Return when each message of a topic and source began to be encoded and sent."""
        return self._began[topic, source]

    def close(self) -> None:
        """Close the sockets."""
        for publisher in self._publishers.values():
            publisher.close(abandon=True)

    def _begin(self, source: int, round_: int) -> int:
        """Return when a source's recording begins for the nth time."""
        first_ns = self._recording.messages[self._first[source]][1].time_ns
        return self._start_ns - first_ns + round_ * self._recording.length_ns

    def _when(self, source: int, index: int, round_: int) -> int:
        return self._begin(source, round_) + self._recording.messages[index][1].time_ns

    def _send(self, source: int, index: int, round_: int) -> None:
        name, topic = self._sources[source], self._recording.messages[index][0]
        message = self._recording.shifted(index, name, self._begin(source, round_), round_)
        self._began[topic, name].append(now_ns())
        self._publishers[topic, name].send(message)
        through_ns, sent_ns = self._sent[topic, name]
        through_ns.append(message.through_ns if isinstance(message, FaceFeatures) else message.time_ns)
        sent_ns.append(now_ns())
