"""The whole daemon on real clips: every worker its own process, scores as a subscriber gets them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.demo_clip import demo_clip
from models.offline import score_media
from stream import EmotionMessage
from stream.config import load_config
from stream.windows import NS_PER_S
from tests.workers.daemon import Daemon, play, processes_left
from tests.workers.media_time import HOP_NS, by_media_time, is_whole

SAID = {
    "talking": {"currently", "second", "week", "new", "member", "orientation"},
    "demo": {"best", "worst", "times", "age", "wisdom", "foolishness", "epoch", "belief"},
}


@pytest.fixture(scope="module")
def realtime(make_short_folder, talking_clip) -> Daemon:
    return play(make_short_folder(), talking_clip)


@pytest.fixture(scope="module")
def demo(make_short_folder, asset) -> Daemon:
    asset("demo-face"), asset("two-cities")
    return play(make_short_folder(), demo_clip())


@pytest.fixture(params=["talking", "demo"])
def live(request) -> tuple[str, Daemon]:
    """Give a clip by name, and the daemon that has played it in real time."""
    return request.param, request.getfixturevalue("realtime" if request.param == "talking" else "demo")


@pytest.fixture(scope="module")
def offline(lossless, talking_clip) -> list[EmotionMessage]:
    return list(score_media(talking_clip, load_config(lossless.folder / "emostream.yaml")))


def scores(message: EmotionMessage) -> np.ndarray:
    """Return all numbers of a score, `[emotions * 6]`; a modality that was not used is NaN."""
    rows = []
    for score in message.emotions:
        per_modality = [score.by_modality.get(name, np.nan) for name in ("face", "voice", "text")]
        rows.append([score.distance, score.probability, score.smoothed, *per_modality])
    return np.array(rows).reshape(-1, 6)


def test_a_clip_is_scored_live(live):
    clip, daemon = live
    messages = daemon.emotions
    assert len(messages) >= {"talking": 78, "demo": 190}[clip]
    faces = [m.evidence["face"] for m in messages]
    assert np.mean([face.used or bool(face.pending_ms) for face in faces]) >= 0.95, "there, or to come"
    assert np.mean([face.used for face in faces]) >= 0.5
    assert any(m.evidence["voice"].used for m in messages)
    assert any(m.evidence["text"].used for m in messages)
    assert all(len(m.emotions) == 6 for m in messages if any(e.used for e in m.evidence.values()))


def test_speech_is_recognised(live):
    clip, daemon = live
    assert len(SAID[clip] & daemon.heard_words()) >= 4


def test_messages_come_at_the_hop_without_a_gap(live):
    _, daemon = live
    messages = daemon.emotions
    assert daemon.missed == 0
    assert [m.seq for m in messages] == list(range(len(messages)))
    assert {b.window.end_ns - a.window.end_ns for a, b in pairwise(messages)} == {HOP_NS}
    # Most seconds: where this machine stands still for a moment, windows come late and then together.
    in_a_second = [(b.time_ns - a.time_ns) / NS_PER_S for a, b in zip(messages, messages[10:], strict=False)]
    assert 10 / np.median(in_a_second) == pytest.approx(10, rel=0.1)


def test_it_ends_cleanly_and_leaves_no_process(live):
    _, daemon = live
    assert daemon.health[-1].sources[0].state == "ended"
    assert len(daemon.pids) >= 6
    assert not processes_left(daemon.folder)


def test_health_names_every_worker_and_topic(realtime):
    running = [health for health in realtime.health if health.sources[0].state == "running"]
    names = {w.worker for w in running[-1].workers}
    assert names == {"inference", "text", "transcriber", "voice", "face", "media"}
    alive = [{topic.topic for topic in health.topics if topic.alive} for health in running]
    assert any(topics >= {"frame", "pcm", "face", "voice"} for topics in alive)


def what_counted(message: EmotionMessage) -> dict[str, tuple[bool, float, str | None]]:
    return {name: (each.used, each.coverage, each.why) for name, each in message.evidence.items()}


def test_lossless_equals_offline_window_by_window(lossless, offline):
    live, alone = by_media_time(lossless.emotions), by_media_time(offline)
    assert list(live) == list(alone)
    for end_ns, message in alone.items():
        np.testing.assert_allclose(scores(live[end_ns]), scores(message), atol=1e-5, err_msg=str(end_ns))
        assert what_counted(live[end_ns]) == what_counted(message)


def test_with_hindsight_words_count_from_when_they_were_said(offline, lossless, talking_clip):
    config = load_config(lossless.folder / "emostream.yaml")
    hindsight = score_media(talking_clip, config, hindsight=True)
    first_used_s = [
        next(m.window.end_ns for m in messages if m.evidence["text"].used) / NS_PER_S
        for messages in (offline, hindsight)
    ]
    assert first_used_s[0] - first_used_s[1] > 0.5, "recognising takes longer than half a second"


def test_lossless_drops_nothing_and_leaves_nothing_pending(lossless):
    assert all(map(is_whole, lossless.emotions))


def test_realtime_differs_from_lossless_only_where_it_says_that_something_is_missing(realtime, lossless):
    live, whole = by_media_time(realtime.emotions), by_media_time(lossless.emotions)
    assert max(live) >= max(whole)
    dropped_before = False
    for end_ns, message in live.items():
        dropped_before |= any(each.dropped for each in message.evidence.values())
        if not is_whole(message):
            continue
        assert what_counted(message) == what_counted(whole[end_ns])
        if not dropped_before:  # a face is tracked from frame to frame, so a lost one is felt for long
            # `smoothed` remembers windows that were scored before their words came.
            ours, theirs = (np.delete(scores(each), 2, axis=1) for each in (message, whole[end_ns]))
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=str(end_ns))


def test_every_dropped_frame_is_told_in_the_messages(realtime):
    health, faces = realtime.health[-1], [message.evidence["face"] for message in realtime.emotions]
    (frames,) = (topic for topic in health.topics if topic.topic == "frame")
    # What health knows of the face worker may be a second old, and may have been on the way for another.
    counted_ns = health.time_ns - 2 * NS_PER_S
    told = max(
        message.evidence["face"].dropped for message in realtime.emotions if message.time_ns <= counted_ns
    )
    assert told <= frames.dropped
    if frames.dropped:
        assert any(face.dropped for face in faces) or faces[-1].pending_ms, (
            "told, or still on the way at the end"
        )
