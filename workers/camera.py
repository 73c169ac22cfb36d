"""Publishes what a camera or a video stream on the network shows."""

from __future__ import annotations

import math
import os
from collections import deque
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import cv2

from stream.clock import now_ns
from stream.config import Camera
from stream.errors import UserError
from stream.messages import Frame, Uint8Array
from workers.capture import OPEN_TIMEOUT_S, Capture, DeviceLostError
from workers.runtime import Worker

_SCHEMES = ("rtsp", "rtsps", "http", "https")
# USB 2 carries larger pictures at full rate only as JPEG.
_LARGEST_RAW = 640 * 480


class CameraError(UserError):
    """A `device` that can never be a camera."""


def main(worker: Worker) -> None:
    """Publish the camera of `worker.source` until told to stop; one that is lost is opened again.

    Where the camera's driver hangs, the process ends with `EXIT_STALLED`, for the supervisor to start anew.
    """
    assert worker.source.camera is not None
    device = CameraDevice(worker.source.name, worker.source.camera)
    worker.wait_for_readers()
    Capture(worker, "frame", device).run()


class CameraDevice:
    """A V4L2 camera, or an RTSP or HTTP stream, read with OpenCV.

    Raises:
        CameraError: `camera.device` is neither an index, nor the path of a device, nor such an address.
    """

    def __init__(self, source: str, camera: Camera) -> None:
        self.stall_timeout_s = camera.stall_timeout_s
        self._source = source
        self._camera = camera
        device = str(camera.device)
        self._target = f"/dev/video{device}" if device.isdecimal() else device
        self._is_stream = urlsplit(device).scheme.lower() in _SCHEMES
        if not self._is_stream and not self._target.startswith("/dev/"):
            raise CameraError(
                f"sources: {source}: camera.device = {device!r} is no camera; give an index (0), a path "
                "(/dev/video0), or an rtsp:// or http:// address; a media file goes under `file:`"
            )
        self.name = without_secrets(device) if self._is_stream else self._target
        self._capture = cv2.VideoCapture()
        _set_up_opencv(self.stall_timeout_s)

    def open(self) -> None:
        """Open the device and ask it for the size and rate configured."""
        self._interval = FrameInterval()
        if self._is_stream:
            timeouts = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_TIMEOUT_S * 1000)),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(self.stall_timeout_s * 1000)),
            ]
            self._capture = cv2.VideoCapture(self._target, cv2.CAP_FFMPEG, timeouts)
        else:
            self._capture = cv2.VideoCapture(self._target, cv2.CAP_V4L2)
            camera = self._camera
            if camera.width * camera.height > _LARGEST_RAW:
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, camera.width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, camera.height)
            self._capture.set(cv2.CAP_PROP_FPS, camera.fps)
        if not self._capture.isOpened():
            raise DeviceLostError(f"cannot open {self.name}: {self._why_closed()}")

    def read(self) -> Frame:
        """Wait for the next frame and return it, no wider than configured."""
        if not self._capture.grab():
            remedy = "is the camera on, and the network up?" if self._is_stream else "is it still plugged in?"
            raise DeviceLostError(f"{self.name} gives no more frames; {remedy}")
        time_ns = now_ns()
        whole, image = self._capture.retrieve()
        if not whole:
            raise DeviceLostError(f"{self.name} gave a frame that cannot be decoded")
        return Frame(
            source=self._source,
            time_ns=time_ns,
            next_ns=self._interval.next_after(time_ns),
            image=_no_wider(cast("Uint8Array", image), self._camera.width),
        )

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()

    def _why_closed(self) -> str:
        if self._is_stream:
            return "no video comes from there; is the camera on, and the address right?"
        if not Path(self._target).exists():
            return "no such device; is it plugged in? `emostream doctor` lists the cameras there are"
        if not os.access(self._target, os.R_OK | os.W_OK):
            return "not permitted; add this user to the group that owns it (usually `video`)"
        return "it gives no video; is another program using it?"


class FrameInterval:
    """Predicts the next frame from the times of those before."""

    def __init__(self) -> None:
        self._gaps_ns: deque[int] = deque(maxlen=30)
        self._last_ns: int | None = None

    def next_after(self, time_ns: int) -> int:
        """Return a time before which, after a frame at `time_ns`, no other is to be expected.

        It lies a little before what the shorter of the latest intervals lead one to expect, because a frame
        that comes before its time can miss its window; until five are known, nothing is promised.
        """
        if self._last_ns is not None:
            self._gaps_ns.append(time_ns - self._last_ns)
        self._last_ns = time_ns
        if len(self._gaps_ns) < 5:
            return time_ns
        shorter_ns = sorted(self._gaps_ns)[len(self._gaps_ns) // 10]
        return time_ns + shorter_ns * 9 // 10


def without_secrets(address: str) -> str:
    """Return a stream's address as it may be logged: without user, password and query."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _no_wider(image: Uint8Array, width: int) -> Uint8Array:
    if image.shape[1] <= width:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cast("Uint8Array", cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def _set_up_opencv(read_timeout_s: float) -> None:
    """Set what OpenCV reads at its first capture: no chatter, and our timeout for V4L2, in whole seconds."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(math.ceil(read_timeout_s))
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)  # its idle threads would spin
