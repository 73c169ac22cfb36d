"""Face features: every face in an image, as one vector a face, from MediaPipe's Face Landmarker."""

from __future__ import annotations

import functools
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import cv2
import numpy as np

from models.extractors.face_geometry import SPEC, face_vector
from models.extractors.face_tracks import Box, FaceTracker
from models.model_file import ModelFileError
from stream.messages import Face, Float32Array, Uint8Array

# Larger images are reduced to this: the network sees a face at 256 pixels at most.
_MAX_SIDE = 1280

_log = logging.getLogger(__name__)


class FaceExtractor:
    """Finds and tracks the faces in the frames of one camera.

    Frames are taken in order; MediaPipe runs in its VIDEO mode, so a face is searched for only where none was
    tracked before. It makes no network connection and opens no device.

    Raises:
        ModelFileError: `model` is not a Face Landmarker model.
    """

    spec = SPEC

    def __init__(self, model: Path, *, max_faces: int = 3) -> None:
        self._landmarker = _open(model, "VIDEO", max_faces)
        self._tracker = FaceTracker()
        self._time_ms = -1

    def extract(self, image: Uint8Array, time_ns: int) -> list[Face]:
        """Return the faces of one frame, none where there is none.

        Args:
            image: `[height, width, 3]` BGR.
            time_ns: Capture time. MediaPipe wants milliseconds that strictly increase, so a frame that does
                not come later than the one before counts as one millisecond later.
        """
        self._time_ms = max(time_ns // 1_000_000, self._time_ms + 1)
        reduced = _reduce(image)
        found = _faces(self._landmarker.detect_for_video(_mediapipe_image(reduced), self._time_ms), reduced)
        tracks = self._tracker.assign([box for box, _ in found], time_ns)
        return [
            Face(track=track, box=box, vector=vector)
            for track, (box, vector) in zip(tracks, found, strict=True)
        ]

    def close(self) -> None:
        """Free the model, after which the extractor is of no use; needed before the interpreter ends."""
        self._landmarker.close()


class StillFaceExtractor:
    """Finds the faces in unrelated images: the same vectors, with nothing carried from image to image.

    Raises:
        ModelFileError: `model` is not a Face Landmarker model.
    """

    spec = SPEC

    def __init__(self, model: Path, *, max_faces: int = 1) -> None:
        self._landmarker = _open(model, "IMAGE", max_faces)

    def extract(self, image: Uint8Array) -> list[Face]:
        """Return the faces of a `[height, width, 3]` BGR image; `track` counts them from 0."""
        reduced = _reduce(image)
        found = _faces(self._landmarker.detect(_mediapipe_image(reduced)), reduced)
        return [Face(track=i, box=box, vector=vector) for i, (box, vector) in enumerate(found)]

    def close(self) -> None:
        """Free the model, after which the extractor is of no use; needed before the interpreter ends."""
        self._landmarker.close()


@functools.cache
def _mediapipe() -> ModuleType:
    """Import MediaPipe, without the sound card and Matplotlib.

    Its audio tasks, which every import of it brings along, would open PortAudio; they cope with its absence.
    Its drawing tools, which nobody calls here, would take longer to import than all the rest together.
    """
    absent: dict[str, ModuleType | None] = {"sounddevice": None}
    absent |= {name: ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot")}
    hidden = {name: module for name, module in absent.items() if name not in sys.modules}
    sys.modules.update(cast("dict[str, ModuleType]", hidden))
    try:
        import mediapipe  # noqa: PLC0415
    finally:
        for name in hidden:
            del sys.modules[name]
    return cast("ModuleType", mediapipe)


def _open(model: Path, mode: str, max_faces: int) -> Any:
    tasks = _mediapipe().tasks
    try:
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=model.read_bytes()),
            running_mode=tasks.vision.RunningMode[mode],
            num_faces=max_faces,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        with _native_chatter_logged():
            return tasks.vision.FaceLandmarker.create_from_options(options)
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelFileError(
            f"{model} is not a Face Landmarker model ({error}); run `emostream assets fetch face_landmarker`"
        ) from error


@contextmanager
def _native_chatter_logged() -> Iterator[None]:
    """Send what native code writes to standard error to the debug log; MediaPipe has no setting for it."""
    with tempfile.TemporaryFile("w+", errors="replace") as captured:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            captured.seek(0)
            for line in captured:
                _log.debug("mediapipe: %s", line.rstrip())


def _reduce(image: Uint8Array) -> Uint8Array:
    height, width = image.shape[:2]
    scale = _MAX_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cast("Uint8Array", cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _mediapipe_image(image: Uint8Array) -> Any:
    mediapipe = _mediapipe()
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)


def _faces(result: Any, image: Uint8Array) -> list[tuple[Box, Float32Array]]:
    """Return the box and the vector of every face of a Face Landmarker result."""
    size = np.array([image.shape[1], image.shape[0]], np.float32)
    faces: list[tuple[Box, Float32Array]] = []
    parts = zip(
        result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
    )
    for landmarks, blendshapes, pose in parts:
        points = np.array([(point.x, point.y) for point in landmarks], np.float32)
        scores = np.array([category.score for category in blendshapes], np.float32)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        vector = face_vector(points * size, scores, np.asarray(pose, np.float32))
        faces.append(((left, top, right - left, bottom - top), vector))
    return faces
