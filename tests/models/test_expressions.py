"""From a clip to its scores: faces that leave and return, and a face that starts to smile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.offline import score_media
from stream import EmotionMessage
from stream.config import Config, config_folder
from stream.windows import NS_PER_S
from tests.clips import pictures, write_clip

FRAMES_HZ = 10
CONFIG = Config.model_validate(
    {
        "sources": {"name": "clip", "camera": {"device": 0}},
        "vocabulary": str(config_folder() / "vocabularies" / "ekman.yaml"),
        "transcript": {"engine": "off"},
        "face": {"coverage_floor": 0.04},
    }
)


@pytest.fixture(scope="module")
def leaves_and_returns(
    asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> list[EmotionMessage]:
    """Give the scores of 1.5 s with a face, 6.5 s of the same room without it, and 1.5 s with it again."""
    recorded = pictures(asset("face-noface"), 60, every=3)
    face, room = recorded[:15], recorded[35:55]
    shown = [*face, *room, *room, *room, *room[:5], *face]
    clip = write_clip(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        images=shown,
        times_ms=range(0, len(shown) * 1000 // FRAMES_HZ, 1000 // FRAMES_HZ),
    )
    return list(score_media(clip, CONFIG))


@pytest.fixture(scope="module")
def smiles(asset: Callable[[str], Path]) -> list[EmotionMessage]:
    """Give the scores of 2.4 s of a face that is neutral at first and smiles from 0.6 s on."""
    return list(score_media(asset("single-face") / "single_face.mp4", CONFIG))


def distance(message: EmotionMessage, emotion: str) -> float:
    return next(score.distance for score in message.emotions if score.name == emotion)


def probability(message: EmotionMessage, emotion: str) -> float:
    return next(score.probability for score in message.emotions if score.name == emotion)


def nearest(message: EmotionMessage) -> str:
    return min(message.emotions, key=lambda score: score.distance).name


def test_face_evidence_goes_and_comes_with_the_face(leaves_and_returns: list[EmotionMessage]) -> None:
    evidence = {m.window.end_ns / NS_PER_S: m.evidence["face"] for m in leaves_and_returns}
    assert {end_s: evidence[end_s].used for end_s in (1.0, 5.0, 7.0, 7.9, 9.0)} == {
        1.0: True,
        5.0: True,  # a window of 5 s holds the face a while longer
        7.0: False,
        7.9: False,
        9.0: True,
    }
    absent = [each for end_s, each in evidence.items() if 7.0 <= end_s < 8.0]
    assert {each.why for each in absent} == {"no face in the window"}
    assert {each.coverage for each in absent} == {0.0}
    rising = [each.coverage for end_s, each in evidence.items() if end_s <= 1.4]
    assert rising == sorted(rising)


def test_without_a_face_there_are_no_scores(leaves_and_returns: list[EmotionMessage]) -> None:
    for message in leaves_and_returns:
        assert bool(message.emotions) == message.evidence["face"].used
        assert message.evidence["voice"].why == "no audio stream"


def test_a_smile_brings_a_face_nearer_to_joy(smiles: list[EmotionMessage]) -> None:
    scored = [message for message in smiles if message.emotions]
    neutral = [message for message in scored if message.window.end_ns <= 0.5 * NS_PER_S]
    smiling = [message for message in scored if message.window.end_ns >= 1.5 * NS_PER_S]
    assert len(neutral) >= 3
    assert len(smiling) >= 8
    assert max(distance(m, "joy") for m in smiling) < min(distance(m, "joy") for m in neutral)
    assert min(probability(m, "joy") for m in smiling) > max(probability(m, "joy") for m in neutral) + 0.3
    assert "joy" not in map(nearest, neutral)
    assert set(map(nearest, smiling)) == {"joy"}
    smoothed = [m.emotions[0].smoothed for m in scored]
    assert scored[0].emotions[0].name == "joy"
    assert np.all(np.diff(smoothed[6:]) > 0), "it builds up, without a jump back"
