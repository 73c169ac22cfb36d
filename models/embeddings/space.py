"""What every embedding space can do, and the error for a word it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stream.errors import UserError
from stream.messages import Float32Array


class UnknownWordError(UserError):
    """A word, or a phrase with no word in it, that the embedding space has no vector for.

    Attributes:
        word: what was not known, as the user wrote it.
        nearest: known words of similar spelling, nearest first; may be empty.
    """

    def __init__(self, word: str, nearest: Sequence[str], space: str) -> None:
        self.word = word
        self.nearest = list(nearest)
        if not any(letter.isalpha() for letter in word):
            message = f"{word!r} is not a word: an emotion needs at least one letter"
        elif self.nearest:
            message = f"{word!r} is not known in {space}; nearest known words: {', '.join(self.nearest)}"
        else:
            message = f"{word!r} is not known in {space}, and no known word is spelt like it"
        super().__init__(message)


class EmbeddingError(UserError):
    """There is no embedding space of that name, or its files are not what they should be."""


class EmbeddingSpace(Protocol):
    """Maps words and phrases to vectors whose direction carries their meaning."""

    @property
    def name(self) -> str:
        """The name a bundle refers to, e.g. `minilm-l6`."""

    @property
    def dim(self) -> int:
        """Length of every vector."""

    def utterance(self, words: Sequence[str]) -> Float32Array:
        """Return one vector a word, `[len(words), dim]`, not normalised.

        Where the space is contextual each vector depends on the whole utterance. An all-zero row is a
        word without a vector.
        """

    def phrase(self, text: str) -> Float32Array:
        """Return the vector of a word or a phrase, `[dim]`, of unit length.

        Raises:
            UnknownWordError: a word of it is not known, or it holds no letter.
        """
