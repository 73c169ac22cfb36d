"""What is learned from and measured on, with every emotion and with one that is unseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.corpora import CorpusError
from models.training.corpora.sequences import SEQUENCES, SequenceCorpus
from models.training.sequences.protocol import CorpusParts
from models.training.sequences.recipe import FineTuning, Unseen
from models.training.sequences.selection import with_emotion
from tests.models.training.sequence_files import write_iemocap, write_mosei

COUNTS = (90, 54, 72)
TUNING = FineTuning(rate=1e-4, batch=8, epochs=1, patience=1, plateau=1, clip=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a small IEMOCAP and a small CMU-MOSEI."""
    folder = tmp_path_factory.mktemp("corpora")
    write_mosei(folder / "mosei", COUNTS)
    write_iemocap(folder / "iemocap", COUNTS)
    return folder


def parts(data: Path, corpus: str, emotion: str | None = None, **options: object) -> CorpusParts:
    unseen = Unseen.model_validate({"emotion": emotion, **options}) if emotion else None
    return CorpusParts(corpus, data, unseen, seed=0)


def present(part: SequenceCorpus, emotion: str) -> int:
    return int(part.labels[:, part.emotions.index(emotion)].sum())


@pytest.mark.parametrize(("corpus", "emotions"), [("mosei", 6), ("iemocap", 4)])
def test_without_an_unseen_emotion_parts_are_as_they_are(data: Path, corpus: str, emotions: int) -> None:
    found = parts(data, corpus)
    sizes = [len(found.learning("train")), len(found.learning("validation")), len(found.whole("test"))]
    assert sizes == list(COUNTS)
    assert len(found.whole("test").emotions) == emotions
    assert found.tuning() is None


def test_on_mosei_the_examples_of_an_unseen_emotion_are_taken_out_of_learning(data: Path) -> None:
    whole, found = parts(data, "mosei").learning("train"), parts(data, "mosei", "surprise")
    for split in ("train", "validation"):
        part = found.learning(split)
        assert part.emotions == ("anger", "disgust", "fear", "happy", "sad")
        assert part.labels.shape == (len(part), 5)
    train = found.learning("train")
    assert len(train) == len(whole) - present(whole, "surprise") < len(whole)
    kept = ~whole.labels[:, -1]
    np.testing.assert_array_equal(train.audio, whole.audio[kept])
    np.testing.assert_array_equal(train.labels, whole.labels[kept, :-1])
    assert present(found.whole("test"), "surprise") > 0
    assert len(found.whole("test")) == COUNTS[2]


def test_on_iemocap_an_unseen_emotion_is_added_for_the_test(data: Path) -> None:
    whole, found = parts(data, "iemocap"), parts(data, "iemocap", "excited")
    for split in ("train", "validation"):
        np.testing.assert_array_equal(found.learning(split).labels, whole.learning(split).labels)
    test = found.whole("test")
    assert test.emotions == ("neutral", "happy", "sad", "angry", "excited")
    assert present(test, "excited") == len(test) - COUNTS[2] == COUNTS[2] // 9
    assert not test.labels[: COUNTS[2], -1].any()
    assert not test.labels[COUNTS[2] :, :-1].any()
    assert all(getattr(test, name).shape[:2] == (len(test), 20) for name in SEQUENCES)


@pytest.mark.parametrize(("corpus", "emotion"), [("mosei", "surprise"), ("iemocap", "excited")])
def test_few_shot_learns_from_a_share_rounded_up(data: Path, corpus: str, emotion: str) -> None:
    found = parts(data, corpus, emotion, fraction=0.15)
    whole, train = found.whole("train"), found.learning("train")
    few = int(np.ceil(0.15 * present(whole, emotion)))
    assert present(train, emotion) == few > 0
    assert len(train) == len(whole) - present(whole, emotion) + few
    assert found.learning("validation").emotions == train.emotions == found.whole("test").emotions


def test_few_are_the_same_every_time(data: Path) -> None:
    first, second = (parts(data, "mosei", "sad", fraction=0.2).learning("train") for _ in range(2))
    np.testing.assert_array_equal(first.text, second.text)


def test_fine_tuning_has_few_and_as_many_others_and_learns_the_rest_before(data: Path) -> None:
    found = parts(data, "mosei", "fear", fraction=0.2, fine_tuning=TUNING)
    tuning = found.tuning()
    assert tuning is not None
    few = int(np.ceil(0.2 * present(found.whole("train"), "fear")))
    assert (len(tuning), present(tuning, "fear")) == (2 * few, few)
    assert "fear" not in found.learning("train").emotions


@pytest.mark.parametrize(
    ("corpus", "emotion", "among"),
    [("iemocap", "sad", "excited, fear, surprised"), ("mosei", "bored", "anger, disgust, fear")],
)
def test_an_emotion_that_cannot_be_unseen_is_named(data: Path, corpus: str, emotion: str, among: str) -> None:
    with pytest.raises(CorpusError, match=f"'{emotion}' cannot be the unseen emotion .*{among}"):
        parts(data, corpus, emotion)


def test_corpora_of_other_features_are_not_joined(data: Path) -> None:
    iemocap = parts(data, "iemocap").whole("test")
    other = parts(data, "mosei").whole("test")
    shorter = SequenceCorpus(**{**vars(other), "audio": other.audio[:, :-1]})
    with pytest.raises(
        CorpusError, match=r"audio features of iemocap are \(20, 74\), those of mosei \(19, 74\)"
    ):
        with_emotion(iemocap, shorter, "fear")
