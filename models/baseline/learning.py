"""The neutral point of one face or voice: learned from the first seconds of evidence, then followed."""

from __future__ import annotations

import math

import numpy as np

from models.baseline.points import NeutralPoint
from models.timelines import ModalityWindow
from stream.messages import Float32Array
from stream.windows import NS_PER_S, seconds_to_ns

# Evidence further apart than this, and than a hop, was interrupted in between.
_LONGEST_STEP_NS = NS_PER_S // 5


class Learner:
    """Averages windows until they have brought enough seconds of evidence; that is the neutral point.

    A window counts by the square of its coverage, since scarce evidence misleads, and only if it brought
    evidence that the one before did not have. From then on the point moves toward windows near it, slowly:
    light and posture change, and speaker normalisation goes on learning.
    """

    def __init__(
        self,
        *,
        seconds: float,
        hop_s: float,
        follow_s: float,
        reach: float,
        point: NeutralPoint | None = None,
    ) -> None:
        """Start with nothing, or with a point that is known.

        Args:
            seconds: Seconds of evidence wanted.
            hop_s: Seconds from one window to the next.
            follow_s: Time constant in which the point moves, in seconds of evidence; 0 if it stands still.
            reach: How far around the point windows are near it, in cosines.
            point: What is known already.
        """
        self.calibrated = point is not None
        """Whether it started with a known point."""
        self._wanted_ns = 0 if point else seconds_to_ns(seconds)
        self._hop_ns = seconds_to_ns(hop_s)
        self._follow_s = follow_s
        self._reach = reach
        self._learned_ns = 0
        self._newest_ns: int | None = None
        self._sum: Float32Array | None = None
        self._weight = 0.0
        self.point = point
        """The neutral point; `None` as long as evidence is wanted."""

    @property
    def seconds_left(self) -> float:
        """Seconds of evidence still wanted."""
        return max(0, self._wanted_ns - self._learned_ns) / NS_PER_S

    def take(self, window: ModalityWindow, cosines: Float32Array) -> None:
        """Learn from the next window, which must be used, and its cosines `[W]` to the bundle's words."""
        step_ns = self._step_ns(window)
        if not step_ns:
            return
        if self.point is None:
            self._learned_ns += step_ns
            weight = window.coverage**2
            self._sum = weight * cosines + (0 if self._sum is None else self._sum)
            self._weight += weight
            if not self.seconds_left:
                mean = np.asarray(self._sum / self._weight, np.float32)
                self.point = NeutralPoint(mean, self._learned_ns / NS_PER_S)
        elif self._follow_s:
            share = (1 - math.exp(-step_ns / NS_PER_S / self._follow_s)) * self.nearness(cosines)
            moved = self.point.cosines + share * (cosines - self.point.cosines)
            self.point = NeutralPoint(np.asarray(moved, np.float32), self.point.seconds)

    def nearness(self, cosines: Float32Array) -> float:
        """Return how near a window's cosines `[W]` are to the neutral point: 1 at it, 0 far from it."""
        if self.point is None:
            return 0.0
        distance = float(np.square(cosines - self.point.cosines).mean())
        return math.exp(-distance / (2 * self._reach**2))

    def _step_ns(self, window: ModalityWindow) -> int:
        """Return how much evidence a window has that the one before did not have."""
        newest_ns, before_ns = window.bins.newest_ns, self._newest_ns
        if newest_ns is None or (before_ns is not None and newest_ns <= before_ns):
            return 0
        self._newest_ns = newest_ns
        step_ns = self._hop_ns if before_ns is None else newest_ns - before_ns
        return min(step_ns, max(self._hop_ns, _LONGEST_STEP_NS))
