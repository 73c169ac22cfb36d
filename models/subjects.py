"""Whose face is scored: one number for as long as it can be told to be the same person's."""

from __future__ import annotations


class Subjects:
    """Numbers the scored faces of one source, from 0 in the order in which they are first scored.

    A face that leaves the picture and comes back has a new track, hence a new number: nothing here tells
    people apart. But where no frames came, because the camera was lost or the machine was busy, the first
    face scored afterwards has the number of the last one before.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._count = 0
        self._newest: int | None = None
        self._awaited: int | None = None

    def interrupted(self) -> None:
        """Take note that no frames came for so long that every track has ended."""
        self._numbers.clear()
        self._awaited = self._newest

    def of(self, track: int) -> int:
        """Return the number of the face that is scored now."""
        if track not in self._numbers:
            if self._awaited is None:
                self._numbers[track] = self._count
                self._count += 1
            else:
                self._numbers[track] = self._awaited
        self._newest = self._numbers[track]
        self._awaited = None
        return self._newest

    def forget(self, track: int) -> None:
        """Take note that a track has ended."""
        self._numbers.pop(track, None)
