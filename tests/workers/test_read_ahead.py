"""Items are made ahead in a thread: in order, no more than allowed, with errors where they belong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from workers.read_ahead import read_ahead


def test_all_items_come_in_order() -> None:
    assert list(read_ahead(iter(range(100)), 4)) == list(range(100))


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("no more")

    ahead = read_ahead(items(), 4)
    assert next(ahead) == 1
    with pytest.raises(LookupError, match="no more"):
        next(ahead)


def test_closing_ends_the_thread_of_an_endless_source() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield made[-1]

    ahead = read_ahead(items(), 4)
    assert [next(ahead), next(ahead)] == [0, 1]
    assert "read-ahead" in {thread.name for thread in threading.enumerate()}
    ahead.close()
    assert "read-ahead" not in {thread.name for thread in threading.enumerate()}
    assert len(made) <= 8
