"""A worker that holds too much memory is started anew, but not in the middle of something."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from stream.errors import RestartError
from workers import recycling
from workers.recycling import MemoryCeilingError, Recycling


@pytest.fixture(autouse=True)
def looks_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recycling, "NS_PER_S", 0)


def test_below_the_ceiling_nothing_happens() -> None:
    Recycling("face.memory_ceiling_mb", None).check()


def test_a_ceiling_that_the_models_alone_reach_is_refused_with_one_that_would_do() -> None:
    with pytest.raises(
        MemoryCeilingError, match=r"face\.memory_ceiling_mb = 1: the models alone take \d+ MB"
    ):
        Recycling("face.memory_ceiling_mb", 1)


def test_over_the_ceiling_it_ends_once_nothing_is_open() -> None:
    speaking = True
    ceiling_mb = psutil.Process().memory_info().rss // 1_000_000 + 50
    watch = Recycling("transcript.memory_ceiling_mb", ceiling_mb, lambda: not speaking)
    held = np.ones(20_000_000)
    watch.check()
    speaking = False
    with pytest.raises(RestartError, match=rf"holds \d+ MB, its ceiling is {ceiling_mb} MB") as ended:
        watch.check()
    assert not ended.value.failed
    assert held.any()
