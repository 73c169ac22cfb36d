"""Voice vectors: their layout, their clock, that they are causal, and what they measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.extractors.voice import VoiceExtractor
from models.extractors.voice_layout import RATE_HZ, SPEC, VoiceChunk
from models.media import read_audio
from stream.messages import SAMPLE_RATE_HZ, Float32Array, Int16Array

BIN = SAMPLE_RATE_HZ // RATE_HZ
BIN_NS = 1_000_000_000 // RATE_HZ
NS_PER_SAMPLE = 62_500


@pytest.fixture(scope="module")
def extractor(asset: Callable[[str], Path]) -> VoiceExtractor:
    return VoiceExtractor(asset("silero-vad"))


@pytest.fixture(scope="module")
def speech(asset: Callable[[str], Path]) -> Int16Array:
    return read_audio(asset("beckett"))[: 3 * SAMPLE_RATE_HZ]


@pytest.fixture(scope="module")
def whole(extractor: VoiceExtractor, speech: Int16Array) -> VoiceChunk:
    return hear(extractor, speech)


def hear(extractor: VoiceExtractor, samples: Int16Array) -> VoiceChunk:
    extractor.reset()
    return extractor.extract(samples, len(samples) * NS_PER_SAMPLE)


def column(chunk: VoiceChunk, name: str) -> Float32Array:
    return chunk.vectors[:, SPEC.names.index(name)]


def tone(hz: float, *, seconds: float = 1.0, peak: float = 8000) -> Int16Array:
    """A buzz with harmonics, as vocal folds make it."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave = sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 8))
    return (peak * np.asarray(wave) / 2).astype(np.int16)


def test_twenty_vectors_a_second_with_the_layout_of_the_spec(whole: VoiceChunk) -> None:
    assert whole.vectors.shape == (3 * RATE_HZ, SPEC.dim)
    assert whole.vectors.dtype == np.float32
    assert np.isfinite(whole.vectors).all()
    assert whole.speech.shape == (3 * RATE_HZ,)
    assert whole.speech.min() >= 0
    assert whole.speech.max() <= 1


def test_a_vector_has_the_time_its_bin_ends(extractor: VoiceExtractor) -> None:
    extractor.reset()
    start_ns = 5_000_000_000
    first = extractor.extract(np.zeros(1000, np.int16), start_ns + 1000 * NS_PER_SAMPLE)
    second = extractor.extract(np.zeros(2000, np.int16), start_ns + 3000 * NS_PER_SAMPLE)
    assert first.times_ns.tolist() == [start_ns + BIN_NS]
    assert second.times_ns.tolist() == [start_ns + 2 * BIN_NS, start_ns + 3 * BIN_NS]


def test_too_little_audio_for_a_bin_gives_no_vector(extractor: VoiceExtractor) -> None:
    extractor.reset()
    chunk = extractor.extract(np.zeros(BIN - 1, np.int16), 0)
    assert chunk.vectors.shape == (0, SPEC.dim)
    assert len(chunk.times_ns) == len(chunk.speech) == 0


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(0, 3 * SAMPLE_RATE_HZ), max_size=10))
def test_cutting_the_audio_makes_no_difference(
    extractor: VoiceExtractor, speech: Int16Array, whole: VoiceChunk, cuts: list[int]
) -> None:
    extractor.reset()
    heard, chunks = 0, []
    for piece in np.split(speech, sorted(cuts)):
        heard += len(piece)
        chunks.append(extractor.extract(piece, heard * NS_PER_SAMPLE))
    assert np.array_equal(np.concatenate([chunk.vectors for chunk in chunks]), whole.vectors)
    assert np.array_equal(np.concatenate([chunk.speech for chunk in chunks]), whole.speech)
    assert np.array_equal(np.concatenate([chunk.times_ns for chunk in chunks]), whole.times_ns)


@settings(max_examples=8, deadline=None)
@given(bins=st.integers(1, 59), seed=st.integers(0, 99))
def test_a_vector_knows_nothing_of_later_audio(
    extractor: VoiceExtractor, speech: Int16Array, whole: VoiceChunk, bins: int, seed: int
) -> None:
    changed = speech.copy()
    later = changed[bins * BIN :]
    later[:] = np.random.default_rng(seed).integers(-20_000, 20_000, len(later))
    chunk = hear(extractor, changed)
    assert np.array_equal(chunk.vectors[:bins], whole.vectors[:bins])
    assert np.array_equal(chunk.speech[:bins], whole.speech[:bins])


def test_loudness_is_measured_in_dbfs(extractor: VoiceExtractor) -> None:
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sine = (16384 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    # Half of full scale is -6 dB, and a sine has its power another 3 dB below its peak.
    assert column(hear(extractor, sine), "energy_dbfs") == pytest.approx(-9.03, abs=0.05)


@pytest.mark.parametrize("hz", [80.0, 150.0, 220.0, 400.0])
def test_pitch_and_voicing_of_a_buzz(extractor: VoiceExtractor, hz: float) -> None:
    chunk = hear(extractor, tone(hz))
    assert column(chunk, "pitch_octaves")[6:] == pytest.approx(np.log2(hz / 150), abs=0.03)
    assert column(chunk, "voicing")[6:].min() > 0.9


def test_noise_is_unvoiced(extractor: VoiceExtractor) -> None:
    noise = np.random.default_rng(1).normal(0, 2000, SAMPLE_RATE_HZ).astype(np.int16)
    assert column(hear(extractor, noise), "voicing").mean() < 0.5


def test_pitch_is_held_through_silence(extractor: VoiceExtractor) -> None:
    chunk = hear(extractor, np.concatenate([tone(300), np.zeros(SAMPLE_RATE_HZ, np.int16)]))
    assert column(chunk, "pitch_octaves")[-1] == pytest.approx(1.0, abs=0.05)
    assert column(chunk, "voicing")[-1] == 0


def test_a_high_tone_lies_in_a_high_band(extractor: VoiceExtractor) -> None:
    peaks = []
    for hz in (300, 1000, 4000):
        time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
        chunk = hear(extractor, (8000 * np.sin(2 * np.pi * hz * time)).astype(np.int16))
        peaks.append(int(chunk.vectors[10, :64].argmax()))
    assert peaks == sorted(set(peaks))


def test_digital_silence_is_no_outlier(extractor: VoiceExtractor) -> None:
    chunk = hear(extractor, np.zeros(SAMPLE_RATE_HZ, np.int16))
    assert np.all(chunk.vectors[:, :64] == 5)
    assert np.all(chunk.vectors[:, 64:128] == 0)
    assert np.all(column(chunk, "energy_dbfs") == -80)
    assert chunk.speech.max() < 0.5


def test_speech_is_noticed(whole: VoiceChunk) -> None:
    assert np.mean(whole.speech > 0.5) > 0.4
