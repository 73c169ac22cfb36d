"""What every corpus gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from stream.errors import UserError

Split = Literal["train", "validation", "test"]


class CorpusError(UserError):
    """A corpus that is missing or malformed; the message names the file and the remedy."""


class EmptyPartError(CorpusError):
    """A part of a corpus with nothing in it that can be used."""


@dataclass(frozen=True)
class Example:
    """One labelled still, clip or comment.

    Attributes:
        key: Names its content within the corpus.
        split: Which part it belongs to.
        concepts: The emotions it is labelled with, in the project's names (`joy`, not `happy`).
        speaker: Who speaks, where that matters; else empty.
        sex: `female` or `male` where the corpus tells; else empty.
    """

    key: str
    split: Split
    concepts: tuple[str, ...]
    speaker: str = ""
    sex: str = ""


class Corpus(Protocol):
    """A labelled corpus of one modality."""

    @property
    def name(self) -> str:
        """As it stands in recipes and reports."""

    @property
    def about(self) -> str:
        """What it holds, how it is split and who made it, in one line."""

    @property
    def modality(self) -> str:
        """`face`, `voice` or `text`."""

    @property
    def concepts(self) -> tuple[str, ...]:
        """Every emotion that an example may be labelled with."""

    @property
    def multi_label(self) -> bool:
        """Whether an example may have several."""

    @property
    def licence(self) -> str:
        """What it may be used for."""

    def examples(self) -> list[Example]:
        """Return all examples, in an order that does not change between runs."""

    def content(self, key: str) -> bytes:
        """Return an example's content: an image file, an audio file, or UTF-8 text.

        Raises:
            CorpusError: It cannot be read.
        """


class ClipFolder:
    """The clips of a corpus, each a file of one folder.

    Args:
        folder: Where they lie.
        examples: In the order of their names; the key of each is its file's name.
    """

    def __init__(self, folder: Path, examples: Sequence[Example]) -> None:
        self._folder = folder
        self._examples = tuple(examples)

    def examples(self) -> list[Example]:
        """Return all clips in the order of their names."""
        return list(self._examples)

    def content(self, key: str) -> bytes:
        """Return the audio file `key`.

        Raises:
            CorpusError: It cannot be read.
        """
        return read_content(self._folder / key)


def read_content(path: Path) -> bytes:
    """Return the content of an example's file.

    Raises:
        CorpusError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CorpusError(f"{path} does not exist; check the path, or fetch it again") from error
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror}") from error
