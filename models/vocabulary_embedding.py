"""A vocabulary as points of an embedding space: the emotions that a bundle's graph takes as input."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from models.embeddings import EmbeddingSpace, UnknownWordError
from stream.messages import Float32Array
from stream.vocabulary import Vocabulary, VocabularyError


@dataclass(frozen=True)
class EmbeddedVocabulary:
    """A vocabulary and its emotions' vectors."""

    vocabulary: Vocabulary
    vectors: Float32Array
    """`[K, E]`, unit length, in the order of `vocabulary.emotions`."""


def phrase_vector(phrase: str, space: EmbeddingSpace) -> Float32Array:
    """Return the unit vector `[E]` of a word or phrase as a vocabulary may write it, such as `left_out`.

    Raises:
        UnknownWordError: the space does not know it.
    """
    return space.phrase(re.sub(r"[_\s]+", " ", phrase))


def embed_vocabulary(vocabulary: Vocabulary, space: EmbeddingSpace) -> EmbeddedVocabulary:
    """Embed every emotion: the mean of its words' unit vectors, scaled to unit length.

    Raises:
        VocabularyError: the space does not know a word; every such word is named with file, line and the
            nearest known words.
    """
    vectors, problems = [], []
    for emotion, line in zip(vocabulary.emotions, vocabulary.lines, strict=True):
        phrases = []
        for phrase in emotion.phrases:
            try:
                phrases.append(phrase_vector(phrase, space))
            except UnknownWordError as error:
                problems.append(f"{vocabulary.path}:{line}: {emotion.name}: {error}")
        if phrases:
            mean = np.mean(phrases, axis=0)
            vectors.append(mean / np.linalg.norm(mean))
    if problems:
        raise VocabularyError("\n".join(problems))
    return EmbeddedVocabulary(vocabulary, np.stack(vectors).astype(np.float32))
