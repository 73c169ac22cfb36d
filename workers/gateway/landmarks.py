"""Faces as points, out of face features: what the page draws in the place of a picture."""

from __future__ import annotations

import msgspec
import numpy as np

from models.extractors.face_geometry import SPEC
from stream.messages import Face, FaceFeatures
from stream.windows import NS_PER_S

_ROTATION = slice(SPEC.names.index("head_pitch"), SPEC.names.index("head_roll") + 1)
_POINTS = slice(SPEC.names.index("landmark_0_x"), None)
_PERIOD_NS = NS_PER_S // 13  # no more than a page draws; a camera's own rate is higher


class FacePoints(msgspec.Struct, frozen=True, kw_only=True):
    """One face."""

    track: int
    """Stable for as long as the same face stays in view."""
    scored: bool
    """Whether it is the one that is scored."""
    box: tuple[float, float, float, float]
    """Left, top, width, height as fractions of the picture."""
    rotation: list[float]
    """Pitch, yaw and roll of the head, radians: up, to the picture's right, anticlockwise."""
    points: list[list[float]]
    """x and y of every second of MediaPipe's 478 landmarks: origin midway between the eyes, eyes level,
    the distance between them 1, y down."""


class FaceMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The faces in one frame, none where there is none."""

    source: str
    time_ns: int
    faces: list[FacePoints]


class Landmarks:
    """Turns face features into points, some of the frames of each source."""

    def __init__(self) -> None:
        self._due_ns: dict[str, int] = {}

    def of(self, features: FaceFeatures) -> FaceMessage | None:
        """Return the points of the faces in one frame, or `None` for one that is left out.

        Features of another layout are left out too.
        """
        due_ns = self._due_ns.get(features.source, 0)
        if features.spec != SPEC.name or due_ns - _PERIOD_NS < features.time_ns < due_ns:
            return None
        self._due_ns[features.source] = features.time_ns + _PERIOD_NS
        return FaceMessage(
            source=features.source,
            time_ns=features.time_ns,
            faces=[
                _points(face, scored=face.track == features.scored)
                for face in features.faces
                if face.vector.shape == (SPEC.dim,)
            ],
        )


def _points(face: Face, *, scored: bool) -> FacePoints:
    vector = face.vector.astype(np.float64).round(3)
    return FacePoints(
        track=face.track,
        scored=scored,
        box=face.box,
        rotation=vector[_ROTATION].tolist(),
        points=vector[_POINTS].reshape(-1, 2).tolist(),
    )
