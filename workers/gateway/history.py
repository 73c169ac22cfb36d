"""The scores of the last ten minutes, as they were published."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import islice

import msgspec

from stream.public import EmotionMessage
from stream.windows import NS_PER_S

KEPT_S = 600


class History:
    """Keeps emotion messages, encoded, for `KEPT_S` seconds of each source's own time."""

    def __init__(self) -> None:
        self._sources: dict[str, deque[tuple[int, bytes]]] = {}

    def add(self, message: EmotionMessage) -> bytes:
        """Keep a message; return it as JSON."""
        kept = self._sources.setdefault(message.source, deque())
        if kept and kept[-1][0] > message.time_ns:
            kept.clear()  # another clock: that of a host that was started again
        encoded = msgspec.json.encode(message)
        kept.append((message.time_ns, encoded))
        while kept[0][0] < message.time_ns - KEPT_S * NS_PER_S:
            kept.popleft()
        return encoded

    def since(self, time_ns: int, source: str | None, limit: int) -> list[bytes]:
        """Return the first `limit` messages after `time_ns`, in the order of their times."""
        found: list[tuple[int, bytes]] = []
        for name, kept in self._sources.items():
            if source in (None, name):
                first = bisect_right(kept, time_ns, key=lambda entry: entry[0])
                found += islice(kept, first, first + limit)
        found.sort(key=lambda entry: entry[0])
        return [encoded for _, encoded in found[:limit]]
