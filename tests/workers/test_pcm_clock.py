"""Audio blocks get steady capture times from unsteady deliveries."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workers.pcm_clock import BLOCK_NS, PcmClock

_MS = 1_000_000
_late_ms = st.lists(st.integers(0, 90), min_size=30, max_size=200)


def _stamps(delivered_ns: list[int]) -> list[int]:
    clock = PcmClock()
    return [time for delivered in delivered_ns if (time := clock.stamp(delivered)) is not None]


@given(_late_ms)
def test_times_increase_by_about_a_block_however_late_deliveries_are(late_ms: list[int]) -> None:
    times = _stamps([k * BLOCK_NS + late * _MS for k, late in enumerate(late_ms)])
    assert all(-5 * _MS <= b - a - BLOCK_NS <= _MS / 2 for a, b in pairwise(times))


def test_lateness_now_and_then_does_not_move_the_grid() -> None:
    times = _stamps([k * BLOCK_NS + (40 * _MS if k % 7 == 3 else 0) for k in range(100)])
    assert times == [k * BLOCK_NS for k in range(100 - len(times), 100)]


def test_the_drift_of_a_sound_card_is_followed() -> None:
    slow_ns = BLOCK_NS + BLOCK_NS // 10_000  # 100 ppm
    times = _stamps([k * slow_ns for k in range(5000)])
    assert abs(times[-1] - 4999 * slow_ns) < _MS


def test_a_reported_gap_moves_the_time_at_once() -> None:
    clock = PcmClock()
    for k in range(20):
        clock.stamp(k * BLOCK_NS)
    assert clock.stamp(23 * BLOCK_NS, gap=True) == 23 * BLOCK_NS
    assert clock.stamp(24 * BLOCK_NS) == 24 * BLOCK_NS


def test_a_gap_that_nobody_reports_is_noticed_within_a_second() -> None:
    clock = PcmClock()
    for k in range(40):
        clock.stamp(k * BLOCK_NS)
    times, found = [], []
    for k in range(40, 62):
        times.append(clock.stamp((k + 10) * BLOCK_NS))
        found.append(clock.found_gap)
    assert times[-1] == 71 * BLOCK_NS
    assert sum(found) == 1
