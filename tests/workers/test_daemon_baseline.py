"""The personal baseline of a running daemon: what it learns, what `emostream score` gives, what calibration changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from models.baseline import NeutralPoint, write_points
from models.bundle import load_bundle
from models.offline import score_media
from stream import EmotionMessage
from stream.config import load_config
from tests.workers.command_line import emostream
from tests.workers.daemon import Daemon, own_environment, running_daemon
from tests.workers.media_time import by_media_time

LIVE = Path(__file__).resolve().parents[2] / "models" / "bundles" / "live"
BASELINE = "baseline: {enabled: true, seconds: 2, points: neutral.yaml}"


@pytest.fixture(scope="module")
def lossless(make_short_folder: Callable[[], Path], talking_clip: Path) -> Daemon:
    """Give a daemon that has played the talking clip with a baseline of two seconds."""
    config = f"sources: [{{name: clip, file: {{path: '{talking_clip}'}}}}]\npace: lossless\n{BASELINE}"
    with running_daemon(make_short_folder(), config) as daemon:
        assert daemon.wait() == 0, daemon.log
    return daemon


@pytest.fixture(scope="module")
def offline(lossless: Daemon, talking_clip: Path) -> list[EmotionMessage]:
    return list(score_media(talking_clip, load_config(lossless.folder / "emostream.yaml")))


@pytest.fixture
def listening(make_short_folder: Callable[[], Path], long_speech: Path) -> Iterator[Daemon]:
    """Give a daemon that listens to minutes of speech and would learn from an hour of it."""
    config = (
        f"sources: [{{name: clip, file: {{path: '{long_speech}'}}}}]\ntranscript: {{engine: 'off'}}\n"
        "baseline: {enabled: true, seconds: 3600, points: neutral.yaml}"
    )
    with running_daemon(make_short_folder(), config) as daemon:
        daemon.wait_until(lambda: any(message.baseline for message in daemon.emotions))
        yield daemon


def numbers(message: EmotionMessage) -> np.ndarray:
    """Return the scores of every emotion, before and after."""
    rows = []
    for score in message.emotions:
        before = score.uncorrected or score
        own = [score.by_modality.get(name, -1.0) for name in ("face", "voice", "text")]
        rows.append(
            [score.distance, score.probability, score.smoothed, before.distance, before.smoothed, *own]
        )
    return np.array(rows).reshape(-1, 8)


def states(messages: list[EmotionMessage], modality: str) -> list[str]:
    found = [(message.baseline or {}).get(modality) for message in messages]
    return [state.state for state in found if state is not None]


def test_face_and_voice_each_learn_and_then_are_set(lossless: Daemon) -> None:
    for modality in ("face", "voice"):
        seen = states(lossless.emotions, modality)
        learning = seen.count("learning")
        assert seen == ["learning"] * learning + ["set"] * (len(seen) - learning)
        assert learning >= 15
        assert "set" in seen


def test_before_and_after_are_both_published_once_it_is_set(lossless: Daemon) -> None:
    last = lossless.emotions[-1]
    assert any(score.uncorrected and score.uncorrected.distance != score.distance for score in last.emotions)
    assert all(
        (score.uncorrected is None) == ("set" not in {s.state for s in (message.baseline or {}).values()})
        for message in lossless.emotions
        for score in message.emotions
    )


def test_score_gives_what_the_daemon_gives(lossless: Daemon, offline: list[EmotionMessage]) -> None:
    live, alone = by_media_time(lossless.emotions), by_media_time(offline)
    assert list(live) == list(alone)
    for end_ns, message in alone.items():
        twin = live[end_ns]
        assert twin.baseline == message.baseline
        np.testing.assert_allclose(numbers(twin), numbers(message), atol=1e-5, err_msg=str(message.window))


def test_points_that_are_kept_while_it_runs_are_used_from_then_on(listening: Daemon) -> None:
    bundle = load_bundle(LIVE)
    sad = bundle.neutral["voice"].cosines + np.where(np.array(bundle.phrases) == "sadness", 0.5, 0)
    write_points(
        listening.folder / "neutral.yaml",
        bundle,
        "clip",
        {"voice": NeutralPoint(sad.astype(np.float32), 9.0)},
    )
    listening.wait_until(lambda: bool(states(listening.emotions[-1:], "voice") == ["set"]))
    state = (listening.emotions[-1].baseline or {})["voice"]
    assert state.calibrated
    assert "neutral points in use for clip" in listening.log


def test_a_broken_file_of_points_changes_nothing_and_is_told(listening: Daemon) -> None:
    (listening.folder / "neutral.yaml").write_text("[")
    listening.wait_until(lambda: "neutral points not changed" in listening.log)
    assert states(listening.emotions[-1:], "voice") == ["learning"]


def test_calibrate_listens_to_the_running_daemon_which_uses_what_was_learned(listening: Daemon) -> None:
    outcome = emostream(
        *("calibrate", "--config", str(listening.folder / "emostream.yaml"), "--seconds", "2"),
        *("--timeout", "120"),
        environment=own_environment(listening.folder),
    )
    assert outcome.status in (0, 1), outcome.err
    assert "voice: 2 s learned from" in outcome.out, outcome.err
    assert "kept for clip in" in outcome.out
    listening.wait_until(lambda: states(listening.emotions[-1:], "voice") == ["set"])
    assert listening.process.poll() is None
