"""Embedding spaces: what they know, how they answer what they do not, and the 840B text format."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.assets import AssetError
from models.embeddings import SPACES, EmbeddingError, EmbeddingSpace, UnknownWordError, open_space
from stream.messages import Float32Array

EKMAN = {
    "anger": ["furious", "outraged", "livid", "mad"],
    "disgust": ["revulsion", "repulsed", "nauseating", "loathing"],
    "fear": ["terrified", "afraid", "scared", "panic"],
    "joy": ["delighted", "cheerful", "happy", "ecstatic"],
    "sadness": ["sorrow", "grief", "gloomy", "heartbroken"],
    "surprise": ["astonished", "amazed", "startled", "astonishment"],
}


@pytest.fixture(scope="session")
def minilm(asset: Callable[[str], Path]) -> EmbeddingSpace:
    return open_space("minilm-l6", asset("minilm-l6"))


@pytest.fixture(scope="session")
def glove(asset: Callable[[str], Path]) -> EmbeddingSpace:
    return open_space("glove-6b-50d", asset("glove-6b-50d"))


@pytest.fixture(params=["minilm", "glove"])
def space(request: pytest.FixtureRequest) -> EmbeddingSpace:
    found: EmbeddingSpace = request.getfixturevalue(request.param)
    return found


def cosine(a: Float32Array, b: Float32Array) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_a_phrase_is_a_unit_vector(space: EmbeddingSpace) -> None:
    for text in ("joy", "Joy", "quiet pride", "homesick and hopeful"):
        vector = space.phrase(text)
        assert vector.shape == (space.dim,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_case_makes_no_difference(space: EmbeddingSpace) -> None:
    assert np.array_equal(space.phrase("SADNESS"), space.phrase("sadness"))


@pytest.mark.parametrize("text", ["", "   ", "123", "?!"])
def test_a_phrase_without_a_letter_is_refused(space: EmbeddingSpace, text: str) -> None:
    with pytest.raises(UnknownWordError, match="is not a word"):
        space.phrase(text)


def test_an_utterance_has_one_vector_a_word(space: EmbeddingSpace) -> None:
    vectors = space.utterance(["I", "can't", "believe", "it"])
    assert vectors.shape == (4, space.dim)
    assert np.linalg.norm(vectors, axis=1).min() > 0
    assert space.utterance([]).shape == (0, space.dim)


def test_a_word_with_nothing_in_it_has_a_zero_row(space: EmbeddingSpace) -> None:
    vectors = space.utterance(["so", "", "what"])
    assert not vectors[1].any()
    assert vectors[[0, 2]].any(axis=1).all()


def test_an_unknown_space_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(
        EmbeddingError, match=r"'word2vec'; there are minilm-l6, glove-6b-50d, glove-840b-300d"
    ):
        open_space("word2vec")


@pytest.mark.parametrize("name", SPACES)
def test_a_space_that_was_not_fetched_says_how_to_fetch_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path))
    with pytest.raises(AssetError, match=f"emostream assets fetch {name}"):
        open_space(name)


# -- MiniLM -----------------------------------------------------------------------------------------


def test_synonyms_are_nearest_to_their_emotion(minilm: EmbeddingSpace) -> None:
    emotions = np.stack([minilm.phrase(emotion) for emotion in EKMAN])
    right = sum(
        int(np.argmax(emotions @ minilm.phrase(synonym)) == index)
        for index, synonyms in enumerate(EKMAN.values())
        for synonym in synonyms
    )
    assert right >= 20  # of 24


def test_the_same_word_differs_with_its_context(minilm: EmbeddingSpace) -> None:
    alone = minilm.utterance(["great"])[0]
    praise = minilm.utterance(["that", "was", "a", "great", "concert"])[3]
    disaster = minilm.utterance(["it", "was", "a", "great", "disaster"])[3]
    assert cosine(praise, disaster) < cosine(praise, praise) - 0.05
    assert not np.array_equal(alone, praise)


def test_invented_words_have_vectors_too(minilm: EmbeddingSpace) -> None:
    assert minilm.phrase("frabjous").any()
    assert minilm.utterance(["callooh", "callay"]).any(axis=1).all()


def test_of_a_long_utterance_the_last_words_are_encoded(minilm: EmbeddingSpace) -> None:
    vectors = minilm.utterance(["well"] * 200 + ["that", "is", "over"])
    assert vectors[-126:].any(axis=1).all()
    assert not vectors[:-126].any()


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_words_can_be_encoded(minilm: EmbeddingSpace, words: list[str]) -> None:
    vectors = minilm.utterance(words)
    assert vectors.shape == (len(words), minilm.dim)
    assert np.isfinite(vectors).all()


# -- GloVe ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "same_as"),
    [
        ("Hello,", ["hello"]),
        ("mother's", ["mother"]),
        ("mother’s", ["mother"]),
        ("don't", ["do", "n't"]),
        ("can't", ["can", "n't"]),
        ("we'll", ["we", "'ll"]),
        ("joy-sorrow-anger", ["joy", "sorrow", "anger"]),
    ],
)
def test_glove_knows_words_as_they_are_spoken(glove: EmbeddingSpace, word: str, same_as: list[str]) -> None:
    expected = glove.utterance(same_as).mean(axis=0)
    assert np.allclose(glove.utterance([word])[0], expected)


def test_glove_gives_an_unknown_word_a_zero_row(glove: EmbeddingSpace) -> None:
    assert not glove.utterance(["frabjousness"])[0].any()


def test_a_phrase_is_the_mean_of_its_words(glove: EmbeddingSpace) -> None:
    mean = glove.utterance(["quiet", "pride"]).mean(axis=0)
    assert np.allclose(glove.phrase("quiet pride"), mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize(("typo", "meant"), [("joyy", "joy"), ("frustartion", "frustration")])
def test_an_unknown_word_comes_with_the_nearest_known_ones(
    glove: EmbeddingSpace, typo: str, meant: str
) -> None:
    with pytest.raises(UnknownWordError) as error:
        glove.phrase(f"deep {typo}")
    assert error.value.word == typo
    assert error.value.nearest[0] == meant
    assert f"nearest known words: {meant}" in str(error.value)


# -- the 840B text file -----------------------------------------------------------------------------


def line(word: str, value: float, dim: int = 300) -> str:
    return " ".join([word] + [f"{value + i / 1000:.5f}" for i in range(dim)]) + "\n"


GLOVE_TEXT = (
    line("joy", 0.1)
    + line(". . .", 0.2)
    + line("at name@domain.com", 0.3)
    + line("line\x85end\u2028word", 0.4)
    + line("Joyful", 0.5)
    + line("joy", 0.9)
)


@pytest.fixture
def glove_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "glove.840B.300d.txt"
    path.write_text(GLOVE_TEXT, newline="\n")
    return path


def test_the_published_text_format_is_read_with_its_odd_lines(glove_text: Path) -> None:
    space = open_space("glove-840b-300d", glove_text)
    assert (space.name, space.dim) == ("glove-840b-300d", 300)
    words = ["joy", "at name@domain.com", "line\x85end\u2028word", "Joyful", "domain.com"]
    vectors = space.utterance(words)
    assert vectors[:, 0] == pytest.approx([0.1, 0.3, 0.4, 0.5, 0.0])
    assert vectors[0, 299] == pytest.approx(0.399)


def test_a_zip_of_it_is_read_alike(glove_text: Path) -> None:
    archive = glove_text.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(glove_text, glove_text.name)
    from_zip = open_space("glove-840b-300d", archive)
    from_text = open_space("glove-840b-300d", glove_text)
    assert np.array_equal(from_zip.phrase("joy"), from_text.phrase("joy"))


def test_it_is_converted_once_and_again_when_the_file_changes(glove_text: Path, tmp_path: Path) -> None:
    converted = tmp_path / "cache" / "converted"
    open_space("glove-840b-300d", glove_text)
    before = {path: path.stat().st_mtime_ns for path in converted.iterdir()}
    open_space("glove-840b-300d", glove_text)
    assert {path: path.stat().st_mtime_ns for path in converted.iterdir()} == before
    changed_ns = glove_text.stat().st_mtime_ns + 1_000_000_000
    glove_text.write_text(line("sorrow", 0.7))
    os.utime(glove_text, ns=(changed_ns, changed_ns))
    assert open_space("glove-840b-300d", glove_text).utterance(["sorrow"])[0, 0] == pytest.approx(0.7)


@pytest.mark.parametrize(
    "broken", [line("grief", 0.1)[:-40], "grief 0.1 0.2\n", line("grief", float("nan")), "\n"]
)
def test_a_broken_line_is_named_and_nothing_is_kept(glove_text: Path, tmp_path: Path, broken: str) -> None:
    glove_text.write_text(GLOVE_TEXT + broken)
    with pytest.raises(EmbeddingError, match=r"glove.840B.300d.txt, line 7: not a word and 300 numbers"):
        open_space("glove-840b-300d", glove_text)
    assert not list((tmp_path / "cache" / "converted").iterdir())


def test_a_file_of_another_size_of_glove_is_refused(glove_text: Path) -> None:
    glove_text.write_text(line("joy", 0.1, dim=50))
    with pytest.raises(EmbeddingError, match="line 1: not a word and 300 numbers"):
        open_space("glove-840b-300d", glove_text)
