"""What was freed between blocks that stay is given back to the system, now and then."""

from __future__ import annotations

import platform

import psutil
import pytest

from workers import heap
from workers.heap import Heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc")


def rss_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def with_holes() -> list[bytearray]:
    """Return blocks that lie far apart in memory; what lay between them is free."""
    blocks = [bytearray(b"x") * 100_000 for _ in range(1000)]
    return blocks[::20]


def test_holes_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_PERIOD_NS", 0)
    Heap().give_back()
    before, kept = rss_mb(), with_holes()
    holding = rss_mb()
    assert holding > before + 50
    Heap().give_back()
    assert rss_mb() < holding - 50
    assert all(block.count(b"x") == 100_000 for block in kept)


def test_it_is_not_done_at_every_call() -> None:
    kept = with_holes()
    holding = rss_mb()
    Heap().give_back()
    assert rss_mb() > holding - 20
    assert kept
