"""Words as a window may know them: partial utterances superseded by final ones, late words in their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stream.messages import Float32Array, TextUtterance, Word


@dataclass(frozen=True, eq=False)
class TimedWord:
    """A word, its vector, and whether its utterance is final; equal to itself alone."""

    word: Word
    vector: Float32Array
    """`[E]`."""
    final: bool


class _Version:
    """What an utterance was taken to be from `known_ns` on."""

    def __init__(self, known_ns: int, utterance: TextUtterance) -> None:
        self.known_ns = known_ns
        self.words = [
            TimedWord(word, vector, utterance.final)
            for word, vector in zip(utterance.words, utterance.vectors, strict=True)
        ]
        self.last_ns = max((word.end_ns for word in utterance.words), default=known_ns)


class UtteranceLog:
    """Every version of the recent utterances, each with the time from which it was known.

    A window that ends at `end_ns` sees, of each utterance, the newest version known by then, and of that
    the words that ended inside the window. With `hindsight` it sees the newest version of all, as if every
    word had been known when it was said.
    """

    def __init__(self, horizon_ns: int, *, hindsight: bool = False) -> None:
        self._horizon_ns = horizon_ns
        self._hindsight = hindsight
        self._versions: dict[int, list[_Version]] = {}

    def add(self, known_ns: int, utterances: Iterable[TextUtterance]) -> None:
        """Note what the transcriber said after hearing everything up to `known_ns`."""
        for utterance in utterances:
            self._versions.setdefault(utterance.id, []).append(_Version(known_ns, utterance))

    def words(self, end_ns: int, length_ns: int) -> list[TimedWord]:
        """Return the words that ended in `(end_ns - length_ns, end_ns]`, oldest first."""
        start_ns = end_ns - length_ns
        found: list[TimedWord] = []
        for versions in self._versions.values():
            known = (v for v in reversed(versions) if self._hindsight or v.known_ns <= end_ns)
            newest = next(known, None)
            if newest is not None and newest.last_ns > start_ns:
                found += [timed for timed in newest.words if start_ns < timed.word.end_ns <= end_ns]
        return sorted(found, key=lambda timed: timed.word.end_ns)

    def forget(self, end_ns: int) -> None:
        """Drop what no window ending at or after `end_ns` can see."""
        for id_, versions in list(self._versions.items()):
            superseded = sum(v.known_ns <= end_ns for v in versions) - 1
            if superseded > 0 and not self._hindsight:
                del versions[:superseded]
            newest = versions[-1]
            if max(newest.last_ns, newest.known_ns) < end_ns - self._horizon_ns:
                del self._versions[id_]


def spoken_share(words: Iterable[TimedWord], end_ns: int, length_ns: int) -> float:
    """Return the share of the window, 0..1, during which one of `words` was being said."""
    spans = sorted((max(w.word.start_ns, end_ns - length_ns), w.word.end_ns) for w in words)
    covered, reach = 0, end_ns - length_ns
    for start, end in spans:
        covered += max(0, end - max(start, reach))
        reach = max(reach, end)
    return covered / length_ns


def word_matrix(words: list[TimedWord], steps: int, dim: int) -> tuple[Float32Array, Float32Array]:
    """Return the last `steps` words as values `[steps, dim]` and mask `[steps]`, right-aligned.

    A word that the embedding space does not know (an all-zero vector) is no evidence and takes no place.
    """
    known = [w.vector for w in words if w.vector.any()][-steps:]
    values, mask = np.zeros((steps, dim), np.float32), np.zeros(steps, np.float32)
    if known:
        values[-len(known) :] = np.stack(known)
        mask[-len(known) :] = 1.0
    return values, mask
