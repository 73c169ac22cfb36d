"""What is known of the words that a bundle was trained on, carried over to any other words."""

from __future__ import annotations

import numpy as np

from stream.messages import Float32Array

_RIDGE = 0.1
_CONSTANT = 1.0


class WordOffsets:
    """Offsets of any emotion's cosine, from those of the bundle's words.

    A cosine is a product of what a window shows and what a word means, and a bundle maps words from their
    embedding smoothly. So a shift of what windows show moves cosines by a smooth function of the word: fitted
    to the words that are known (kernel ridge regression of degree two), it can be read off for any other, the
    better the more alike they are. This is how a neutral point outlives a change of the vocabulary.

    Args:
        known: `[W, E]`: the bundle's words in the embedding space.
    """

    def __init__(self, known: Float32Array) -> None:
        self._common = _unit(known).mean(axis=0)
        self._known = self._meanings(known)
        kernel = _kernel(self._known, self._known)
        self._solve = np.linalg.inv(kernel + _RIDGE * np.eye(len(kernel)))

    def of(self, emotions: Float32Array) -> Float32Array:
        """Return `[K, W]`: what each known word's offset counts for that of each of `emotions` `[K, E]`."""
        kernel = _kernel(self._meanings(emotions), self._known)
        return np.asarray(kernel @ self._solve, np.float32)

    def _meanings(self, words: Float32Array) -> Float32Array:
        return _unit(_unit(words) - self._common)


def _kernel(some: Float32Array, others: Float32Array) -> Float32Array:
    alike = some @ others.T
    return np.asarray(alike * alike + alike + _CONSTANT)


def _unit(vectors: Float32Array) -> Float32Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
