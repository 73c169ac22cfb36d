"""Whisper on real speech: words with times, early words superseded by final ones, nothing out of silence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.extractors.transcript import TranscriptError, TranscriptSettings
from models.extractors.transcript.whisper import WhisperTranscriber
from models.media import read_audio
from tests.models.speech import CHUNK_NS, silence, transcribe, words_of

SETTINGS = TranscriptSettings(engine="whisper")


@pytest.fixture(scope="module")
def open_whisper(asset):
    folder, vad = asset("whisper-tiny-en"), asset("silero-vad")
    return lambda **changes: WhisperTranscriber(folder, vad, dataclasses.replace(SETTINGS, **changes))


@pytest.fixture(scope="module")
def speech(shared_clip):
    return read_audio(shared_clip("speech_11s.flac"))


@pytest.fixture(scope="module")
def said(open_whisper, speech):
    return transcribe(open_whisper(), speech)


def test_it_hears_what_was_said(said):
    assert {"fellow", "americans", "ask", "country", "you"} <= set(words_of(said))


def test_words_have_times_in_order_inside_the_audio(said, speech):
    words = [word for _, utterance in said if utterance.final for word in utterance.words]
    assert all(0 <= w.start_ns <= w.end_ns <= len(speech) * 62_500 for w in words)
    assert all(0 <= w.confidence <= 1 for w in words)
    starts = [w.start_ns for w in words]
    assert starts == sorted(starts)


def test_words_come_while_the_sentence_is_open_and_the_final_form_replaces_them(said):
    by_id: dict[int, list[bool]] = {}
    for _, utterance in said:
        by_id.setdefault(utterance.id, []).append(utterance.final)
    assert all(finals == [False] * (len(finals) - 1) + [True] for finals in by_id.values())
    assert any(len(finals) > 1 for finals in by_id.values())


def test_a_word_is_known_soon_after_it_was_said(said):
    first_known: dict[tuple[int, str], int] = {}
    for known_ns, utterance in said:
        for word in utterance.words:
            first_known.setdefault((word.end_ns // 10**8, word.text), known_ns - word.end_ns)
    assert np.median(list(first_known.values())) <= 2.5e9


def test_the_same_audio_gives_the_same_words(open_whisper, speech, said):
    again = transcribe(open_whisper(), speech)
    assert again == said


@pytest.mark.parametrize(
    "audio", [silence(4), np.zeros(64_000, np.int16)], ids=["faint noise", "digital silence"]
)
def test_silence_holds_no_words(open_whisper, audio):
    assert words_of(transcribe(open_whisper(), audio)) == []


def test_silence_longer_than_the_endpoint_ends_an_utterance(open_whisper, asset):
    speech = read_audio(asset("beckett"))
    short = transcribe(open_whisper(silence_s=0.3), speech)
    long = transcribe(open_whisper(silence_s=2.0), speech)
    count = [sum(u.final for _, u in said) for said in (short, long)]
    assert count[0] > count[1]


def test_an_endless_sentence_is_split_at_its_limit(open_whisper, asset):
    speech = read_audio(asset("two-cities"))[: 16_000 * 14]
    said = transcribe(open_whisper(max_utterance_s=3.0, silence_s=5.0), speech)
    finals = [(known, u) for known, u in said if u.final]
    assert len(finals) >= 4
    assert all(u.words[-1].end_ns - u.id * 1_000_000 <= 3.2e9 for _, u in finals if u.words)


def test_a_gap_in_the_audio_closes_what_was_open(open_whisper, speech):
    transcriber = open_whisper()
    for index in range(30):
        transcriber.accept(speech[index * 800 : (index + 1) * 800], (index + 1) * CHUNK_NS)
    later = transcriber.accept(speech[:800], 60 * 10**9)
    assert [u.final for u in later] == [True]
    assert all(w.end_ns <= 30 * CHUNK_NS for u in later for w in u.words)


def test_a_folder_that_is_no_model_is_named(tmp_path, asset):
    with pytest.raises(TranscriptError, match=r"no model\.bin"):
        WhisperTranscriber(tmp_path, asset("silero-vad"), SETTINGS)
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(TranscriptError, match="cannot be loaded"):
        WhisperTranscriber(tmp_path, asset("silero-vad"), SETTINGS)
