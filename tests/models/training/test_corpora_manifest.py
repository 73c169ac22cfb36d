"""Anyone's own data is read from a table; what is wrong with it is said with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.training.corpora import Corpus, CorpusError, read_manifest


def parts(path: Path, table: str) -> dict[str, Corpus]:
    """Return the corpora of a table by their modality."""
    path.write_text(table, encoding="utf-8")
    return {corpus.modality: corpus for corpus in read_manifest(path)}


def test_each_modality_has_the_rows_that_show_it(tmp_path: Path) -> None:
    found = parts(
        tmp_path / "mine.csv",
        "video,audio,image,text,emotion,speaker,split\n"
        "a.mp4,,,,joy,Ann,train\n"
        ",b.wav,,,calm,Bob,validation\n"
        ",,c.png,,awe;joy,,test\n"
        ',,,"so,\nthere",fed up,,\n'
        ",,,bye,sad,,\n",
    )
    rows = {
        modality: [(e.key, e.split, e.concepts, e.speaker) for e in corpus.examples()]
        for modality, corpus in found.items()
    }
    assert rows == {
        "face": [
            ("line 2", "train", ("joy",), "Ann"),
            ("line 4", "test", ("awe", "joy"), "line 4"),
        ],
        "voice": [
            ("line 2", "train", ("joy",), "Ann"),
            ("line 3", "validation", ("calm",), "Bob"),
        ],
        "text": [
            ("line 5", "test", ("fed up",), "line 5"),
            ("line 7", "test", ("sad",), "line 7"),
        ],
    }
    assert [found[m].name for m in ("face", "voice", "text")] == ["mine-face", "mine-voice", "mine-text"]
    assert [found[m].multi_label for m in ("face", "voice", "text")] == [True, False, False]
    assert found["face"].concepts == ("awe", "joy")
    assert found["text"].content("line 5").decode() == "so,\nthere"


def test_files_are_found_beside_the_table_and_the_own_kind_comes_first(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "a.wav", "a.png"):
        (tmp_path / "clips" / name).write_text(name)
    table = "video,audio,image,emotion\nclips/a.mp4,clips/a.wav,clips/a.png,joy\nclips/a.mp4,,,joy\n"
    found = parts(tmp_path / "mine.csv", table)
    contents = {m: [corpus.content(f"line {n}") for n in (2, 3)] for m, corpus in found.items()}
    assert contents == {"face": [b"a.png", b"a.mp4"], "voice": [b"a.wav", b"a.mp4"]}


def test_a_spreadsheet_saves_it_with_a_mark_other_cases_and_empty_rows(tmp_path: Path) -> None:
    found = parts(tmp_path / "mine.csv", "\ufeffText, Emotion \r\nhello,Joy\r\n,\r\nbye, sad ; Tired;\r\n")
    assert [(e.key, e.concepts) for e in found["text"].examples()] == [
        ("line 2", ("joy",)),
        ("line 4", ("sad", "tired")),
    ]


def test_a_missing_file_is_named_with_line_and_column(tmp_path: Path) -> None:
    found = parts(tmp_path / "mine.csv", "audio,emotion\ngone.wav,joy\n")
    with pytest.raises(CorpusError) as error:
        found["voice"].content("line 2")
    gone = tmp_path / "gone.wav"
    assert str(error.value).startswith(f"{tmp_path / 'mine.csv'}:2: audio: {gone} does not exist; ")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("txt,emotion\nhi,joy\n", ":1: there is no column 'txt', did you mean text?; columns are video, "),
        ("text,emotion,text\nhi,joy,ho\n", ":1: text: the column is there twice; remove one"),
        ("text,speaker\nhi,Ann\n", ":1: there is no column emotion; add it"),
        ("emotion,speaker\njoy,Ann\n", ":1: add at least one of the columns video, audio, image, text"),
        ("text,emotion\nhi, ;\n", ":2: emotion: there is no label; write a word"),
        ("audio,text,emotion\n,,joy\n", ":2: nothing in audio, text; fill one of them"),
        ("text,emotion\nhi, there,joy\n", ":2: 3 cells for 2 columns; quote texts that have commas"),
        ("text,emotion,split\nhi,joy,tset\n", ":2: split: there is no 'tset', did you mean test?; splits are "),
        ('text,emotion\n"hi,joy\n', ":2: unexpected end of data; check its quotes"),
        ("text,emotion\n", " holds no rows below its header; add a row"),
        ("", ":1: there is no column emotion"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_line_column_and_remedy(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(CorpusError) as error:
        parts(tmp_path / "mine.csv", table)
    assert str(error.value).startswith(f"{tmp_path / 'mine.csv'}{said}")


def test_all_wrong_rows_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as error:
        parts(tmp_path / "mine.csv", "text,emotion,split\nhi,,\nho,joy,\n,joy,\n" + "hey,,\n" * 20)
    lines = str(error.value).splitlines()
    assert [line.removeprefix(f"{tmp_path / 'mine.csv'}:")[0] for line in lines[:3]] == ["2", "4", "5"]
    assert lines[10:] == ["and 12 more"]


def test_a_table_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.csv does not exist; check the path"):
        read_manifest(tmp_path / "gone.csv")
    (tmp_path / "mine.csv").write_bytes("text,emotion\ncafé,joy\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"mine\.csv is not UTF-8; save the table as CSV in UTF-8"):
        read_manifest(tmp_path / "mine.csv")
