"""Emotion words as the paper embeds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.embeddings import EmbeddingSpace, UnknownWordError
from stream.messages import Float32Array


def emotion_vectors(space: EmbeddingSpace, words: Sequence[str]) -> Float32Array:
    """Return `[len(words), E]`: a word's vector, or the mean of those of a phrase.

    Unlike those of a vocabulary they are as long as the space has them: the paper takes a dot product with
    them.

    Raises:
        UnknownWordError: The space does not know a word.
    """
    return np.stack([_vector(space, word) for word in words])


def _vector(space: EmbeddingSpace, word: str) -> Float32Array:
    vectors = space.utterance(word.split())
    if not len(vectors) or not vectors.any(axis=1).all():
        space.phrase(word)
        raise UnknownWordError(word, [], space.name)
    return np.asarray(vectors.mean(axis=0), np.float32)
