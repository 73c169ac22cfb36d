"""Each corpus is read as it is laid out, with its labels in the project's words and no speaker in two parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.corpora import CORPORA, CorpusError, corpora_in, open_corpus
from models.training.corpora.goemotions import EKMAN, GoEmotions


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_every_example_has_labels_of_its_corpus_and_content(corpora: Path, name: str) -> None:
    corpus = open_corpus(name, corpora)
    examples = corpus.examples()
    assert corpus.name == name
    assert {example.split for example in examples} == {"train", "validation", "test"}
    for example in examples:
        assert example.concepts
        assert set(example.concepts) <= set(corpus.concepts)
        assert corpus.content(example.key)
    assert examples == open_corpus(name, corpora).examples()


def test_fer2013_has_the_official_parts_and_our_words(corpora: Path) -> None:
    corpus = open_corpus("fer2013", corpora)
    examples = corpus.examples()
    assert Counter(example.split for example in examples) == {"train": 5, "validation": 4, "test": 4}
    assert {c for example in examples for c in example.concepts} == {
        "joy",
        "anger",
        "surprise",
        "disgust",
        "neutral",
    }
    image = cv2.imdecode(np.frombuffer(corpus.content(examples[0].key), np.uint8), cv2.IMREAD_COLOR)
    assert np.asarray(image).shape == (96, 96, 3)


def test_ravdess_is_split_by_actor(corpora: Path) -> None:
    by_split: dict[str, set[str]] = {}
    for example in open_corpus("ravdess", corpora).examples():
        by_split.setdefault(example.split, set()).add(example.speaker)
    assert by_split == {"train": {"actor01", "actor02"}, "validation": {"actor15"}, "test": {"actor17"}}


def test_ravdess_reads_the_emotion_from_the_name(corpora: Path) -> None:
    of = {example.key: example.concepts for example in open_corpus("ravdess", corpora).examples()}
    assert of["03-01-01-01-01-01-01.flac"] == ("neutral",)
    assert of["03-01-03-01-01-01-17.flac"] == ("joy",)
    assert of["03-01-05-01-01-01-15.flac"] == ("anger",)


def test_sex_is_told_by_the_number_of_a_ravdess_actor_and_by_nemos_table(corpora: Path) -> None:
    sexes = {example.speaker: example.sex for example in open_corpus("ravdess", corpora).examples()}
    assert sexes == {"actor01": "male", "actor02": "female", "actor15": "male", "actor17": "male"}
    sexes = {example.speaker: example.sex for example in open_corpus("nemo", corpora).examples()}
    assert sexes == {"EB0": "female", "TP0": "male", "WR0": "male"}


def test_nemo_keeps_speakers_for_validation_and_test(corpora: Path) -> None:
    split = {example.speaker: example.split for example in open_corpus("nemo", corpora).examples()}
    assert split == {"EB0": "train", "TP0": "validation", "WR0": "test"}


def test_goemotions_groups_labels_and_keeps_the_finer_ones(corpora: Path) -> None:
    corpus = open_corpus("goemotions", corpora)
    assert isinstance(corpus, GoEmotions)
    of = {example.key: example.concepts for example in corpus.examples()}
    assert of["train/train0"] == ("joy",)
    assert of["validation/dev4"] == ("joy", "love", "admiration")
    assert corpus.labelled("validation/dev4") == {"admiration", "love"}
    assert corpus.content("test/test1").decode() == "this makes me so mad (test)"


def test_goemotions_groups_hold_each_of_its_28_labels_once() -> None:
    labels = [label for group in EKMAN.values() for label in group]
    assert len(labels) == len(set(labels)) == 28


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_absent_corpus_says_what_belongs_where(tmp_path: Path, name: str) -> None:
    place, _ = CORPORA[name]
    with pytest.raises(CorpusError, match=str(tmp_path / place.split("/")[0])):
        open_corpus(name, tmp_path)


def test_unknown_corpus_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError,
        match="no corpus 'iris'; choose among crema_d, fer2013, goemotions, meld, meld-face, ",
    ):
        open_corpus("iris", tmp_path)


def test_corpora_that_are_there_are_found(corpora: Path, tmp_path: Path) -> None:
    assert corpora_in(corpora) == sorted(CORPORA)
    with pytest.raises(CorpusError, match=f"{tmp_path} holds no corpus; put one there as one of crema_d, "):
        corpora_in(tmp_path)


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("fer2013", "fer2013.zip", "no zip"),
        ("nemo", "nemo/data.tsv", "file_id\temotion\na.wav\tanger\n"),
        ("nemo", "nemo/data.tsv", "file_id\temotion\tspeaker_id\na.wav\tboredom\tann\n"),
        ("ravdess", "ravdess/03-01-99-01-01-01-01.flac", ""),
        ("ravdess", "ravdess/03-01-01.flac", ""),
        ("crema_d", "crema_d/AudioWAV/1001_DFA_SUR_XX.wav", ""),
        ("crema_d", "crema_d/AudioWAV/speech.wav", ""),
        ("goemotions", "goemotions/dev.tsv", "a comment without labels\n"),
        ("goemotions", "goemotions/dev.tsv", "a comment\t99\tid\n"),
    ],
)
def test_malformed_corpus_is_named(tmp_path: Path, name: str, path: str, content: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    if name == "goemotions":
        for each in ("labels.txt", "train.tsv", "test.tsv"):
            (tmp_path / "goemotions" / each).write_text("")
    (tmp_path / path).write_text(content)
    with pytest.raises(CorpusError, match=str(tmp_path / path)):
        open_corpus(name, tmp_path)
