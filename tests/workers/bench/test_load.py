"""Recorded features are replayed as many sources, and what the real inference worker makes of them is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.config import Config, vocabulary_path
from stream.messages import FaceFeatures, TextFeatures, VoiceFeatures, encode
from tests.workers.bench.tiny import LENGTH_MS, MS, tiny_recording
from workers.bench.bus import cross, cross_alone
from workers.bench.load import put_under_load
from workers.bench.once import due_windows
from workers.bench.recorded import keep, read_kept

recording = tiny_recording()


def config() -> Config:
    return Config.model_validate(
        {
            "sources": [{"name": "x", "camera": {"device": 0}}],
            "vocabulary": str(vocabulary_path("ekman", Path())),
            "inference": {"backend": "onnxruntime"},
        }
    )


def test_each_round_of_a_recording_is_later_and_has_faces_and_words_of_its_own() -> None:
    for index in range(len(recording.messages)):
        first, second = (
            recording.shifted(index, "desk", n * recording.length_ns, round_=n) for n in range(2)
        )
        assert first.source == second.source == "desk"
        assert second.time_ns - first.time_ns == LENGTH_MS * MS
        if isinstance(first, FaceFeatures) and isinstance(second, FaceFeatures):
            assert second.scored != first.scored
            assert second.through_ns - first.through_ns == LENGTH_MS * MS
        elif isinstance(first, TextFeatures) and isinstance(second, TextFeatures):
            for before, after in zip(first.utterances, second.utterances, strict=True):
                assert before.id != after.id
                assert after.words[0].end_ns - before.words[0].end_ns == LENGTH_MS * MS
        elif isinstance(first, VoiceFeatures) and isinstance(second, VoiceFeatures):
            assert (second.times_ns - first.times_ns == LENGTH_MS * MS).all()


@pytest.mark.usefixtures("run_folder")
def test_the_inference_worker_scores_all_sources_together_and_is_measured(
    asset: Callable[[str], Path],
) -> None:
    asset("minilm-l6")
    load = put_under_load(recording, config(), 3, seconds=5.0, warm_up_s=2.5)
    assert load.windows > 0
    assert len(load.since_end_ms) == load.windows
    assert 0 < len(load.latency_ms) <= load.windows
    assert min(load.since_end_ms) > 0
    assert load.dropped == 0
    assert load.rss_mb[1] > 10
    assert load.cores > 0
    assert 0 < load.counts["batches"] < load.counts["windows_scored"], "windows of several sources share one"
    assert load.counts["vocabularies_mapped"] == 0, "that was before"
    scored = load.counts["windows_scored"]
    assert load.counts["face_encoded"] + load.counts["face_reused"] <= scored
    assert load.counts["text_reused"] > load.counts["text_encoded"], "a word comes every fifth window"
    assert load.counts["voice_encoded"] > load.counts["voice_reused"], "the window moves on"


def test_windows_of_all_sources_come_hop_by_hop() -> None:
    hops = due_windows(recording, config(), 2)
    assert {window.source for window in hops[0]} == {"s0", "s1"}
    ends = [window.end_ns for hop in hops for window in hop if window.source == "s0"]
    assert ends == sorted(ends)
    assert len(ends) == pytest.approx(LENGTH_MS / 100, abs=2)


def test_a_recording_is_kept_as_it_is(tmp_path: Path) -> None:
    keep(recording, tmp_path / "kept")
    kept = read_kept(tmp_path / "kept")
    assert kept is not None
    assert kept.length_ns == recording.length_ns
    assert [(topic, encode(message)) for topic, message in kept.messages] == [
        (topic, encode(message)) for topic, message in recording.messages
    ]
    (tmp_path / "kept").write_bytes((tmp_path / "kept").read_bytes()[:-1])
    assert read_kept(tmp_path / "kept") is None


@pytest.mark.usefixtures("run_folder")
def test_every_message_crosses_the_bus_once() -> None:
    taken = cross(recording, 1, 0.5)
    assert set(taken) == {"face", "voice", "text"}
    assert all(value > 0 for values in taken.values() for value in values)
    assert len(taken["voice"]) == pytest.approx(10, abs=4)


def test_bare_messages_are_timed_beside() -> None:
    taken_ms = cross_alone(0.4)
    assert len(taken_ms) == 10
    assert min(taken_ms) > 0
