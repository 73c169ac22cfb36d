"""GloVe word vectors (Pennington et al. 2014): one fixed vector a word, memory-mapped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.embeddings.glove_text import converted
from models.embeddings.space import EmbeddingError, UnknownWordError
from models.embeddings.spelling import nearest_spellings
from stream.messages import Float32Array

_CONTRACTION = re.compile(r"^(.+)(n't|'s|'m|'re|'ve|'ll|'d)$")
_IRREGULAR = {"ca": "can", "wo": "will", "sha": "shall"}
_PUNCTUATION = " \t\n.,;:!?\"'()[]{}…–—-"
_SUGGESTED_FROM = 100_000  # rows are sorted by frequency; the rare half is mostly misspellings


class GloveSpace:
    """Static vectors; a phrase is the mean of its words.

    A word is looked up in lower case, then without surrounding punctuation. Failing that, a contraction is
    the mean of its halves as GloVe was trained on them (`don't`: `do`, `n't`), a possessive its stem, and
    a hyphenated word the mean of its parts.
    """

    def __init__(self, name: str, words: pa.StringArray | pa.LargeStringArray, vectors: Float32Array) -> None:
        """Take `words` in order of frequency and their `vectors`, `[len(words), dim]`."""
        if vectors.ndim != 2 or len(words) != len(vectors):
            raise EmbeddingError(f"{name}: {len(words)} words do not fit vectors of shape {vectors.shape}")
        self.name = name
        self.dim = int(vectors.shape[1])
        self._vectors = vectors
        self._words = words.to_pylist()
        # Reversed, so that of a word listed twice the more frequent row wins.
        self._rows = dict(zip(reversed(self._words), range(len(words) - 1, -1, -1), strict=True))

    def utterance(self, words: Sequence[str]) -> Float32Array:
        """Return one vector a word, `[len(words), dim]`; a zero row is an unknown word."""
        result = np.zeros((len(words), self.dim), np.float32)
        for row, word in enumerate(words):
            vector = self._find(word)
            if vector is not None:
                result[row] = vector
        return result

    def phrase(self, text: str) -> Float32Array:
        """Return the mean of the vectors of the words of `text`, scaled to unit length."""
        if not any(letter.isalpha() for letter in text):
            raise UnknownWordError(text, [], self.name)
        vectors = []
        for word in text.split():
            vector = self._find(word)
            if vector is None:
                raise UnknownWordError(word, nearest_spellings(word, self._common_words()), self.name)
            vectors.append(vector)
        mean = np.mean(vectors, axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _find(self, word: str) -> Float32Array | None:
        lower = word.replace("’", "'").lower()
        plain = lower.strip(_PUNCTUATION)
        for form in (lower, plain, word):
            if form in self._rows:
                return np.asarray(self._vectors[self._rows[form]], np.float32)
        parts = _parts(plain)
        found = [self._vectors[self._rows[part]] for part in parts if part in self._rows]
        if not found or len(found) < len(parts):
            return None
        return np.asarray(np.mean(found, axis=0), np.float32)

    def _common_words(self) -> list[str]:
        return [word for word in self._words[:_SUGGESTED_FROM] if word.isalpha()]


def _parts(word: str) -> list[str]:
    """Return the pieces of a word that may be known where the whole is not; none if it has no pieces."""
    contraction = _CONTRACTION.match(word)
    if contraction:
        stem, ending = contraction.groups()
        return [stem] if ending == "'s" else [_IRREGULAR.get(stem, stem), ending]
    return [part for part in word.split("-") if part] if "-" in word else []


def open_glove_6b(folder: Path) -> GloveSpace:
    """Return `glove-6b-50d` from its `.npy` matrix and parquet word list in `folder`."""
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = pq.read_table(folder / "glove_6B_index.parquet", columns=["index"])["index"]
    return GloveSpace("glove-6b-50d", words.combine_chunks(), vectors)


def open_glove_840b(path: Path) -> GloveSpace:
    """Return `glove-840b-300d` from `glove.840B.300d.txt` or `.zip` at `path`; converted on first use."""
    words, vectors = converted(path, dim=300)
    return GloveSpace("glove-840b-300d", words, vectors)
