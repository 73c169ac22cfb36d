"""Which face is which from frame to frame, and which of several is scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stream.messages import Face

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height as fractions of the frame."""

ScoredRule: TypeAlias = Literal["largest", "first", "center"]
"""Which face is scored: the largest, the one longest in view, or the one nearest the middle of the frame."""

MAX_MISS_NS = 500_000_000
"""How long a face may be out of sight and keep its track."""

_MAX_STEP = 1.0  # how far a face may move between two sightings, in its own widths
_HYSTERESIS = 1.25  # how much better another face must be before the choice changes


@dataclass
class _Track:
    id: int
    box: Box
    seen_ns: int


class FaceTracker:
    """Gives each face a track id that stays while it is in view, through misses of up to 0.5 s."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 0

    def assign(self, boxes: Sequence[Box], time_ns: int) -> list[int]:
        """Return the track id of each box of one frame; ids are never used twice.

        The best-overlapping pairs of box and earlier box are joined first; a face that jumped clear of its
        earlier box is still the same where it moved by less than its own width.
        """
        self._tracks = [track for track in self._tracks if 0 <= time_ns - track.seen_ns <= MAX_MISS_NS]
        pairs = sorted(
            (
                (_affinity(track.box, box), t, b)
                for t, track in enumerate(self._tracks)
                for b, box in enumerate(boxes)
            ),
            key=lambda pair: (-pair[0], pair[1], pair[2]),
        )
        owner: dict[int, _Track] = {}
        taken: set[int] = set()
        for affinity, t, b in pairs:
            if affinity > 0 and b not in owner and t not in taken:
                owner[b] = self._tracks[t]
                taken.add(t)
        for b, box in enumerate(boxes):
            if b in owner:
                owner[b].box, owner[b].seen_ns = box, time_ns
            else:
                owner[b] = _Track(self._next, box, time_ns)
                self._tracks.append(owner[b])
                self._next += 1
        return [owner[b].id for b in range(len(boxes))]


def choose_scored(faces: Sequence[Face], rule: ScoredRule, previous: int | None = None) -> int | None:
    """Return the track of the face to score, `None` where there is no face.

    Args:
        faces: The faces of one frame.
        rule: What makes a face the one.
        previous: The track chosen for the frame before: it stays chosen until another face is better by a
            quarter, so that two equal faces do not take turns.
    """
    if not faces:
        return None
    if rule == "first":
        return min(face.track for face in faces)  # ids grow with time
    merit = _area if rule == "largest" else _centrality
    best = max(faces, key=lambda face: (merit(face.box), -face.track))
    for face in faces:
        if face.track == previous and merit(best.box) <= _HYSTERESIS * merit(face.box):
            return previous
    return best.track


def _affinity(before: Box, now: Box) -> float:
    """Return overlap plus nearness: 2 for the same box, 0 or less for boxes of different faces."""
    step = math.dist(_middle(before), _middle(now)) / max(before[2], now[2], 1e-9)
    return _overlap(before, now) + 1 - step / _MAX_STEP


def _overlap(a: Box, b: Box) -> float:
    """Return intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(a) + _area(b) - shared)


def _area(box: Box) -> float:
    return box[2] * box[3]


def _middle(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def _centrality(box: Box) -> float:
    """Return a merit that grows toward the middle of the frame; a quarter more means a fifth nearer."""
    return 1 / (math.dist(_middle(box), (0.5, 0.5)) + 0.05)
