"""Times of another host land on the clock here: within its fastest trip, in order, whatever the network does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.messages import AnyMessage, Face, FaceFeatures, TextFeatures, TextUtterance, VoiceFeatures, Word
from stream.remote_clock import RemoteClock, shifted

MS = 1_000_000
S = 1000 * MS
AHEAD_NS = 5 * 3600 * S  # the sender has been up for so much longer


@settings(max_examples=30)
@given(st.lists(st.integers(0, 200 * MS), min_size=45, max_size=45), st.integers(0, 5 * MS))
def test_the_difference_is_found_within_the_fastest_trip_and_time_never_runs_backwards(delays, trip_ns):
    clock, before = RemoteClock(), None
    found = None
    for number, delay in enumerate(delays):
        here = 10 * S + number * 33 * MS
        found = clock.observe(here + AHEAD_NS, here + trip_ns + delay)
        if found is not None:
            placed = here + AHEAD_NS + found
            assert before is None or placed > before
            before = placed
    assert found is not None
    assert found + AHEAD_NS >= trip_ns + min(delays)


def test_nothing_is_said_in_the_first_second():
    clock = RemoteClock()
    assert clock.observe(AHEAD_NS, 0) is None
    assert clock.observe(AHEAD_NS + S // 2, S // 2) is None
    assert clock.observe(AHEAD_NS + S, S + MS) == -AHEAD_NS


def test_clocks_that_drift_apart_are_followed():
    clock, drift = RemoteClock(), 50e-6
    for number in range(20 * 600):
        here = number * 50 * MS
        found = clock.observe(round(here * (1 + drift)) + AHEAD_NS, here + MS)
    assert found is not None
    assert abs(found + AHEAD_NS + round(here * drift)) < 5 * MS


def test_a_clock_that_was_suspended_is_found_again_at_once():
    clock = RemoteClock()
    for number in range(100):
        clock.observe(number * 50 * MS + AHEAD_NS, number * 50 * MS)
    found = clock.observe(100 * 50 * MS + AHEAD_NS + 60 * S, 100 * 50 * MS)
    assert found == -AHEAD_NS - 60 * S


WORD = Word(text="week", start_ns=10, end_ns=20, confidence=1.0)
VECTOR = np.ones(2, np.float32)
FACE = FaceFeatures(
    source="desk",
    time_ns=30,
    spec="face@1",
    through_ns=40,
    faces=[Face(track=1, box=(0, 0, 1, 1), vector=VECTOR)],
)
VOICE = VoiceFeatures(
    source="desk",
    time_ns=30,
    spec="voice@1",
    times_ns=np.array([10, 20]),
    vectors=np.stack([VECTOR] * 2),
    speech=VECTOR,
)
TEXT = TextFeatures(
    source="desk",
    time_ns=30,
    spec="text@1",
    utterances=[TextUtterance(id=1, final=True, words=[WORD], vectors=VECTOR[None])],
)


@pytest.mark.parametrize("message", [FACE, VOICE, TEXT], ids=lambda message: type(message).__name__)
def test_every_time_in_a_message_is_moved_and_nothing_else(message: AnyMessage):
    there = times(message)
    moved = shifted(message, 1000)
    assert times(moved) == [time + 1000 for time in there]
    assert times(shifted(moved, -1000)) == there


def times(message: object) -> list[int]:
    """Return every number in fields that end in `_ns`, in order."""
    found: list[int] = []
    for name in getattr(message, "__struct_fields__", ()):
        value = getattr(message, name)
        if name.endswith("_ns"):
            found += np.atleast_1d(value).tolist()
        elif isinstance(value, list):
            found += [time for part in value for time in times(part)]
    return found
