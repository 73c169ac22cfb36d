"""The feature cache: extracted once, found again by content, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from models.training.corpora import CorpusError, Example
from models.training.extraction import ClipExtraction, FaceExtraction, comment_words
from models.training.features import Features, load_features


@dataclass
class Words:
    """A corpus in memory."""

    texts: dict[str, str]
    name = "words"
    about = ""
    modality = "text"
    concepts = ("joy",)
    multi_label = False
    licence = ""

    def examples(self) -> list[Example]:
        return [Example(key, "train", ("joy",)) for key in self.texts]

    def content(self, key: str) -> bytes:
        return self.texts[key].encode()


@dataclass(frozen=True)
class Letters:
    """One vector a letter: its code."""

    layout: str = "letters@1"
    dtype: str = "float32"
    seen: list[bytes] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[Callable[[bytes], Features]]:
        def extract(content: bytes) -> Features:
            self.seen.append(content)
            codes = np.frombuffer(content, np.uint8).astype(np.float32)[:, None]
            return Features(codes, np.ones(len(codes), np.float32))

        yield extract


def read(corpus: Words, extraction: Letters, cache: Path, processes: int = 1) -> list[list[float]]:
    table = load_features(corpus, corpus.examples(), extraction, cache=cache, processes=processes)
    return [features.vectors[:, 0].tolist() for features in table]


def test_features_come_in_the_order_of_the_examples_and_may_be_none(tmp_path: Path) -> None:
    assert read(Words({"1": "b", "2": "", "3": "ab"}), Letters(), tmp_path) == [[98], [], [97, 98]]


def test_what_is_cached_is_not_extracted_again(tmp_path: Path) -> None:
    read(Words({"1": "a", "2": "b"}), Letters(), tmp_path)
    later = Letters()
    assert read(Words({"9": "b", "8": "c", "7": "a"}), later, tmp_path) == [[98], [99], [97]]
    assert later.seen == [b"c"]


def test_equal_examples_are_extracted_once(tmp_path: Path) -> None:
    extraction = Letters()
    assert read(Words({"1": "a", "2": "a"}), extraction, tmp_path) == [[97], [97]]
    assert extraction.seen == [b"a"]


def test_extraction_that_was_stopped_goes_on(tmp_path: Path) -> None:
    corpus = Words({str(i): f"{i:04d}" for i in range(600)})

    def stop(_: str, done: int, __: int) -> None:
        if done >= 256:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_features(corpus, corpus.examples(), Letters(), cache=tmp_path, progress=stop)
    later = Letters()
    assert len(read(corpus, later, tmp_path)) == 600
    assert len(later.seen) == 600 - 256


class Partly(Words):
    """A corpus whose example `gone` has no file."""

    def content(self, key: str) -> bytes:
        if key == "gone":
            raise CorpusError("gone.txt does not exist")
        return super().content(key)


@dataclass(frozen=True)
class Picky(Letters):
    """Takes nothing with an exclamation mark."""

    @contextmanager
    def open(self) -> Iterator[Callable[[bytes], Features]]:
        with super().open() as extract_any:

            def extract(content: bytes) -> Features:
                if b"!" in content:
                    raise CorpusError(f"{content.decode()} cannot be decoded")
                return extract_any(content)

            yield extract


@pytest.mark.parametrize("processes", [1, 2])
def test_what_cannot_be_read_is_passed_over_with_its_reason(tmp_path: Path, processes: int) -> None:
    many = {str(i): f"{i}" for i in range(300)}
    corpus = Partly({"a": "a", "gone": "", "b": "b!", "c": "cd", **many})
    table = load_features(corpus, corpus.examples(), Picky(), cache=tmp_path, processes=processes)
    assert table.broken == {1: "gone.txt does not exist", 2: "b! cannot be decoded"}
    assert table.counts[:4].tolist() == [1, 0, 0, 2]
    kept, readable = table.readable()
    assert kept == [0, *range(3, 304)]
    assert [readable[i].vectors[:, 0].tolist() for i in (0, 1)] == [[97], [99, 100]]
    assert readable[301].vectors[:, 0].tolist() == [ord(digit) for digit in "299"]


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    corpus = Words({"1": "a", "2": "b!"})
    load_features(corpus, corpus.examples(), Picky(), cache=tmp_path)
    assert read(corpus, Letters(), tmp_path) == [[97], [98, 33]]


def test_a_corpus_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"words: none of 2 examples can be read; the first: a! cannot"):
        read(Words({"1": "a!", "2": "b!"}), Picky(), tmp_path)


def test_several_processes_give_what_one_gives(tmp_path: Path) -> None:
    corpus = Words({str(i): f"{i}" for i in range(300)})
    alone, together = (read(corpus, Letters(), tmp_path / str(n), processes=n) for n in (1, 2))
    assert together == alone


def test_a_still_gives_one_vector_and_a_picture_without_face_none(
    corpora: Path, asset: Callable[[str], Path]
) -> None:
    from models.training.corpora import open_corpus

    corpus = open_corpus("fer2013", corpora)
    with FaceExtraction(asset("face_landmarker")).open() as extract:
        counts = {
            e.key: len(extract(corpus.content(e.key)).vectors)
            for e in corpus.examples()
            if e.split == "train"
        }
    assert counts == {
        "train/0.png": 1,
        "train/1.png": 1,
        "train/2.png": 1,
        "train/3.png": 1,
        "train/grey.png": 0,
    }


@pytest.mark.parametrize("name", ["ravdess", "nemo"])
def test_a_clip_gives_twenty_vectors_a_second(corpora: Path, asset: Callable[[str], Path], name: str) -> None:
    from models.training.corpora import open_corpus

    corpus = open_corpus(name, corpora)
    with ClipExtraction(asset("silero-vad")).open() as extract:
        features = extract(corpus.content(corpus.examples()[0].key))
    assert 27 <= len(features.vectors) <= 31
    assert features.speech.max() > 0.5


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("I LOVE it!!", ["i", "love", "it"]),
        ("don’t... stop", ["don't", "stop"]),
        ("[NAME] said: \"no\"", ["name", "said", "no"]),
        ("' ?", []),
    ],
)  # fmt: skip
def test_comments_as_a_transcriber_would_write_them(written: str, heard: list[str]) -> None:
    assert comment_words(written, heard=True) == heard
    assert comment_words(written) == written.split()
