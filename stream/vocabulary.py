"""Emotion vocabularies: YAML files of words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from stream.errors import UserError
from stream.yaml_file import Section, YamlFileError, line_of, parse_yaml, validate

MAX_EMOTIONS = 256
Phrase = Annotated[str, Field(min_length=1, max_length=100)]


class VocabularyError(UserError):
    """A vocabulary that cannot be used; the text names file, line and remedy."""


def _as_entry(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, list) and value:
        return {"name": value[0], "words": value}
    return value


class Emotion(Section):
    """One emotion: a word, several words, or a phrase."""

    name: Phrase
    """Names the emotion in every message."""
    words: tuple[Phrase, ...] = ()
    """Words or phrases that mean it; the mean of their embeddings is used. Default: the name itself."""
    threshold: float | None = Field(None, ge=0, le=1)
    """Smoothed probability from which the emotion counts as `active`."""
    colour: str | None = Field(None, pattern=r"^#[0-9a-fA-F]{6}$")
    """Colour in the live view, `#rrggbb`."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words or phrases to embed."""
        return self.words or (self.name,)


class _VocabularyFile(Section):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    """Names the vocabulary in every message."""
    description: str = ""
    """What it is, and where it comes from."""
    emotions: tuple[Annotated[Emotion, BeforeValidator(_as_entry)], ...] = Field(
        min_length=1, max_length=MAX_EMOTIONS
    )
    """The emotions, in the order of the messages."""

    @model_validator(mode="after")
    def _names_differ(self) -> _VocabularyFile:
        names = [emotion.name for emotion in self.emotions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"emotions are named twice: {', '.join(twice)}")
        return self


@dataclass(frozen=True)
class Vocabulary:
    """The emotions that are scored."""

    path: Path
    name: str
    version: str
    """`name@` and four hexadecimal digits of the hash of its content."""
    emotions: tuple[Emotion, ...]
    lines: tuple[int, ...]
    """The line of each emotion in the file."""


def load_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary file.

    Raises:
        VocabularyError: it cannot be read, or has errors; each is named with its line.
    """
    try:
        tree = parse_yaml(path)
        file = validate(path, tree, _VocabularyFile)
    except YamlFileError as error:
        raise VocabularyError(str(error)) from error
    digest = hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:4]
    lines = tuple(line_of(tree, ("emotions", index)) for index in range(len(file.emotions)))
    return Vocabulary(path, file.name, f"{file.name}@{digest}", file.emotions, lines)
