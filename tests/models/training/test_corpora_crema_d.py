"""CREMA-D is read from its folder of clips, by their names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.training.corpora import CorpusError, open_corpus
from models.training.extraction import ClipExtraction


def test_name_gives_actor_emotion_and_part(corpora: Path) -> None:
    examples = {e.key: (e.speaker, e.concepts, e.split) for e in open_corpus("crema_d", corpora).examples()}
    assert examples == {
        "1001_DFA_ANG_XX.wav": ("actor1001", ("anger",), "train"),
        "1001_DFA_HAP_XX.wav": ("actor1001", ("joy",), "train"),
        "1075_DFA_ANG_XX.wav": ("actor1075", ("anger",), "validation"),
        "1075_DFA_HAP_XX.wav": ("actor1075", ("joy",), "validation"),
        "1091_DFA_ANG_XX.wav": ("actor1091", ("anger",), "test"),
        "1091_DFA_HAP_XX.wav": ("actor1091", ("joy",), "test"),
    }


def test_all_six_emotions_and_four_levels_are_known(tmp_path: Path) -> None:
    folder = tmp_path / "crema_d" / "AudioWAV"
    folder.mkdir(parents=True)
    emotions = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
    for i, emotion in enumerate(emotions):
        level = ("LO", "MD", "HI", "XX", "X")[i % 5]  # one published clip ends in X
        (folder / f"10{i:02d}_IEO_{emotion}_{level}.wav").touch()
    corpus = open_corpus("crema_d", tmp_path)
    assert [e.concepts[0] for e in corpus.examples()] == list(corpus.concepts)


def test_sex_is_told_by_the_table_of_actors_where_it_is_there(corpora: Path, tmp_path: Path) -> None:
    assert {example.sex for example in open_corpus("crema_d", corpora).examples()} == {""}
    shutil.copytree(corpora / "crema_d", tmp_path / "crema_d")
    table = tmp_path / "crema_d" / "VideoDemographics.csv"
    table.write_text('"ActorID","Age","Sex"\n1001,51,"Male"\n1075,40,"Female"\n')
    sexes = {example.speaker: example.sex for example in open_corpus("crema_d", tmp_path).examples()}
    assert sexes == {"actor1001": "male", "actor1075": "female", "actor1091": ""}
    table.write_text('"ActorID","Age"\n1001,51\n')
    with pytest.raises(CorpusError, match=r"VideoDemographics.csv:2: not a row with ActorID and Sex"):
        open_corpus("crema_d", tmp_path)


def test_voice_is_taken_from_a_clip(corpora: Path, asset: Callable[[str], Path]) -> None:
    corpus = open_corpus("crema_d", corpora)
    with ClipExtraction(asset("silero-vad")).open() as extract:
        features = extract(corpus.content("1001_DFA_ANG_XX.wav"))
    assert 27 <= len(features.vectors) <= 31
    assert features.speech.max() > 0.5
