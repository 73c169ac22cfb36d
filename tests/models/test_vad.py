"""Voice activity: what it hears as speech, and that how audio is cut makes no difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.extractors.vad import WINDOW, StreamingVad, Vad
from models.media import read_audio
from stream.messages import Int16Array


@pytest.fixture(scope="module")
def model(asset: Callable[[str], Path]) -> Path:
    return asset("silero-vad")


@pytest.fixture(scope="module")
def speech(asset: Callable[[str], Path]) -> Int16Array:
    return read_audio(asset("beckett"))[:48_000]


@pytest.fixture(scope="module")
def whole(model: Path, speech: Int16Array) -> list[float]:
    return StreamingVad(model).accept(speech)


def test_speech_is_told_from_silence_and_noise(model: Path, speech: Int16Array, whole: list[float]) -> None:
    noise = np.random.default_rng(0).normal(0, 300, len(speech)).astype(np.int16)
    assert np.mean(np.array(whole) > 0.5) > 0.4
    assert max(StreamingVad(model).accept(np.zeros_like(speech))) < 0.3
    assert np.mean(StreamingVad(model).accept(noise)) < 0.3


def test_one_probability_a_whole_window(model: Path, speech: Int16Array) -> None:
    vad = StreamingVad(model)
    assert vad.accept(speech[: WINDOW - 1]) == []
    assert len(vad.accept(speech[WINDOW - 1 : WINDOW])) == 1
    assert len(vad.accept(speech[WINDOW : 3 * WINDOW + 7])) == 2


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 48_000), max_size=8))
def test_cutting_the_audio_makes_no_difference(
    model: Path, speech: Int16Array, whole: list[float], cuts: list[int]
) -> None:
    vad = StreamingVad(model)
    pieces = np.split(speech, sorted(cuts))
    assert [probability for piece in pieces for probability in vad.accept(piece)] == whole


def test_reset_starts_a_new_stream(model: Path, speech: Int16Array, whole: list[float]) -> None:
    vad = StreamingVad(model)
    vad.accept(speech[:10_000])
    vad.reset()
    assert vad.accept(speech) == whole


def test_a_window_of_another_length_is_refused(model: Path) -> None:
    with pytest.raises(ValueError, match="512 samples at a time"):
        Vad(model).probability(np.zeros(480, np.int16))


def test_another_network_is_refused(asset: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match=r"no Silero VAD v6 model.*input_ids"):
        Vad(asset("minilm-l6") / "model.onnx")
