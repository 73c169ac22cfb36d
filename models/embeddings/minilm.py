"""The MiniLM-L6 sentence encoder: contextual vectors for heard words, and vectors for any phrase.

Wang et al. 2020, "MiniLM: Deep Self-Attention Distillation", arXiv 2002.10957, as fine-tuned on
sentence pairs by sentence-transformers (all-MiniLM-L6-v2), int8 ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from models.embeddings.space import EmbeddingError, UnknownWordError
from models.onnx_session import open_session
from stream.messages import Float32Array

_MAX_TOKENS = 128
_SPECIAL_TOKENS = 2  # [CLS] and [SEP]


class MiniLmSpace:
    """384-dimensional space that knows every word, through sub-words.

    Utterances are encoded one at a time: the int8 model scales activations over the whole input, so in a
    batch a vector would depend on its neighbours and on padding.
    """

    name = "minilm-l6"
    dim = 384

    def __init__(self, folder: Path) -> None:
        """Load `model.onnx` and `tokenizer.json` from `folder`.

        Raises:
            EmbeddingError: one of them is not what it should be.
        """
        try:
            self._session = open_session(folder / "model.onnx")
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The exceptions of tokenizers share no base class of their own.
        except Exception as error:
            raise EmbeddingError(
                f"{folder}: MiniLM cannot be loaded ({error}); run `emostream assets fetch minilm-l6`"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def utterance(self, words: Sequence[str]) -> Float32Array:
        """Return one contextual vector a word: the mean of the last hidden states of its sub-words.

        Of an utterance longer than 126 sub-words (more than half a minute of speech) the last words are
        encoded; the rows of those before are zero, like the row of a word with nothing to encode.
        """
        vectors = np.zeros((len(words), self.dim), np.float32)
        first = self._first_that_fits(words)
        if first == len(words):
            return vectors
        encoding = self._tokenizer.encode(list(words[first:]), is_pretokenized=True)
        states = self._hidden_states(encoding)
        rows = np.array([-1 if word is None else word + first for word in encoding.word_ids])
        for row in np.unique(rows[rows >= 0]):
            vectors[row] = states[rows == row].mean(axis=0)
        return vectors

    def phrase(self, text: str) -> Float32Array:
        """Return the sentence vector of `text`: the mean over all its tokens, scaled to unit length."""
        if not any(letter.isalpha() for letter in text):
            raise UnknownWordError(text, [], self.name)
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        try:
            encoding = self._tokenizer.encode(text)
        finally:
            self._tokenizer.no_truncation()
        mean = self._hidden_states(encoding).mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def _first_that_fits(self, words: Sequence[str]) -> int:
        """Return the index of the first word of the longest tail that fits the model."""
        room = _MAX_TOKENS - _SPECIAL_TOKENS
        first = len(words)
        while first > 0:
            room -= len(self._tokenizer.encode(words[first - 1], add_special_tokens=False).ids)
            if room < 0:
                break
            first -= 1
        return first

    def _hidden_states(self, encoding: Encoding) -> Float32Array:
        """Return the last hidden states, `[tokens, dim]`."""
        ids = np.array([encoding.ids], np.int64)
        (states,) = self._session.run(
            None,
            {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)},
        )
        return np.asarray(states[0], np.float32)
