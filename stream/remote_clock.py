"""Another host's capture clock, seen from here.

Every message says when it was sent, on the sender's clock. Arrival minus sending is the difference of the two
clocks plus the trip, so the smallest difference of the last minute is the one that the trip adds least to.
What is left of it, the fastest trip itself (well below a millisecond on a wired network), makes evidence look
so much younger than it is.
"""

from __future__ import annotations

from collections import deque

import msgspec

from stream.messages import AnyMessage, FaceFeatures, TextFeatures, TextUtterance, VoiceFeatures, Word
from stream.windows import NS_PER_S

_SETTLING_NS = NS_PER_S
_MEMORY_NS = 60 * NS_PER_S
_SLEW = 1e-3
"""How fast the difference follows, in seconds a second: crystals drift by less than a tenth of that."""
_JUMP_NS = NS_PER_S // 2


class RemoteClock:
    """The difference between a sender's capture clock and the one here."""

    def __init__(self) -> None:
        self._first_ns: int | None = None
        self._last_ns = 0
        self._smallest: deque[tuple[int, int]] = deque()
        self._difference_ns: int | None = None

    def observe(self, sent_ns: int, arrived_ns: int) -> int | None:
        """Take note of one message.

        Args:
            sent_ns: when it was sent, on the sender's clock.
            arrived_ns: when it arrived, on the clock here.

        Returns:
            What to add to the sender's times; `None` in the first second, before it can be told.
        """
        if self._first_ns is None:
            self._first_ns = self._last_ns = arrived_ns
        difference = arrived_ns - sent_ns
        while self._smallest and self._smallest[-1][1] >= difference:
            self._smallest.pop()
        self._smallest.append((arrived_ns, difference))
        while self._smallest[0][0] < arrived_ns - _MEMORY_NS:
            self._smallest.popleft()
        if arrived_ns - self._first_ns < _SETTLING_NS:
            return None
        wanted = self._smallest[0][1]
        if self._difference_ns is None or abs(wanted - self._difference_ns) > _JUMP_NS:
            self._difference_ns = wanted
        else:
            most = round((arrived_ns - self._last_ns) * _SLEW)
            self._difference_ns += max(-most, min(most, wanted - self._difference_ns))
        self._last_ns = arrived_ns
        return self._difference_ns


def shifted(message: AnyMessage, by_ns: int) -> AnyMessage:
    """Return `message` with every time in it moved by `by_ns`."""
    moved = msgspec.structs.replace(message, time_ns=message.time_ns + by_ns)
    if isinstance(moved, FaceFeatures):
        return msgspec.structs.replace(moved, through_ns=moved.through_ns + by_ns)
    if isinstance(moved, VoiceFeatures):
        return msgspec.structs.replace(moved, times_ns=moved.times_ns + by_ns)
    if isinstance(moved, TextFeatures):
        return msgspec.structs.replace(moved, utterances=[_utterance(u, by_ns) for u in moved.utterances])
    return moved


def _utterance(utterance: TextUtterance, by_ns: int) -> TextUtterance:
    words = [_word(word, by_ns) for word in utterance.words]
    return msgspec.structs.replace(utterance, words=words)


def _word(word: Word, by_ns: int) -> Word:
    return msgspec.structs.replace(word, start_ns=word.start_ns + by_ns, end_ns=word.end_ns + by_ns)
