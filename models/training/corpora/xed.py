"""XED: English film subtitles, Plutchik's eight emotions and neutral (Öhman et al. 2020)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.training.corpora.base import CorpusError, Example, Split

_CONCEPTS = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust", "neutral")
_ANNOTATED, _NEUTRAL = "en-annotated.tsv", "neu_en.txt"
_NEUTRAL_NUMBER = "9"
_PARTS = 10


class Xed:
    """The lines, split by their hash, for XED comes without a split: a tenth each validates and tests.

    Where a line stands more than once it counts once, with the labels of its first occurrence; the annotated
    file comes before the neutral one.

    Args:
        folder: Holds `en-annotated.tsv` (line, label numbers 1 to 8) and `neu_en.txt` (9, line).

    Raises:
        CorpusError: A file is missing or malformed.
    """

    name = "xed"
    about = "26,306 film subtitles, split by the hash of the line 8:1:1 (Öhman et al. 2020)"
    modality = "text"
    concepts = _CONCEPTS
    multi_label = True
    licence = "CC BY 4.0 by common report"

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, str] = {}
        self._examples: list[Example] = []
        for name in (_ANNOTATED, _NEUTRAL):
            if not (folder / name).is_file():
                raise CorpusError(f"{folder / name} is missing; put XED's {_ANNOTATED} and {_NEUTRAL} there")
        seen: set[str] = set()
        for name in (_ANNOTATED, _NEUTRAL):
            for number, line in enumerate(_lines(folder / name), 1):
                if not line.strip():  # the neutral file has a row of nothing but tabs
                    continue
                try:
                    text, concepts = _annotated(line) if name == _ANNOTATED else _neutral(line)
                except ValueError as error:
                    raise CorpusError(f"{folder / name}:{number}: {error}") from error
                if text not in seen:
                    seen.add(text)
                    key = f"{name}:{number}"
                    self._texts[key] = text
                    self._examples.append(Example(key, line_split(text), concepts))

    def examples(self) -> list[Example]:
        """Return all lines in the order of the files."""
        return list(self._examples)

    def content(self, key: str) -> bytes:
        """Return the line `key` as UTF-8."""
        return self._texts[key].encode()


def line_split(text: str) -> Split:
    """Return the part that a line belongs to.

    The BLAKE2b hash (8 bytes, big-endian) of the line in UTF-8, modulo ten: 0 tests, 1 validates, the rest
    trains. It depends on the line alone, so no line is in two parts and added lines move none.
    """
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    part = int.from_bytes(digest, "big") % _PARTS
    return "test" if part == 0 else "validation" if part == 1 else "train"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8; fetch XED again") from error


def _annotated(line: str) -> tuple[str, tuple[str, ...]]:
    text, tab, numbers = line.rpartition("\t")
    try:
        found = {int(number) for number in numbers.split(",")}
    except ValueError:
        found = set()
    if not tab or not found or not found <= set(range(1, 9)):
        raise ValueError("not a line, a tab and label numbers 1 to 8")
    return text, tuple(concept for number, concept in enumerate(_CONCEPTS, 1) if number in found)


def _neutral(line: str) -> tuple[str, tuple[str, ...]]:
    number, tab, text = line.rstrip("\t").partition("\t")
    if not tab or number != _NEUTRAL_NUMBER:
        raise ValueError(f"not {_NEUTRAL_NUMBER}, a tab and a line")
    return text, ("neutral",)
