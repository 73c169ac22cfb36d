"""Windows are right-aligned, causal, and honest about where there is no evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.windows import NS_PER_S, Ring, SlidingWindow, assemble, next_window_end

END_NS = 10 * NS_PER_S


def window_of(times_s, *, steps=50, rate_hz=10.0):
    times_s = sorted(times_s)
    times_ns = np.array([round(t * NS_PER_S) for t in times_s], np.int64)
    vectors = np.array([[t] for t in times_s], np.float32).reshape(len(times_s), 1)
    return assemble(times_ns, vectors, end_ns=END_NS, steps=steps, rate_hz=rate_hz)


def test_the_newest_vector_lies_in_the_last_bin():
    window = window_of([10.0])
    assert window.mask[-1] == 1
    assert window.values[-1, 0] == 10.0
    assert window.newest_ns == END_NS


def test_a_bin_is_the_mean_of_its_vectors_and_an_empty_one_is_masked_zero():
    window = window_of([9.96, 9.98, 9.75])
    assert window.values[-1, 0] == pytest.approx(9.97)
    assert window.values[-3, 0] == pytest.approx(9.75)
    assert window.mask.tolist() == [0] * 47 + [1, 0, 1]
    assert window.values[-2, 0] == 0


def test_bins_are_open_on_the_left():
    assert window_of([9.9]).mask.tolist() == [0] * 48 + [1, 0]
    assert not window_of([5.0]).mask.any()
    assert window_of([5.001]).mask[0] == 1


def test_without_evidence_there_is_no_newest():
    window = window_of([])
    assert window.newest_ns is None
    assert window.coverage == 0


@given(st.lists(st.floats(0, 20), max_size=60))
def test_nothing_later_than_the_end_enters_and_nothing_inside_is_lost(times_s):
    window = window_of(times_s)
    inside = [round(t * NS_PER_S) for t in times_s if 5 * NS_PER_S < round(t * NS_PER_S) <= END_NS]
    expected = {49 - (END_NS - t) // (NS_PER_S // 10) for t in inside}
    assert set(np.flatnonzero(window.mask)) == expected
    assert window.values.max(initial=0) <= 10.0
    assert 0 <= window.coverage <= 1


@given(st.lists(st.floats(0, 20), max_size=60), st.integers(1, 12))
def test_every_bin_is_the_mean_of_what_lies_in_it(times_s, steps):
    window = window_of(times_s, steps=steps, rate_hz=2.0)
    for place, end_ns in enumerate(END_NS - np.arange(steps)[::-1] * NS_PER_S // 2):
        inside = [t for t in times_s if end_ns - NS_PER_S // 2 < round(t * NS_PER_S) <= end_ns]
        assert window.mask[place] == bool(inside)
        assert window.values[place, 0] == pytest.approx(np.mean(inside) if inside else 0, abs=1e-4)


@given(
    st.lists(st.integers(0, 40), max_size=80),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 7)), min_size=1, max_size=12),
    st.booleans(),
)
def test_a_window_that_slides_is_what_it_would_be_alone(steps_ms, windows, forgets):
    """Windows are asked for before all of their evidence has come, and at any distance from each other.

    What none of them will show any more may be forgotten.
    """
    sliding = SlidingWindow(1, 20 * NS_PER_S, steps=5, rate_hz=100.0)
    times_ns = np.cumsum(np.array(steps_ms, np.int64)) * 1_000_000
    came, end_ns, before = 0, 0, None
    for more, hop in windows:
        for time_ns in times_ns[came : came + more].tolist():
            sliding.ring.append(time_ns, np.array([time_ns], np.float32))
        came += more
        end_ns += hop * 5_000_000
        found = sliding.window(end_ns)
        if forgets:
            sliding.ring.forget(end_ns - 50_000_000)
        known = times_ns[:came]
        alone = assemble(known, known[:, None].astype(np.float32), end_ns=end_ns, steps=5, rate_hz=100.0)
        np.testing.assert_array_equal(found.values, alone.values)
        np.testing.assert_array_equal(found.mask, alone.mask)
        assert found.newest_ns == alone.newest_ns
        if found.moved is not None and before is not None:
            key, new = found.moved
            assert key is before.key
            np.testing.assert_array_equal(found.values[:-new], before.values[new:])
        before = found


@given(st.lists(st.integers(0, 40_000_000), max_size=400), st.integers(1, 3 * NS_PER_S))
def test_a_ring_holds_exactly_its_horizon(steps_ns, horizon_ns):
    ring = Ring(2, horizon_ns)
    times: list[int] = []
    for step in steps_ns:
        times.append((times[-1] if times else 0) + step)
        ring.append(times[-1], np.full(2, times[-1], np.float32))
    kept = [t for t in times if t > times[-1] - horizon_ns] if times else []
    assert ring.times_ns.tolist() == kept
    np.testing.assert_array_equal(ring.vectors[:, 0], np.array(kept, np.float32))


def test_a_ring_refuses_time_running_backwards_and_other_dimensions():
    ring = Ring(2, NS_PER_S)
    ring.append(5, np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="backwards"):
        ring.append(4, np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="broadcast"):
        ring.append(6, np.zeros(3, np.float32))


@given(st.integers(0, 1 << 60), st.integers(1, 10 * NS_PER_S))
def test_windows_end_on_the_grid_after_now(time_ns, hop_ns):
    end_ns = next_window_end(time_ns, hop_ns)
    assert end_ns % hop_ns == 0
    assert 0 < end_ns - time_ns <= hop_ns
