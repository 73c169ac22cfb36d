"""When windows are due: complete at once, incomplete after their patience, never twice, never out of order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import Bundle, ModalityInput
from models.extractors.speaker import SpeakerPrior
from models.window_schedule import SourceWindows
from stream.config import Camera, Config, Microphone, Source
from stream.messages import (
    End,
    Face,
    FaceFeatures,
    MessageError,
    TextFeatures,
    TextUtterance,
    VoiceFeatures,
    Word,
)

MS = 1_000_000
BUNDLE = Bundle(
    folder=Path(),
    name="tiny",
    version="tiny@1",
    space="minilm-l6",
    space_dim=4,
    window_s=5.0,
    modalities={
        "face": ModalityInput("face@1", dim=2, rate_hz=10.0, steps=50, floor=0.1),
        "voice": ModalityInput("voice@1", dim=3, rate_hz=20.0, steps=100, floor=0.1),
        "text": ModalityInput("text@1", dim=4, rate_hz=None, steps=48, floor=0.0),
    },
    speaker_prior=SpeakerPrior(np.zeros(3, np.float32), np.ones(3, np.float32), 1.0),
    calibration={},
    neutral={},
    words={},
    licence="none",
    sha256="",
)


def windows_of(*, camera=True, microphone=False, engine="auto", **window):
    source = Source(
        name="desk",
        camera=Camera(device=0) if camera else None,
        microphone=Microphone() if microphone else None,
    )
    config = Config.model_validate({"sources": [source], "window": window, "transcript": {"engine": engine}})
    return SourceWindows(source, config, BUNDLE)


def face(time_ms, *, next_ms=None, present=True, track=0, dropped=0, spec="face@1", dim=2):
    found = [Face(track=track, box=(0, 0, 1, 1), vector=np.full(dim, time_ms, np.float32))] if present else []
    return FaceFeatures(
        source="desk",
        time_ns=time_ms * MS,
        through_ns=(next_ms if next_ms is not None else time_ms + 40) * MS,
        spec=spec,
        faces=found,
        scored=track if present else None,
        dropped=dropped,
    )


def voice(time_ms, *, speech=1.0):
    return VoiceFeatures(
        source="desk",
        time_ns=time_ms * MS,
        spec="voice@1",
        times_ns=np.array([time_ms * MS]),
        vectors=np.ones((1, 3), np.float32),
        speech=np.array([speech], np.float32),
    )


def text(time_ms, *words, final=True):
    said = [
        Word(text=w, start_ns=(time_ms - 200) * MS, end_ns=(time_ms - 100) * MS, confidence=1.0)
        for w in words
    ]
    utterances = [TextUtterance(id=0, final=final, words=said, vectors=np.ones((len(said), 4), np.float32))]
    return TextFeatures(
        source="desk", time_ns=time_ms * MS, spec="text@1", utterances=utterances if words else []
    )


def ends_ms(windows, now_ms=None):
    return [w.end_ns // MS for w in windows.take_due(None if now_ms is None else now_ms * MS)]


def test_a_window_is_due_once_every_modality_is_through():
    windows = windows_of(microphone=True, engine="off")
    windows.add(face(0, next_ms=40), "face")
    windows.add(face(40, next_ms=120), "face")
    assert ends_ms(windows) == []
    windows.add(voice(100), "voice")
    assert ends_ms(windows) == [100]
    assert ends_ms(windows) == []


def test_in_real_time_a_window_waits_for_its_patience_and_no_longer():
    windows = windows_of(patience_s=0.08)
    windows.add(face(0, next_ms=40), "face")
    assert ends_ms(windows, now_ms=179) == []
    (window,) = windows.take_due(180 * MS)
    assert window.end_ns == 100 * MS
    assert window.modalities["face"].pending_ns == 60 * MS


def test_before_anything_has_come_of_a_device_the_whole_window_is_pending():
    windows = windows_of(patience_s=0.08, microphone=True, engine="off")
    windows.add(face(0, next_ms=200), "face")
    (window,) = windows.take_due(180 * MS)
    assert window.modalities["voice"].why == "no audio yet"
    assert window.modalities["voice"].pending_ns == 5_000 * MS
    assert window.modalities["face"].pending_ns == 0


def test_a_frame_that_comes_sooner_than_foreseen_counts():
    windows = windows_of()
    windows.add(face(0, next_ms=120), "face")
    windows.add(face(70, next_ms=90), "face")
    (window,) = windows.take_due(None)
    assert window.modalities["face"].bins.newest_ns == 70 * MS


def test_a_frame_from_before_the_last_one_is_refused():
    windows = windows_of()
    windows.add(face(70), "face")
    with pytest.raises(MessageError, match="time runs backwards by 30000000 ns"):
        windows.add(face(40), "face")


def test_no_window_is_scored_before_its_end():
    windows = windows_of()
    windows.add(face(0, next_ms=1_000), "face")
    assert ends_ms(windows, now_ms=99) == []
    assert ends_ms(windows, now_ms=100) == [100]


def test_what_came_too_late_once_is_not_waited_for_again_until_it_has_caught_up():
    windows = windows_of(patience_s=0.08, microphone=True, engine="off")
    windows.add(face(0, next_ms=400), "face")
    assert ends_ms(windows, now_ms=180) == [100]
    assert ends_ms(windows, now_ms=200) == [200], "the voice was late; waiting for it would delay the face"
    windows.add(voice(350), "voice")
    assert ends_ms(windows, now_ms=300) == [300]
    assert ends_ms(windows, now_ms=400) == [], "the voice had caught up, so it is waited for"


def test_a_lost_device_does_not_silence_the_source():
    windows = windows_of(patience_s=0.08)
    windows.add(face(0), "face")
    due = list(windows.take_due(4_000 * MS))
    assert [w.end_ns // MS for w in due] == list(range(100, 4_001, 100))
    assert due[0].modalities["face"].why is None or "face in" in due[0].modalities["face"].why
    silent = list(windows.take_due(8_000 * MS))[-1]
    assert silent.modalities["face"].why == "no frames for 8 s"
    assert silent.modalities["face"].pending_ns == 5_000 * MS, "the whole window"
    assert not silent.modalities["face"].bins.mask.any()


def test_after_a_suspend_windows_long_past_are_skipped_and_the_gap_shows_in_seq():
    windows = windows_of()
    windows.add(face(0), "face")
    first = list(windows.take_due(200 * MS))[-1]
    later = list(windows.take_due(3_600_000 * MS))
    assert len(later) <= 1
    windows.add(face(3_600_050, next_ms=3_600_200), "face")
    resumed = list(windows.take_due(3_600_100 * MS))[-1]
    assert resumed.seq - first.seq == (resumed.end_ns - first.end_ns) // (100 * MS)


def test_a_source_ends_with_its_last_window():
    windows = windows_of(microphone=True, engine="off")
    windows.add(face(0, next_ms=120), "face")
    windows.add(End(source="desk", time_ns=0, why="no audio stream"), "voice")
    assert ends_ms(windows) == [100]
    windows.add(face(120, next_ms=250), "face")
    windows.add(End(source="desk", time_ns=250 * MS, why="end of file"), "face")
    assert not windows.ended
    (window,) = windows.take_due(None)
    assert window.end_ns == 200 * MS
    assert window.modalities["voice"].why == "no audio stream"
    assert windows.ended


def test_a_modality_without_device_is_named():
    windows = windows_of()
    windows.add(face(0, next_ms=150), "face")
    (window,) = windows.take_due(None)
    assert window.modalities["text"].why == "the source does not have it"
    assert window.modalities["text"].pending_ns == 0


def test_no_face_is_no_evidence_and_below_the_floor_it_is_not_used():
    windows = windows_of()
    for time_ms in range(0, 1_000, 40):
        windows.add(face(time_ms, present=False), "face")
    assert {w.modalities["face"].why for w in windows.take_due(None)} == {"no face in the window"}
    windows.add(face(1_000, next_ms=1_160), "face")
    last = list(windows.take_due(None))[-1]
    assert last.modalities["face"].why == "face in 2% of the window, 10% needed"
    assert last.modalities["face"].bins.mask.sum() == 1


def test_only_the_scored_face_is_in_the_window():
    windows = windows_of()
    for time_ms in range(0, 2_000, 40):
        windows.add(face(time_ms, track=time_ms // 1_000), "face")
    last = list(windows.take_due(None))[-1]
    assert last.modalities["face"].bins.values[last.modalities["face"].bins.mask > 0].min() >= 1_000


def test_silence_is_not_voice():
    windows = windows_of(camera=False, microphone=True, engine="off")
    for time_ms in range(50, 2_050, 50):
        windows.add(voice(time_ms, speech=0.2), "voice")
    assert {w.modalities["voice"].why for w in windows.take_due(None)} == {"no speech in the window"}


def test_words_count_from_when_they_were_known():
    windows = windows_of(camera=False, microphone=True)
    for time_ms in range(50, 1_050, 50):
        windows.add(voice(time_ms), "voice")
        windows.add(text(time_ms, *(["hello"] if time_ms == 500 else [])), "text")
    used = {w.end_ns // MS: w.modalities["text"].why is None for w in windows.take_due(None)}
    assert used == {end: end >= 500 for end in range(100, 1_001, 100)}


def test_drops_are_counted_in_every_window_that_they_may_fall_in():
    windows = windows_of()
    windows.add(face(0, next_ms=140), "face")
    windows.add(face(320, dropped=4, next_ms=6_000), "face")
    counts = {w.end_ns // MS: w.modalities["face"].dropped for w in windows.take_due(None)}
    assert counts == {end: 4 if 140 < end < 5_320 else 0 for end in range(100, 6_001, 100)}


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        (face(0, spec="face@2"), "face"),
        (face(0, dim=3), "face"),
        (voice(50), "face"),
        (face(0), "voice"),
    ],
)
def test_what_does_not_fit_the_bundle_is_refused(message, topic):
    with pytest.raises(MessageError):
        windows_of(microphone=True).add(message, topic)


def test_time_running_backwards_is_refused():
    windows = windows_of()
    windows.add(face(1_000), "face")
    with pytest.raises(MessageError, match="backwards"):
        windows.add(face(900), "face")


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=40),
    st.lists(st.integers(0, 400), min_size=1, max_size=40),
)
def test_windows_come_in_order_without_gap_whatever_the_timing(frame_steps_ms, poll_steps_ms):
    windows = windows_of()
    time_ms, now_ms, ends = 0, 0, []
    for index in range(max(len(frame_steps_ms), len(poll_steps_ms))):
        if index < len(frame_steps_ms):
            step_ms = frame_steps_ms[index]
            windows.add(face(time_ms, next_ms=time_ms + step_ms), "face")
            time_ms += step_ms
        if index < len(poll_steps_ms):
            now_ms += poll_steps_ms[index]
            due = list(windows.take_due(now_ms * MS))
            assert all(w.end_ns <= now_ms * MS for w in due)
            ends += [(w.seq, w.end_ns // MS) for w in due]
    assert ends == [(i, 100 * (i + 1)) for i in range(len(ends))]


def test_a_transcriber_that_lags_at_the_end_of_a_file_adds_no_windows():
    windows = windows_of(camera=False, microphone=True, patience_s=0.0)
    windows.add(voice(50), "voice")
    windows.add(text(50), "text")
    windows.add(voice(250), "voice")
    windows.add(End(source="desk", time_ns=250 * MS, why="end of file"), "voice")
    assert ends_ms(windows, now_ms=900) == [100, 200]
    assert not windows.ended, "its last words are still to come"
    windows.add(End(source="desk", time_ns=250 * MS, why="end of file"), "text")
    assert windows.ended
