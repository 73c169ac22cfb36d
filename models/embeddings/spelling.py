"""Known words spelt like an unknown one, for error messages."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from difflib import SequenceMatcher

_SHORTLIST = 200


def nearest_spellings(word: str, known: Iterable[str], count: int = 5) -> list[str]:
    """Return the `count` words of `known` spelt most like `word`, nearest first.

    Of two that are equally near, the one that comes first in `known` wins, so list common words first.
    Shared letter pairs pick a shortlist; the exact comparison of `difflib` is too slow for every word.
    """
    word = word.lower()
    pairs = _letter_pairs(word)

    def shared(other: str) -> float:
        if abs(len(other) - len(word)) > 3:
            return -1.0
        others = _letter_pairs(other)
        return len(pairs & others) / len(pairs | others)

    shortlist = heapq.nlargest(_SHORTLIST, known, key=shared)
    matcher = SequenceMatcher(b=word, autojunk=False)
    scored = []
    for other in shortlist:
        matcher.set_seq1(other.lower())
        scored.append((matcher.ratio(), other))
    scored.sort(key=lambda pair: -pair[0])
    return [other for ratio, other in scored[:count] if ratio >= 0.5]


def _letter_pairs(word: str) -> set[str]:
    padded = f"^{word}$"
    return {padded[i : i + 2] for i in range(len(padded) - 1)}
