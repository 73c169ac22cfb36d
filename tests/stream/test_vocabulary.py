"""Vocabularies: what an entry may be, errors that name the line, reloading that breaks nothing."""

from __future__ import annotations

import os

import pytest

from stream.config import config_folder
from stream.file_watch import FileWatch
from stream.vocabulary import VocabularyError, load_vocabulary


@pytest.fixture
def write(tmp_path):
    path = tmp_path / "words.yaml"

    def write(text):
        path.write_text(text)
        return path

    return write


def test_an_entry_is_a_word_several_words_or_a_phrase(write):
    vocabulary = load_vocabulary(
        write(
            """\
name: mine
emotions:
  - joy
  - [anger, fury]
  - {name: fed up, words: [about to give up], threshold: 0.6, colour: "#aa0000"}
"""
        )
    )
    assert [e.name for e in vocabulary.emotions] == ["joy", "anger", "fed up"]
    assert [e.phrases for e in vocabulary.emotions] == [("joy",), ("anger", "fury"), ("about to give up",)]
    assert vocabulary.emotions[2].threshold == 0.6
    assert vocabulary.lines == (3, 4, 5)


def test_the_version_changes_with_the_content_alone(write):
    first = load_vocabulary(write("name: mine\nemotions: [joy]")).version
    assert load_vocabulary(write("# a comment\nname: mine\nemotions:\n  - joy\n")).version == first
    assert load_vocabulary(write("name: mine\nemotions: [joy, fear]")).version != first
    assert first.startswith("mine@")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: mine\nemotions: []", r"words.yaml:2: emotions = \[…\]: .*at least 1"),
        ("name: mine\nemotions:\n  - joy\n  - joy", "named twice: joy"),
        ("name: mine\nemotions:\n  - {name: joy, treshold: 0.5}", "words.yaml:3: .*treshold = 0.5: unknown key; did you mean `threshold`"),
        ("name: mine\nemotions:\n  - joy\n  - {name: fear, threshold: 2}", "words.yaml:4: .*threshold = 2: .*less than or equal to 1"),
        ("name: mine\nemotions:\n  - {name: joy, colour: red}", "words.yaml:3: .*colour"),
        ("name: mine\nemotions:\n  - joy\n bad", "words.yaml:4: not valid YAML"),
        ("emotions: [joy]", "name: missing"),
        ("", "missing"),
        ("name: mine\nemotions: [7]", "words.yaml:2: "),
        ("name: mine\nemotions: [" + ", ".join(f"w{i}" for i in range(300)) + "]", "at most 256"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_what_is_allowed(write, text, message):
    with pytest.raises(VocabularyError, match=message):
        load_vocabulary(write(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(VocabularyError, match=r"none.yaml: cannot be read: No such file"):
        load_vocabulary(tmp_path / "none.yaml")


def test_a_changed_file_is_read_again_and_a_bad_edit_keeps_the_old(write):
    path = write("name: mine\nemotions: [joy]")
    watch = FileWatch(path, load_vocabulary)
    first = watch.current.version
    assert not watch.poll()

    os.utime(write("name: mine\nemotions: [joy, fear]"), ns=(1, 1))
    assert watch.poll()
    second = watch.current.version
    assert second != first

    os.utime(write("name: mine\nemotions: ["), ns=(2, 2))
    assert watch.poll()
    assert watch.current.version == second
    assert "words.yaml:2: not valid YAML" in (watch.error or "")

    path.unlink()
    assert watch.poll()
    assert watch.current.version == second

    os.utime(write("name: mine\nemotions: [joy]"), ns=(3, 3))
    assert watch.poll()
    assert (watch.current.version, watch.error) == (first, None)
    assert watch.poll(force=True)


@pytest.mark.parametrize(
    "path", sorted((config_folder() / "vocabularies").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_vocabularies_that_come_with_emostream_are_valid(path):
    vocabulary = load_vocabulary(path)
    assert vocabulary.name == path.stem
    assert all(emotion.colour for emotion in vocabulary.emotions)
