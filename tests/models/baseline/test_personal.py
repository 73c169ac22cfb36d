"""The personal baseline in the scores of real clips: before, while it learns, and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.baseline import NeutralPoint, write_points
from models.bundle import Bundle
from models.offline import score_media
from stream.config import BaselineSection, Config, MediaFile, Source, vocabulary_path
from stream.public import EmotionMessage

SECONDS = 2.0


def score(clip: Path, **baseline: object) -> list[EmotionMessage]:
    """Score a clip, its words aside."""
    config = Config.model_validate(
        {
            "sources": [Source(name="file", file=MediaFile(path=clip))],
            "vocabulary": str(vocabulary_path("ekman", Path())),
            "transcript": {"engine": "off"},
            "baseline": baseline,
        }
    )
    return list(score_media(clip, config))


@pytest.fixture(scope="module")
def clip(asset: Callable[[str], Path]) -> Path:
    """Give four seconds of a talking face, silent."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
    return asset("carphone")


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the path of a file of neutral points that is not there."""
    return tmp_path_factory.mktemp("state") / "neutral.yaml"


@pytest.fixture(scope="module")
def plain(clip: Path) -> list[EmotionMessage]:
    return score(clip)


@pytest.fixture(scope="module")
def corrected(clip: Path, points: Path) -> list[EmotionMessage]:
    return score(clip, enabled=True, seconds=SECONDS, points=points)


def learning(message: EmotionMessage) -> bool:
    return message.baseline is not None and message.baseline["face"].state == "learning"


def numbers(message: EmotionMessage, *, before: bool = False) -> np.ndarray:
    """Return distance, probability, smoothed and the face's distance of every emotion, corrected or not."""
    scores = [emotion.uncorrected if before else emotion for emotion in message.emotions]
    return np.array([[s.distance, s.probability, s.smoothed, s.by_modality["face"]] for s in scores if s])


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    # The graph is asked more words at once with the baseline on, which sums in another order.
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_without_it_messages_say_nothing_of_it(plain: list[EmotionMessage]) -> None:
    assert {message.baseline for message in plain} == {None}
    assert {emotion.uncorrected for message in plain for emotion in message.emotions} == {None}


def test_it_learns_for_the_seconds_that_were_asked_for(corrected: list[EmotionMessage]) -> None:
    states = [message.baseline["face"] for message in corrected if message.baseline]
    assert len(states) == len(corrected)
    left = [state.seconds_left for state in states if state.seconds_left is not None]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(SECONDS, abs=0.2)
    assert len(left) == pytest.approx(SECONDS / 0.1, abs=2)
    assert {state.state for state in states[len(left) :]} == {"set"}
    assert not any(state.calibrated for state in states)


def test_a_modality_with_nobody_in_it_is_not_spoken_of(corrected: list[EmotionMessage]) -> None:
    assert {name for message in corrected for name in message.baseline or {}} == {"face"}


def test_scores_are_as_without_it_until_it_is_set(
    plain: list[EmotionMessage], corrected: list[EmotionMessage]
) -> None:
    for ours, theirs in zip(corrected, plain, strict=True):
        if learning(ours):
            assert_same(numbers(ours), numbers(theirs))
            assert not numbers(ours, before=True).size


def test_uncorrected_scores_are_those_without_it(
    plain: list[EmotionMessage], corrected: list[EmotionMessage]
) -> None:
    after = [pair for pair in zip(corrected, plain, strict=True) if not learning(pair[0])]
    assert len(after) > 10
    for ours, theirs in after:
        assert_same(numbers(ours, before=True), numbers(theirs))


def test_once_set_the_same_face_at_rest_shows_less_of_everything(corrected: list[EmotionMessage]) -> None:
    first = next(message for message in corrected if not learning(message))
    before, after = numbers(first, before=True), numbers(first)
    assert after[:, 1].max() < before[:, 1].max()
    # A word without excess may still come a little nearer: its offset is read off those of its neighbours.
    assert (after[:, 0] >= before[:, 0] - 0.01).all()


def test_no_strength_changes_nothing(clip: Path, points: Path, plain: list[EmotionMessage]) -> None:
    without = score(clip, enabled=True, seconds=SECONDS, strength=0.0, points=points)
    for ours, theirs in zip(without, plain, strict=True):
        assert_same(numbers(ours), numbers(theirs))


def test_a_modality_that_is_not_to_be_corrected_is_left_alone(
    clip: Path, points: Path, plain: list[EmotionMessage]
) -> None:
    voice_alone = score(clip, enabled=True, modalities=("voice",), points=points)
    for ours, theirs in zip(voice_alone, plain, strict=True):
        assert_same(numbers(ours), numbers(theirs))
        assert ours.baseline == {}


def test_kept_points_are_used_from_the_first_window_on(clip: Path, bundle: Bundle, tmp_path: Path) -> None:
    sad = bundle.neutral["face"].cosines + np.where(np.array(bundle.phrases) == "sadness", 0.5, 0)
    file = tmp_path / "neutral.yaml"
    write_points(file, bundle, "file", {"face": NeutralPoint(sad.astype(np.float32), 12.0)})
    messages = score(clip, enabled=True, points=file)
    for message in messages:
        assert message.baseline is not None
        assert (message.baseline["face"].state, message.baseline["face"].calibrated) == ("set", True)


def test_it_is_off_unless_asked_for() -> None:
    assert not BaselineSection().enabled
