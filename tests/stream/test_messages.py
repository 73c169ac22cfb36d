"""Messages survive the wire; anything else is refused, never decoded into something odd."""

from __future__ import annotations

import contextlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stream.messages import (
    End,
    Face,
    FaceFeatures,
    Frame,
    MessageError,
    Pcm,
    TextFeatures,
    TextUtterance,
    VoiceFeatures,
    Word,
    decode,
    encode,
)

WORD = Word(text="week", start_ns=1, end_ns=2, confidence=0.5)
VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)
MESSAGES = [
    Frame(source="desk", time_ns=1, next_ns=2, image=np.zeros((4, 5, 3), np.uint8)),
    Pcm(source="desk", time_ns=1, samples=np.arange(800, dtype=np.int16)),
    FaceFeatures(
        source="desk",
        time_ns=1,
        through_ns=2,
        spec="face@1",
        faces=[Face(track=3, box=(0.1, 0.2, 0.3, 0.4), vector=VECTORS[0])],
        scored=3,
    ),
    VoiceFeatures(
        source="desk",
        time_ns=1,
        spec="voice@1",
        times_ns=np.array([1, 2]),
        vectors=VECTORS,
        speech=np.ones(2, np.float32),
    ),
    TextFeatures(
        source="desk",
        time_ns=1,
        spec="text@1",
        utterances=[TextUtterance(id=0, final=True, words=[WORD, WORD], vectors=VECTORS)],
    ),
    End(source="desk", time_ns=1, why="end of file"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message):
    arrived = decode(encode(message))
    assert type(arrived) is type(message)
    assert encode(arrived) == encode(message)


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0), elements=st.floats(width=32))
)
def test_an_array_arrives_whole_or_is_refused_for_not_being_finite(vectors):
    message = VoiceFeatures(
        source="desk",
        time_ns=0,
        spec="voice@1",
        times_ns=np.zeros(len(vectors), np.int64),
        vectors=vectors,
        speech=np.zeros(len(vectors), np.float32),
    )
    if np.isfinite(vectors).all():
        arrived = decode(encode(message))
        assert isinstance(arrived, VoiceFeatures)
        np.testing.assert_array_equal(arrived.vectors, vectors)
    else:
        with pytest.raises(MessageError, match="NaN"):
            decode(encode(message))


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_cut_short_is_refused(message, data):
    wire = encode(message)
    length = data.draw(st.integers(0, len(wire) - 1))
    with pytest.raises(MessageError):
        decode(wire[:length])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(MessageError):
        decode(data)


@given(st.sampled_from(MESSAGES), st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_byte_gives_a_message_or_a_message_error(message, place, value):
    wire = bytearray(encode(message))
    wire[place % len(wire)] = value
    with contextlib.suppress(MessageError):
        decode(bytes(wire))


@pytest.mark.parametrize(
    "array",
    [
        ["f4", [1 << 40], b""],
        ["f4", [-1], b""],
        ["f4", [2], b"1234"],
        ["O", [1], b"12345678"],
        ["f4", "x", b""],
        7,
    ],
)
def test_an_array_that_lies_about_its_size_or_type_is_refused(array):
    wire = msgspec.msgpack.encode(
        {"type": "Pcm", "source": "desk", "time_ns": 0, "samples": array, "overflows": 0}
    )
    with pytest.raises(MessageError):
        decode(wire)
