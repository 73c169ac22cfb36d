"""IEMOCAP and CMU-MOSEI are read from the formats they are published in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.training.corpora import CorpusError, Split
from models.training.corpora.iemocap import load_iemocap, load_iemocap_low_resource
from models.training.corpora.mosei import load_mosei
from models.training.corpora.sequences import SequenceCorpus
from tests.models.training.sequence_files import (
    DIMS,
    Array,
    dump,
    write_iemocap_file,
    write_low_resource_files,
    write_mosei_files,
)

Load = Callable[[Path, Split], SequenceCorpus]

COUNTS = {"train": 5, "valid": 3, "test": 4}
LOADERS: dict[str, Load] = {
    "iemocap": load_iemocap,
    "iemocap-low-resource": load_iemocap_low_resource,
    "mosei": load_mosei,
}


def features(count: int, steps: int, dtype: type = np.float64) -> dict[str, Array]:
    random = np.random.default_rng(count)
    made: dict[str, Array] = {
        name: random.standard_normal((count, steps, dim)).astype(dtype) for name, dim in DIMS.items()
    }
    made["audio"][0, :2, 3] = -np.inf
    return made


def iemocap_part(count: int) -> dict[str, Array]:
    present = np.arange(count)[:, None] % 4 == np.arange(4)
    return features(count, 20) | {"labels": np.stack((~present, present), axis=-1).astype(np.int64)}


def write_iemocap(folder: Path) -> None:
    write_iemocap_file(folder, {part: iemocap_part(count) for part, count in COUNTS.items()})


def write_iemocap_low_resource(folder: Path) -> None:
    for part, count in COUNTS.items():
        labels = np.zeros((count, 11))
        labels[:, 0] = labels[:, 10] = 1  # neither is an emotion
        labels[np.arange(count), 1 + np.arange(count)] = 1
        write_low_resource_files(folder, part, features(count, 21), labels)


def write_mosei(folder: Path) -> None:
    for part, count in COUNTS.items():
        strength = np.zeros((count, 6))
        strength[np.arange(count), np.arange(count)] = 1 / 3
        strength[1, :2] = [3.0, 2 / 3]
        write_mosei_files(folder, part, features(count, 20, np.float32), strength)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a few utterances of each corpus in its published format."""
    made = tmp_path_factory.mktemp("sequences")
    write_iemocap(made)
    write_iemocap_low_resource(made)
    write_mosei(made)
    return made


@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("validation", "valid"), ("test", "test")])
@pytest.mark.parametrize("name", LOADERS)
def test_each_part_has_its_utterances_and_features(folder: Path, name: str, split: Split, part: str) -> None:
    corpus = LOADERS[name](folder, split)
    assert (corpus.name, corpus.split, len(corpus)) == (name, split, COUNTS[part])
    written = features(COUNTS[part], 21 if name == "iemocap-low-resource" else 20)
    for modality, dim in DIMS.items():
        read = getattr(corpus, modality)
        assert read.shape == (COUNTS[part], 20, dim)
        assert read.dtype == np.float32
        expected = np.where(np.isneginf(written[modality]), 0, written[modality])
        np.testing.assert_allclose(read, expected[:, :20], rtol=1e-6)
    assert corpus.labels.shape == (COUNTS[part], len(corpus.emotions))
    assert corpus.labels.dtype == np.bool_


def shown(corpus: SequenceCorpus) -> list[list[str]]:
    return [[corpus.emotions[i] for i in np.flatnonzero(row)] for row in corpus.labels]


def test_iemocap_labels_are_in_the_published_order(folder: Path) -> None:
    assert shown(load_iemocap(folder, "train")) == [["neutral"], ["happy"], ["sad"], ["angry"], ["neutral"]]


def test_iemocap_low_resource_labels_leave_out_the_first_column_and_what_follows_the_ninth(
    folder: Path,
) -> None:
    corpus = load_iemocap_low_resource(folder, "train")
    assert shown(corpus) == [["angry"], ["excited"], ["fear"], ["sad"], ["surprised"]]
    assert corpus.emotions[5:] == ("frustrated", "happy", "neutral", "disgust")


def test_mosei_labels_are_what_is_above_zero(folder: Path) -> None:
    corpus = load_mosei(folder, "test")
    assert shown(corpus) == [["anger"], ["anger", "disgust"], ["fear"], ["happy"]]
    assert corpus.emotions == ("anger", "disgust", "fear", "happy", "sad", "surprise")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("iemocap", "iemocap_data.pkl"),
        ("iemocap-low-resource", "y_valid.p"),
        ("mosei", "text_valid_emb.h5"),
    ],
)
def test_an_absent_file_is_named(tmp_path: Path, name: str, first: str) -> None:
    with pytest.raises(CorpusError, match=f"{first} is missing; put the "):
        LOADERS[name](tmp_path, "validation")


def without(name: str, part: dict[str, Array]) -> dict[str, Array]:
    return {other: array for other, array in part.items() if other != name}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "has no entry 'train'"),
        ({"valid": iemocap_part(2)}, "has no entry 'train'"),
        ({"train": without("audio", iemocap_part(2))}, "train has no entry 'audio'"),
        (
            {"train": iemocap_part(2) | {"text": "words"}},
            "train: text should be an array of numbers with 3 axes, not str",
        ),
        ({"train": iemocap_part(2) | {"text": np.ones((2, 300))}}, r"3 axes, not float64\[2, 300\]"),
        (
            {"train": iemocap_part(2) | {"text": np.full((2, 3, 4), "x")}},
            "an array of numbers with 3 axes, not <U1",
        ),
        (
            {"train": iemocap_part(2) | {"vision": np.full((2, 3, 4), np.nan)}},
            "train: vision holds values that are not finite",
        ),
        ({"train": iemocap_part(2) | {"labels": np.ones((2, 6, 2))}}, r"not \[N, 4, 2\]"),
        (
            {"train": iemocap_part(2) | {"audio": np.ones((3, 20, 74))}},
            "iemocap: what was read as train does not fit",
        ),
    ],
)
def test_an_iemocap_of_another_format_says_what_is_wrong(tmp_path: Path, value: object, message: str) -> None:
    dump(tmp_path / "iemocap_data.pkl", value)
    with pytest.raises(CorpusError, match=message):
        load_iemocap(tmp_path, "train")


def test_low_resource_labels_of_other_emotions_are_refused(tmp_path: Path) -> None:
    write_iemocap_low_resource(tmp_path)
    dump(tmp_path / "y_train.p", np.zeros((COUNTS["train"], 6)))
    with pytest.raises(CorpusError, match="does not fit 9 emotions"):
        load_iemocap_low_resource(tmp_path, "train")


def test_a_mosei_file_of_another_format_is_named(tmp_path: Path) -> None:
    write_mosei(tmp_path)
    (tmp_path / "audio_train.h5").write_text("no HDF5")
    with pytest.raises(CorpusError, match=r"audio_train\.h5: cannot read the HDF5 dataset 'd1'"):
        load_mosei(tmp_path, "train")
    with h5py.File(tmp_path / "text_valid_emb.h5", "w") as file:
        file["other"] = np.ones(3)
    with pytest.raises(CorpusError, match=r"text_valid_emb\.h5: cannot read the HDF5 dataset 'd1'"):
        load_mosei(tmp_path, "validation")
    with h5py.File(tmp_path / "ey_test.h5", "w") as file:
        file["d1"] = np.ones((COUNTS["test"], 7))
    with pytest.raises(CorpusError, match="mosei: what was read as test does not fit 6 emotions"):
        load_mosei(tmp_path, "test")
