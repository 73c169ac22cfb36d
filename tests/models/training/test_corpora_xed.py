"""XED is read from its two files, and split by what its lines say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from models.training.corpora import CorpusError, open_corpus
from models.training.corpora.xed import Xed, line_split
from tests.models.training.conftest import write_xed_files


def test_labels_are_plutchiks_eight_and_neutral(tmp_path: Path) -> None:
    annotated = ["I missed you .\t6, 5", "! ?\t1,2,3,4", "What ?\t7", "I believe you .\t8"]
    write_xed_files(tmp_path, annotated, ["9\tJust tell him.", "9\tIt's Monday.\t\t\t", "\t\t\t\t"])
    corpus = Xed(tmp_path)
    labels = {corpus.content(e.key).decode(): e.concepts for e in corpus.examples()}
    assert labels == {
        "I missed you .": ("joy", "sadness"),
        "! ?": ("anger", "anticipation", "disgust", "fear"),
        "What ?": ("surprise",),
        "I believe you .": ("trust",),
        "Just tell him.": ("neutral",),
        "It's Monday.": ("neutral",),
    }


def test_a_line_counts_once_with_its_first_labels(tmp_path: Path) -> None:
    write_xed_files(tmp_path, ["Wait !\t2"], ["9\tWait !", "9\tHere.", "9\tHere."])
    corpus = Xed(tmp_path)
    labels = [(corpus.content(e.key).decode(), e.concepts) for e in corpus.examples()]
    assert labels == [("Wait !", ("anticipation",)), ("Here.", ("neutral",))]


def test_the_split_depends_on_the_line_alone_and_never_changes() -> None:
    assert Counter(line_split(f"line {i}") for i in range(1000)) == {
        "train": 791,
        "validation": 101,
        "test": 108,
    }
    assert [line_split(text) for text in ("ligne né 5", "ligne né 6")] == ["train", "test"]


@pytest.mark.parametrize(
    ("annotated", "neutral", "said"),
    [
        (["a line without labels"], [], "en-annotated.tsv:1: not a line, a tab and label numbers 1 to 8"),
        (["fine\t1", "not fine\t9"], [], "en-annotated.tsv:2: "),
        (["not fine\tjoy"], [], "en-annotated.tsv:1: "),
        ([], ["9\tfine", "8\tnot fine"], "neu_en.txt:2: not 9, a tab and a line"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, annotated: list[str], neutral: list[str], said: str) -> None:
    (tmp_path / "xed").mkdir()
    write_xed_files(tmp_path / "xed", annotated, neutral)
    with pytest.raises(CorpusError) as error:
        open_corpus("xed", tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'xed'}/{said}")
