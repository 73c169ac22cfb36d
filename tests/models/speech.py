"""Speech for the transcript tests: real recordings, and Korean from a synthesiser."""

from __future__ import annotations

import numpy as np
import pytest

from models.extractors.transcript import Transcriber
from stream.messages import Int16Array, Utterance
from tests.spoken import missing, spoken

CHUNK = 800
CHUNK_NS = 50_000_000


def transcribe(transcriber: Transcriber, samples: Int16Array) -> list[tuple[int, Utterance]]:
    """Return (known_ns, utterance) of everything the transcriber says of `samples`, heard from time 0."""
    said = []
    for index in range(len(samples) // CHUNK):
        known_ns = (index + 1) * CHUNK_NS
        chunk = samples[index * CHUNK : (index + 1) * CHUNK]
        said += [(known_ns, utterance) for utterance in transcriber.accept(chunk, known_ns)]
    return said + [(len(samples) // CHUNK * CHUNK_NS, utterance) for utterance in transcriber.finish()]


def words_of(said: list[tuple[int, Utterance]]) -> list[str]:
    """Return the words of the final utterances, in lower case without punctuation."""
    return [w.text.lower().strip(".,!?;") for _, u in said if u.final for w in u.words]


def silence(seconds: float) -> Int16Array:
    """Return faint noise: digital silence is not what microphones give."""
    return np.random.default_rng(0).normal(0, 5, round(seconds * 16_000)).astype(np.int16)


def korean_speech() -> Int16Array:
    """Return two Korean sentences, 1 s apart; skip the test where nothing can be spoken."""
    if why := missing():
        pytest.skip(why)
    sounds = spoken(("안녕하세요 반갑습니다", "오늘 날씨가 좋습니다"))
    return np.concatenate([part for sound in sounds for part in (sound, silence(1.0))])
