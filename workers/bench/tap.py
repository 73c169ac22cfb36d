"""Listens in on the features between extractors and inference worker, as one more reader of theirs."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from stream.bus import Inbox
from stream.clock import now_ns
from stream.messages import End, VoiceFeatures
from workers.bench.recording import FEATURE_TOPICS


class Tap(threading.Thread):
    """Notes how old each feature message is when it has come over the bus.

    Start it once the inference worker reads: publishers begin when they have the readers that they expect.
    """

    def __init__(self, run_folder: Path, sources: Sequence[str]) -> None:
        super().__init__(name="tap", daemon=True)
        self.age_ms: dict[str, list[float]] = defaultdict(list)
        """By topic: from the capture of the newest content to when it had come."""
        self._run_folder = run_folder
        self._sources = sources
        self._done = threading.Event()

    def run(self) -> None:
        """Listen until `stop`; an `End` is answered by reading on."""
        inbox = Inbox(self._run_folder)
        for topic in FEATURE_TOPICS:
            inbox.subscribe(topic, self._sources)
        while not self._done.is_set():
            for each in inbox.receive(0.1):
                message = each.message
                nothing = isinstance(message, VoiceFeatures) and not len(message.times_ns)
                if not isinstance(message, End) and not nothing:
                    self.age_ms[each.topic].append((now_ns() - message.time_ns) / 1e6)
        inbox.close()

    def stop(self) -> None:
        """End it."""
        self._done.set()
        self.join()
