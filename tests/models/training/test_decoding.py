"""Media of a corpus are decoded from memory, whatever their format; what is broken says so."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from models.media import read_audio
from models.training.corpora import CorpusError
from models.training.decoding import decode_audio, decode_frames
from models.training.extraction import FILM_HZ, ClipExtraction, FaceExtraction
from stream.messages import SAMPLE_RATE_HZ, Int16Array
from tests.models.training.conftest import write_video


def audio(samples: Int16Array, rate_hz: int, format_: str) -> bytes:
    """Return the samples as a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=format_)
    return file.getvalue()


@pytest.fixture(scope="module")
def speech(asset: Callable[[str], Path]) -> Int16Array:
    """Give three seconds of speech at 16 kHz."""
    return read_audio(asset("two-cities"))[: 3 * SAMPLE_RATE_HZ]


def test_mono_at_16_khz_comes_sample_for_sample(speech: Int16Array) -> None:
    np.testing.assert_array_equal(decode_audio(audio(speech, SAMPLE_RATE_HZ, "WAV")), speech)


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 1), (44100, 2), (8000, 1), (16000, 2)])
def test_other_rates_and_channels_become_mono_at_16_khz(rate_hz: int, channels: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * rate_hz) / rate_hz)
    content = audio(np.round(tone[:, None].repeat(channels, 1) * 8000).astype(np.int16), rate_hz, "FLAC")
    samples = decode_audio(content)
    assert abs(len(samples) - 2 * SAMPLE_RATE_HZ) <= 800
    spectrum = np.abs(np.fft.rfft(samples[:SAMPLE_RATE_HZ]))
    assert int(spectrum.argmax()) == 440


def test_frames_of_a_video_come_with_their_times(asset: Callable[[str], Path]) -> None:
    content = (asset("single-face") / "single_face.mp4").read_bytes()
    frames = list(decode_frames(content))
    times = [time_s for time_s, _ in frames]
    assert times[0] == 0
    assert times == sorted(times)
    assert frames[0][1].ndim == 3


def test_a_video_gives_a_face_ten_times_a_second(asset: Callable[[str], Path]) -> None:
    content = (asset("single-face") / "single_face.mp4").read_bytes()
    duration_s = [time_s for time_s, _ in decode_frames(content)][-1]
    with FaceExtraction(asset("face_landmarker")).open() as extract:
        features = extract(content)
        without = extract(asset("no-face").read_bytes())
    assert abs(len(features.vectors) - duration_s * FILM_HZ) <= 1
    assert features.speech.mean() > 0.9
    assert len(without.vectors) == len(without.speech) == 0


def test_a_slow_video_leaves_the_time_between_its_frames_open(
    asset: Callable[[str], Path], tmp_path: Path
) -> None:
    picture = np.asarray(cv2.imread(str(asset("expression-stills") / "0-f1-su-ph.jpg")), np.uint8)
    write_video(tmp_path / "slow.mp4", picture, np.zeros(3 * SAMPLE_RATE_HZ, np.int16), rate_hz=2)
    with FaceExtraction(asset("face_landmarker")).open() as extract:
        features = extract((tmp_path / "slow.mp4").read_bytes())
    assert np.flatnonzero(features.speech).tolist() == [0, 5, 10, 15, 20, 25]
    assert len(features.vectors) == 26
    np.testing.assert_array_equal(features.vectors.any(axis=1), features.speech > 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not media that can be decoded"),
        (b"RIFF" + bytes(40), "not media that can be decoded"),
        (b"dear diary\n" * 9, "not media"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "not media that can be decoded"),
    ],
)
def test_what_is_no_media_is_refused(asset: Callable[[str], Path], content: bytes, said: str) -> None:
    with (
        ClipExtraction(asset("silero-vad")).open() as voice,
        FaceExtraction(asset("face_landmarker")).open() as face,
    ):
        for extract in (voice, face):
            with pytest.raises(CorpusError, match=said):
                extract(content)


def test_a_file_without_sound_or_pictures_is_refused(
    speech: Int16Array, asset: Callable[[str], Path]
) -> None:
    with pytest.raises(CorpusError, match="it has no sound"):
        decode_audio(asset("carphone").read_bytes())
    with pytest.raises(CorpusError, match="it has no pictures"):
        list(decode_frames(audio(speech, SAMPLE_RATE_HZ, "WAV")))


def test_a_clip_too_short_for_a_feature_is_refused(speech: Int16Array, asset: Callable[[str], Path]) -> None:
    with (
        ClipExtraction(asset("silero-vad")).open() as extract,
        pytest.raises(CorpusError, match="holds 40 samples of sound, too short"),
    ):
        extract(audio(speech[:40], SAMPLE_RATE_HZ, "WAV"))
