"""The emotion words that training scores against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.embeddings import EmbeddingSpace
from stream.errors import UserError
from stream.messages import Float32Array


class UnknownConceptError(UserError):
    """A label of a corpus that no words are given for."""


class ConceptWords:
    """The vectors of each concept's words; in training a concept goes by any of them, in tests by the first.

    Args:
        space: Where the words are embedded.
        words: The words of each concept.

    Raises:
        UnknownWordError: The space does not know one of them.
    """

    def __init__(self, space: EmbeddingSpace, words: Mapping[str, Sequence[str]]) -> None:
        self._words = words
        self._vectors = {
            concept: np.stack([space.phrase(word) for word in several]) for concept, several in words.items()
        }

    @property
    def all(self) -> Float32Array:
        """`[words, E]`: every word of every concept."""
        return np.concatenate(list(self._vectors.values()))

    def first(self, concepts: Sequence[str]) -> Float32Array:
        """Return `[len(concepts), E]`: the first word of each."""
        return np.stack([self._of(concept)[0] for concept in concepts])

    def names(self, concepts: Sequence[str]) -> list[str]:
        """Return the first word of each concept."""
        return [self._words[concept][0] for concept in concepts]

    def draw(self, concepts: Sequence[str], random: np.random.Generator) -> Float32Array:
        """Return `[len(concepts), E]`: one word of each, drawn at random."""
        return np.stack([random.choice(self._of(concept)) for concept in concepts])

    def similarity(self, concepts: Sequence[str]) -> Float32Array:
        """Return `[C, C]`: the cosine between the concepts' mean vectors, their common part taken away."""
        means = np.stack([self._of(concept).mean(axis=0) for concept in concepts])
        means -= means.mean(axis=0)
        means /= np.linalg.norm(means, axis=1, keepdims=True) + 1e-9
        return np.asarray(means @ means.T, np.float32)

    def _of(self, concept: str) -> Float32Array:
        if concept not in self._vectors:
            raise UnknownConceptError(
                f"{concept!r} is a label of a corpus, but no words are given for it (only for "
                f"{', '.join(self._vectors)}); add it to `words` of the recipe and train with that"
            )
        return self._vectors[concept]
