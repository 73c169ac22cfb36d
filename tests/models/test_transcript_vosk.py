"""Vosk on Korean speech, the one model of it that a package index has: large and slow, so loaded twice only."""

from __future__ import annotations

import statistics

import pytest

from models.extractors.transcript import TranscriptError, TranscriptSettings
from models.extractors.transcript.vosk import VoskTranscriber
from tests.models.speech import korean_speech, transcribe


@pytest.fixture(scope="module")
def speech():
    return korean_speech()


@pytest.fixture(scope="module")
def transcriber(asset):
    return VoskTranscriber(asset("vosk-ko"), TranscriptSettings(silence_s=0.4))


@pytest.fixture(scope="module")
def said(transcriber, speech):
    return transcribe(transcriber, speech)


def test_words_have_times_and_confidences(said, speech):
    words = [word for _, utterance in said if utterance.final for word in utterance.words]
    assert words
    assert all(0 <= w.start_ns <= w.end_ns <= len(speech) * 62_500 for w in words)
    assert any(0 < w.confidence < 1 for w in words)


def test_partial_words_come_first_and_the_final_form_replaces_them(said):
    by_id: dict[int, list[bool]] = {}
    for _, utterance in said:
        by_id.setdefault(utterance.id, []).append(utterance.final)
    assert all(finals == [False] * (len(finals) - 1) + [True] for finals in by_id.values())
    assert any(len(finals) > 2 for finals in by_id.values())


def test_half_of_the_words_are_known_within_one_and_a_half_seconds_of_being_said(said):
    known_ns: dict[tuple[str, int], int] = {}
    for time_ns, utterance in said:
        for word in utterance.words:
            known_ns.setdefault((word.text, word.start_ns // 10**8), time_ns)
    finals = [word for _, utterance in said if utterance.final for word in utterance.words]
    delays_ns = [known_ns[word.text, word.start_ns // 10**8] - word.end_ns for word in finals]
    assert statistics.median(delays_ns) < 1.5e9


def test_a_pause_ends_an_utterance_as_configured(said, asset, speech):
    patient = VoskTranscriber(asset("vosk-ko"), TranscriptSettings(silence_s=5.0))
    finals = [sum(u.final and bool(u.words) for _, u in each) for each in (said, transcribe(patient, speech))]
    assert finals[0] > finals[1] == 1


def test_after_a_gap_times_are_still_those_of_the_audio(transcriber, speech):
    hour_ns = 3_600 * 10**9
    utterances = []
    for index in range(len(speech) // 800):
        utterances += transcriber.accept(
            speech[index * 800 : (index + 1) * 800], hour_ns + (index + 1) * 50_000_000
        )
    utterances += transcriber.finish()
    words = [w for u in utterances for w in u.words]
    assert words
    assert all(hour_ns <= w.start_ns <= w.end_ns <= hour_ns + len(speech) * 62_500 for w in words)


def test_a_folder_that_is_no_model_is_named(tmp_path):
    with pytest.raises(TranscriptError, match=r"no am/final\.mdl"):
        VoskTranscriber(tmp_path, TranscriptSettings())
    (tmp_path / "am").mkdir()
    with pytest.raises(TranscriptError, match="cannot be loaded"):
        VoskTranscriber(tmp_path, TranscriptSettings())
