"""Anyone's own data: a table of files and texts with the emotions that they show.

A CSV in UTF-8 with a header. Columns, in any order:

- `emotion`, needed: one word or phrase, or several joined by `;`. Any will do; it is embedded as itself.
- `video`, `audio`, `image`, `text`, at least one of them: paths relative to the table, and what was said. A
  face is taken from `image`, else from `video`; a voice from `audio`, else from `video`.
- `speaker`: whoever has the same is normalised as one voice; a row without is a voice of its own.
- `split`: `train`, `validation` or `test`; a row without tests.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from models.training.corpora.base import Corpus, CorpusError, Example, Split, read_content

_SOURCES: Mapping[str, tuple[str, ...]] = {
    "face": ("image", "video"),
    "voice": ("audio", "video"),
    "text": ("text",),
}
"""The columns that each modality comes from; of those with a value the first counts."""
_MEDIA = ("video", "audio", "image", "text")
_COLUMNS = (*_MEDIA, "emotion", "speaker", "split")
_SHOWN = 10  # of the errors of a table


@dataclass(frozen=True)
class _Row:
    line: int
    cells: Mapping[str, str]
    concepts: tuple[str, ...]
    split: Split


def read_manifest(path: Path) -> list[Corpus]:
    """Return one corpus for each modality that the table has anything for, such as `mine-face` of `mine.csv`.

    Whether the files are there shows when their content is read.

    Raises:
        CorpusError: The table is missing or malformed; every error is named with its line and column.
    """
    rows = _read(path)
    corpora: list[Corpus] = []
    for modality, columns in _SOURCES.items():
        own = [row for row in rows if any(row.cells[column] for column in columns)]
        if own:
            corpora.append(ManifestPart(path, modality, own))
    return corpora


class ManifestPart:
    """The rows of a table that show one modality."""

    licence = "the user's own data"

    def __init__(self, path: Path, modality: str, rows: Sequence[_Row]) -> None:
        self.name = f"{path.stem}-{modality}"
        self.about = f"{len(rows)} rows of {path.name}"
        self.modality = modality
        self.concepts = tuple(sorted({concept for row in rows for concept in row.concepts}))
        self.multi_label = any(len(row.concepts) > 1 for row in rows)
        self._path = path
        self._rows = {f"line {row.line}": row for row in rows}

    def examples(self) -> list[Example]:
        """Return the rows in their order, keyed by their line."""
        return [
            Example(key, row.split, row.concepts, speaker=row.cells["speaker"] or key)
            for key, row in self._rows.items()
        ]

    def content(self, key: str) -> bytes:
        """Return the file or the text of a row.

        Raises:
            CorpusError: The file cannot be read; the message names line and column.
        """
        row = self._rows[key]
        column = next(column for column in _SOURCES[self.modality] if row.cells[column])
        if column == "text":
            return row.cells[column].encode()
        try:
            return read_content(self._path.parent / row.cells[column])
        except CorpusError as error:
            raise CorpusError(f"{self._path}:{row.line}: {column}: {error}") from error


def _read(path: Path) -> list[_Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, strict=True)
            columns = [name.strip().lower() for name in next(table, [])]
            _check_columns(path, columns)
            rows, errors = [], []
            line = table.line_num + 1
            for cells in table:
                if any(cell.strip() for cell in cells):
                    try:
                        rows.append(_row(line, columns, [cell.strip() for cell in cells]))
                    except ValueError as error:
                        errors.append(f"{path}:{line}: {error}")
                line = table.line_num + 1  # a quoted text may span lines
    except FileNotFoundError as error:
        raise CorpusError(f"{path} does not exist; check the path") from error
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8; save the table as CSV in UTF-8") from error
    except csv.Error as error:
        raise CorpusError(f"{path}:{table.line_num}: {error}; check its quotes") from error
    if errors:
        more = len(errors) - _SHOWN
        raise CorpusError("\n".join(errors[:_SHOWN]) + (f"\nand {more} more" if more > 0 else ""))
    if not rows:
        raise CorpusError(f"{path} holds no rows below its header; add a row for each example")
    return rows


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in _COLUMNS:
            raise CorpusError(
                f"{path}:1: there is no column {column!r}{_nearest(column, _COLUMNS)}; "
                f"columns are {', '.join(_COLUMNS)}"
            )
        if columns.count(column) > 1:
            raise CorpusError(f"{path}:1: {column}: the column is there twice; remove one")
    if "emotion" not in columns:
        raise CorpusError(f"{path}:1: there is no column emotion; add it with what each row shows")
    if not set(_MEDIA) & set(columns):
        raise CorpusError(f"{path}:1: add at least one of the columns {', '.join(_MEDIA)}")


def _row(line: int, columns: Sequence[str], values: Sequence[str]) -> _Row:
    if len(values) != len(columns):
        raise ValueError(f"{len(values)} cells for {len(columns)} columns; quote texts that have commas")
    cells = dict.fromkeys(_COLUMNS, "") | dict(zip(columns, values, strict=True))
    concepts = [word.strip().lower() for word in cells["emotion"].split(";") if word.strip()]
    if not concepts:
        raise ValueError("emotion: there is no label; write a word, or several joined by ;")
    if not any(cells[column] for column in _MEDIA):
        raise ValueError(f"nothing in {', '.join(c for c in columns if c in _MEDIA)}; fill one of them")
    return _Row(line, cells, tuple(dict.fromkeys(concepts)), _split(cells["split"].lower()))


def _split(written: str) -> Split:
    if not written:
        return "test"
    splits: tuple[Split, ...] = get_args(Split)
    for split in splits:
        if written == split:
            return split
    raise ValueError(
        f"split: there is no {written!r}{_nearest(written, splits)}; splits are {', '.join(splits)}"
    )


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {close[0]}?" if close else ""
