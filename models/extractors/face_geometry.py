"""The layout of a face vector, and how it is made from landmarks, blendshapes and the head's pose."""

from __future__ import annotations

import numpy as np

from models.spec import FeatureSpec
from stream.messages import Float32Array

LANDMARKS = 478
_KEPT = np.arange(0, LANDMARKS, 2)
_RIGHT_EYE = (33, 133)  # outer and inner corner
_LEFT_EYE = (263, 362)
_POSITION_UNIT_CM = 50.0
# In profile the eyes come together on the image; the face is then scaled by its height instead.
_LEAST_EYE_DISTANCE = 0.2

BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft",
    "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""The blendshape categories of the Face Landmarker, in its order."""

_NAMES = (
    *(f"blendshape_{name}" for name in BLENDSHAPES),
    *("head_pitch", "head_yaw", "head_roll"),
    *("head_x", "head_y", "head_z"),
    *(f"landmark_{i}_{axis}" for i in _KEPT for axis in "xy"),
)

SPEC = FeatureSpec(name="face@1", modality="face", dim=len(_NAMES), names=_NAMES)
"""Layout of a face vector.

52 blendshapes, 0..1; the head's rotation in radians (pitch up, yaw to the image's right, roll anticlockwise
on the image); its position relative to the camera in units of 50 cm (x right, y up, z toward the camera, so
in front of it z < 0); every second of the 478 landmarks, eye-aligned: origin midway between the eyes, eyes
level, the distance between them 1, y down.
"""


def face_vector(landmarks: Float32Array, blendshapes: Float32Array, pose: Float32Array) -> Float32Array:
    """Return the `[D]` vector of one face, laid out as `SPEC` says.

    Args:
        landmarks: `[478, 2]` x right, y down, in units that are equally long on both axes (pixels).
        blendshapes: `[52]`, 0..1.
        pose: `[4, 4]` transform from the canonical face to the camera, in cm.
    """
    parts = [blendshapes, _rotation(pose[:3, :3]), pose[:3, 3] / _POSITION_UNIT_CM]
    return np.concatenate([*parts, eye_aligned(landmarks)[_KEPT].ravel()]).astype(np.float32)


def eye_aligned(landmarks: Float32Array) -> Float32Array:
    """Return `[478, 2]` landmarks moved, turned and scaled so that the eyes are level and at distance 1."""
    points = landmarks.astype(np.float64)
    right = points[_RIGHT_EYE, :].mean(axis=0)
    left = points[_LEFT_EYE, :].mean(axis=0)
    across = left - right
    distance = float(np.hypot(*across))
    height = float(np.linalg.norm(np.ptp(points, axis=0)))
    cosine, sine = across / distance if distance > 0 else (1.0, 0.0)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    scale = max(distance, _LEAST_EYE_DISTANCE * height, np.finfo(np.float64).tiny)
    aligned: Float32Array = ((points - (right + left) / 2) @ turn / scale).astype(np.float32)
    return aligned


def _rotation(matrix: Float32Array) -> Float32Array:
    """Return pitch, yaw and roll in radians of a rotation matrix, which may be uniformly scaled."""
    pitch = np.arctan2(-matrix[2, 1], matrix[2, 2])
    yaw = np.arctan2(-matrix[2, 0], np.hypot(matrix[0, 0], matrix[1, 0]))
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return np.array([pitch, yaw, roll], np.float32)
