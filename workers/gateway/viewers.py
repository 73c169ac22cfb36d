"""Everybody who watches: each gets the newest of everything, however slowly it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

KINDS = ("emotion", "transcript", "health", "face")
DEFAULT_KINDS = KINDS[:3]
_MOST_PENDING = 256


@dataclass(frozen=True)
class Wanted:
    """What a viewer asked for."""

    kinds: frozenset[str] = frozenset(DEFAULT_KINDS)
    source: str | None = None
    """`None` for all."""

    def covers(self, kind: str, source: str | None) -> bool:
        """Return whether a message of this kind, of `source` or of no source, is wanted."""
        return kind in self.kinds and (source is None or self.source in (None, source))


class Viewer:
    """What waits for one viewer: at most one message of each key, the newest."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.dropped = 0
        """Messages that gave way to newer ones before they could be sent."""
        self._pending: dict[str, str] = {}
        self._wake = asyncio.Event()

    def offer(self, key: str, text: str, *, supersedes: bool) -> None:
        """Have `text` sent in place of what still waits under `key`.

        Args:
            key: what the message is about.
            text: the message.
            supersedes: whether the one before is void by now, so that nothing is lost with it.
        """
        if self._pending.pop(key, None) is not None and not supersedes:
            self.dropped += 1
        self._pending[key] = text
        if len(self._pending) > _MOST_PENDING:
            del self._pending[next(iter(self._pending))]
            self.dropped += 1
        self._wake.set()

    async def take(self) -> list[str]:
        """Return everything that waits, oldest first, once there is something."""
        await self._wake.wait()
        self._wake.clear()
        pending, self._pending = self._pending, {}
        return list(pending.values())


class Viewers:
    """All viewers that are there now."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._dropped_before = 0
        self.served = 0
        """How many have ever come."""

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def dropped(self) -> int:
        """Messages that all viewers, also those that have left, were too slow for."""
        return self._dropped_before + sum(viewer.dropped for viewer in list(self._viewers))

    @contextmanager
    def watching(self, wanted: Wanted) -> Iterator[Viewer]:
        """Give a viewer for as long as it watches."""
        viewer = Viewer(wanted)
        self._viewers.add(viewer)
        self.served += 1
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._dropped_before += viewer.dropped

    def wants(self, kind: str) -> bool:
        """Return whether anybody wants messages of this kind."""
        return any(kind in viewer.wanted.kinds for viewer in self._viewers)

    def publish(
        self, kind: str, source: str | None, text: str, *, key: str, supersedes: bool = False
    ) -> None:
        """Offer a message to everybody who wants it; see `Viewer.offer`."""
        for viewer in self._viewers:
            if viewer.wanted.covers(kind, source):
                viewer.offer(key, text, supersedes=supersedes)
