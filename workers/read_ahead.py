"""Runs an iterator in a thread, a bounded number of items ahead of its reader."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")

_POLL_S = 0.1


@dataclass(frozen=True)
class _Done:
    error: BaseException | None


@dataclass(frozen=True)
class _Item(Generic[ItemT]):
    value: ItemT


def read_ahead(items: Iterable[ItemT], depth: int) -> Generator[ItemT, None, None]:
    """Yield `items` in order, made in a thread that runs at most `depth` of them ahead.

    What `items` raises is raised here after the items before it. Closing the iterator ends the thread.
    """
    waiting: queue.Queue[_Item[ItemT] | _Done] = queue.Queue(depth)
    closed = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, waiting, closed), name="read-ahead", daemon=True)
    thread.start()
    try:
        while isinstance(entry := waiting.get(), _Item):
            yield entry.value
        if entry.error is not None:
            raise entry.error
    finally:
        closed.set()
        thread.join()


def _fill(
    items: Iterable[ItemT], waiting: queue.Queue[_Item[ItemT] | _Done], closed: threading.Event
) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(waiting, _Item(item), closed):
                return
    except Exception as raised:
        error = raised
    _put(waiting, _Done(error), closed)


def _put(
    waiting: queue.Queue[_Item[ItemT] | _Done], entry: _Item[ItemT] | _Done, closed: threading.Event
) -> bool:
    while not closed.is_set():
        try:
            waiting.put(entry, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False
