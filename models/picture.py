"""Decoded pictures as the rest of the program wants them: BGR, upright, square pixels, not too wide."""

from __future__ import annotations

from typing import Any, cast

import cv2

from stream.messages import Uint8Array

# Degrees counterclockwise, as the display matrix of a file asks for.
_ROTATIONS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    -180: cv2.ROTATE_180,
    -90: cv2.ROTATE_90_CLOCKWISE,
}
_WIDEST_PIXEL = 8.0  # more is a damaged header, and would ask for a picture of any size


def upright(frame: Any, aspect: float, max_width: int | None) -> Uint8Array:
    """Return a decoded picture as `[height, width, 3]` BGR.

    Args:
        frame: An `av.VideoFrame`.
        aspect: How many times wider than high its pixels are.
        max_width: Width that the result is reduced to where it would be wider; `None` for no limit.
    """
    image = cast("Uint8Array", frame.to_ndarray(format="bgr24"))
    rotation = _ROTATIONS.get(frame.rotation)
    aspect = min(max(aspect, 1 / _WIDEST_PIXEL), _WIDEST_PIXEL)
    width, height = image.shape[1] * aspect, image.shape[0]
    across = width if rotation in {None, cv2.ROTATE_180} else height
    scale = min(1.0, max_width / across) if max_width else 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != (image.shape[1], image.shape[0]):
        image = cast("Uint8Array", cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return image if rotation is None else cast("Uint8Array", cv2.rotate(image, rotation))
