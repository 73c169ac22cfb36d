"""A neutral point is the mean of the first seconds of evidence, and follows what is near it from then on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.learning import Learner
from models.baseline.points import NeutralPoint
from models.timelines import ModalityWindow
from stream.messages import Float32Array
from stream.windows import NS_PER_S, Window

HOP_S = 0.1
MS = NS_PER_S // 1000


def learner(seconds: float = 1.0, follow_s: float = 0.0, point: NeutralPoint | None = None) -> Learner:
    return Learner(seconds=seconds, hop_s=HOP_S, follow_s=follow_s, reach=0.05, point=point)


def window(newest_ms: float | None, coverage: float = 1.0) -> ModalityWindow:
    newest_ns = None if newest_ms is None else round(newest_ms * MS)
    bins = Window(np.zeros((1, 1), np.float32), np.ones(1, np.float32), newest_ns)
    return ModalityWindow(bins, coverage, dropped=0, pending_ns=0, why=None, subject=0)


def cosines(*values: float) -> Float32Array:
    return np.array(values, np.float32)


def test_it_learns_for_as_many_seconds_as_it_was_told() -> None:
    learning = learner(seconds=1.0)
    left = []
    for hop in range(10):
        assert learning.point is None
        learning.take(window(100 * (hop + 1)), cosines(0.2, -0.4))
        left.append(learning.seconds_left)
    assert left == pytest.approx([0.9 - 0.1 * hop for hop in range(10)], abs=1e-6)
    assert learning.point is not None
    assert learning.point.cosines == pytest.approx([0.2, -0.4])
    assert learning.point.seconds == pytest.approx(1.0)


def test_windows_without_new_evidence_teach_nothing() -> None:
    learning = learner()
    learning.take(window(100), cosines(0.2))
    for _ in range(50):
        learning.take(window(100), cosines(0.9))
        learning.take(window(None), cosines(0.9))
    assert learning.seconds_left == pytest.approx(0.9)


def test_a_pause_counts_for_no_more_than_a_moment() -> None:
    learning = learner(seconds=10)
    learning.take(window(100), cosines(0.2))
    learning.take(window(60_000), cosines(0.2))
    assert 9.5 < learning.seconds_left < 9.9


def test_full_windows_count_for_more_than_scarce_ones() -> None:
    learning = learner(seconds=0.2)
    learning.take(window(100, coverage=0.1), cosines(0.8))
    learning.take(window(200, coverage=1.0), cosines(0.0))
    assert learning.point is not None
    assert learning.point.cosines[0] == pytest.approx(0.8 * 0.01 / 1.01)


def test_a_known_point_needs_no_learning() -> None:
    known = learner(point=NeutralPoint(cosines(0.1, 0.2), 12.0))
    assert known.seconds_left == 0
    assert known.calibrated
    known.take(window(100), cosines(0.9, 0.9))
    assert known.point is not None
    assert known.point.cosines == pytest.approx([0.1, 0.2])


def test_a_point_follows_what_stays_near_it_and_ignores_what_is_far() -> None:
    near = learner(point=NeutralPoint(cosines(0.0), 8.0), follow_s=2.0)
    far = learner(point=NeutralPoint(cosines(0.0), 8.0), follow_s=2.0)
    for hop in range(200):
        near.take(window(100 * (hop + 1)), cosines(0.02))
        far.take(window(100 * (hop + 1)), cosines(0.6))
    assert near.point is not None
    assert far.point is not None
    assert near.point.cosines[0] == pytest.approx(0.02, abs=1e-3)
    assert far.point.cosines[0] == pytest.approx(0.0, abs=1e-6)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40), st.floats(0, 60))
def test_a_point_stays_between_what_it_was_and_what_it_saw(seen: list[float], follow_s: float) -> None:
    follower = learner(point=NeutralPoint(cosines(0.0), 8.0), follow_s=follow_s)
    for hop, value in enumerate(seen):
        follower.take(window(100 * (hop + 1)), cosines(value))
    assert follower.point is not None
    assert min(0.0, *seen) - 1e-6 <= follower.point.cosines[0] <= max(0.0, *seen) + 1e-6


@given(st.floats(-1, 1, width=32), st.floats(-1, 1, width=32))
def test_nearness_falls_with_distance(a: float, b: float) -> None:
    known = learner(point=NeutralPoint(cosines(0.0), 8.0))
    assert known.nearness(cosines(0.0)) == 1
    assert 0 <= known.nearness(cosines(a)) <= 1
    if abs(a) <= abs(b):
        assert known.nearness(cosines(a)) >= known.nearness(cosines(b))
