"""Per-speaker normalisation: causal, taught by speech alone, quick to learn and slow to forget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.extractors.speaker import SpeakerNormalizer, SpeakerPrior
from models.extractors.voice_layout import RATE_HZ, VoiceChunk
from stream.messages import Float32Array

DIM = 5


def prior(weight_s: float = 2.0) -> SpeakerPrior:
    return SpeakerPrior(mean=np.full(DIM, 10, np.float32), std=np.full(DIM, 2, np.float32), weight_s=weight_s)


def chunk(vectors: Float32Array, speech: Float32Array | float = 1.0) -> VoiceChunk:
    return VoiceChunk(
        times_ns=np.arange(len(vectors), dtype=np.int64),
        vectors=vectors,
        speech=np.broadcast_to(np.asarray(speech, np.float32), len(vectors)).copy(),
    )


def voice(seconds: float, *, mean: float = 14.0, std: float = 0.5, seed: int = 0) -> Float32Array:
    shape = (round(seconds * RATE_HZ), DIM)
    return np.random.default_rng(seed).normal(mean, std, shape).astype(np.float32)


def test_before_any_speech_the_prior_rules() -> None:
    result = SpeakerNormalizer(prior()).normalize(chunk(np.full((3, DIM), 14, np.float32), 0.0))
    assert result.vectors == pytest.approx(2.0)


def test_a_speaker_far_from_the_prior_is_learned() -> None:
    result = SpeakerNormalizer(prior()).normalize(chunk(voice(60)))
    late = result.vectors[-20 * RATE_HZ :]
    assert late.mean(axis=0) == pytest.approx(0, abs=0.2)
    assert np.all(late.std(axis=0) > 0.5)


def test_another_speaker_takes_over() -> None:
    normalizer = SpeakerNormalizer(prior())
    normalizer.normalize(chunk(voice(120, mean=14)))
    result = normalizer.normalize(chunk(voice(300, mean=6, seed=1)))
    assert result.vectors[0].mean() < -2
    assert result.vectors[-20 * RATE_HZ :].mean(axis=0) == pytest.approx(0, abs=0.2)


def test_without_speech_nothing_is_learned() -> None:
    taught, untaught = SpeakerNormalizer(prior()), SpeakerNormalizer(prior())
    untaught.normalize(chunk(voice(30, mean=0), 0.5))
    probe = chunk(voice(5))
    assert np.array_equal(taught.normalize(probe).vectors, untaught.normalize(probe).vectors)


def test_outliers_are_limited() -> None:
    vectors = np.concatenate([voice(10), np.full((1, DIM), 1e4, np.float32)])
    assert np.abs(SpeakerNormalizer(prior()).normalize(chunk(vectors, 0.0)).vectors).max() == 6


def test_a_number_that_never_changes_stays_finite() -> None:
    result = SpeakerNormalizer(prior()).normalize(chunk(np.full((6000, DIM), 7, np.float32)))
    assert np.isfinite(result.vectors).all()


def test_reset_goes_back_to_the_prior() -> None:
    normalizer = SpeakerNormalizer(prior())
    first = normalizer.normalize(chunk(voice(5)))
    normalizer.reset()
    assert np.array_equal(normalizer.normalize(chunk(voice(5))).vectors, first.vectors)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=6), seed=st.integers(0, 1000))
def test_causal_and_independent_of_chunks(cuts: list[int], seed: int) -> None:
    vectors = voice(10, seed=seed)
    speech = np.random.default_rng(seed).random(len(vectors)).astype(np.float32)
    whole = SpeakerNormalizer(prior()).normalize(chunk(vectors, speech)).vectors
    normalizer = SpeakerNormalizer(prior())
    at = sorted(cuts)
    pieces = [
        normalizer.normalize(chunk(*piece)).vectors
        for piece in zip(np.split(vectors, at), np.split(speech, at), strict=True)
    ]
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (SpeakerPrior(np.zeros(3, np.float32), np.ones(4, np.float32), 1), "must be two"),
        (
            SpeakerPrior(np.zeros(3, np.float32), np.zeros(3, np.float32), 1),
            "every standard deviation positive",
        ),
        (SpeakerPrior(np.full(3, np.nan, np.float32), np.ones(3, np.float32), 1), "must be finite"),
        (SpeakerPrior(np.zeros(3, np.float32), np.ones(3, np.float32), 0), "must be positive"),
    ],
)
def test_a_prior_that_makes_no_sense_is_refused(bad: SpeakerPrior, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpeakerNormalizer(bad)
