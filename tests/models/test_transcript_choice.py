"""Which engine transcribes: Vosk where its model is, else Whisper, and it says which and why."""

from __future__ import annotations

import pytest

from models.assets import AssetError
from models.extractors.transcript import TranscriptError, TranscriptSettings, open_transcriber


def test_auto_takes_whisper_where_the_vosk_model_is_not(asset, tmp_path):
    whisper = asset("whisper-tiny-en")
    asset("silero-vad")
    settings = TranscriptSettings(vosk_model="vosk-small-en", whisper_model=str(whisper))
    try:
        opened = open_transcriber(settings)
    except TranscriptError:
        pytest.fail("the Whisper model was found but not taken")
    if opened.transcriber.engine == "vosk":
        pytest.skip("the English Vosk model is on this machine")
    assert opened.reason == f"Whisper, {whisper.name} (Vosk's model vosk-small-en is not there)"


def test_auto_takes_vosk_where_its_model_is(asset):
    opened = open_transcriber(TranscriptSettings(vosk_model=str(asset("vosk-ko"))))
    assert opened.transcriber.engine == "vosk"
    assert opened.reason == "Vosk, vosk-ko (its model is there)"


def test_without_any_model_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path))
    with pytest.raises(AssetError, match="emostream assets fetch whisper-tiny-en"):
        open_transcriber(TranscriptSettings())


def test_an_engine_asked_for_is_not_replaced(monkeypatch, tmp_path):
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path))
    with pytest.raises(AssetError, match="vosk-small-en"):
        open_transcriber(TranscriptSettings(engine="vosk"))


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(TranscriptError, match="no such folder"):
        open_transcriber(TranscriptSettings(engine="vosk", vosk_model=str(tmp_path / "none")))
