"""Media files of any shape, made of real pictures and real speech."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from models.media import VideoFrame, read_audio, read_media
from stream.messages import SAMPLE_RATE_HZ, Int16Array, Uint8Array

_MILLISECOND = Fraction(1, 1000)


def pictures(path: Path, count: int, *, every: int = 1) -> list[Uint8Array]:
    """Return the first `count` pictures of a clip, leaving out all but each `every`th."""
    found: list[Uint8Array] = []
    for index, item in enumerate(item for item in read_media(path) if isinstance(item, VideoFrame)):
        if index % every == 0:
            found.append(item.image)
        if len(found) == count:
            break
    return found


def speech(path: Path, seconds: float) -> Int16Array:
    """Return the loudest `seconds` of a recording, `[n]` at 16 kHz."""
    samples = read_audio(path)
    length = round(seconds * SAMPLE_RATE_HZ)
    starts = range(0, len(samples) - length, SAMPLE_RATE_HZ // 2)
    loudest = max(starts, key=lambda start: float(np.abs(samples[start : start + length]).mean(dtype=float)))
    return samples[loudest : loudest + length]


def write_clip(
    path: Path,
    *,
    images: Sequence[Uint8Array] = (),
    times_ms: Sequence[int] = (),
    size: tuple[int, int] = (640, 480),
    samples: Int16Array | None = None,
    rate_hz: int = SAMPLE_RATE_HZ,
    layout: str = "mono",
) -> Path:
    """Write a media file and return its path; the suffix says which kind.

    Args:
        path: the file; `.wav` and `.mkv` hold the samples as they are.
        images: shown at `times_ms`, scaled to `size` (width, height).
        times_ms: when each is shown; need not be regular.
        size: of the video.
        samples: `[n]` at 16 kHz; resampled to `rate_hz` and, as `layout` says, made stereo.
        rate_hz: of the audio.
        layout: `mono` or `stereo`.
    """
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("mpeg4", rate=1000) if images else None
        audio: Any = None
        if samples is not None:
            audio = out.add_stream("pcm_s16le" if path.suffix in (".wav", ".mkv") else "aac", rate=rate_hz)
            audio.layout = layout
        if video is not None:
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            video.bit_rate = 20 * size[0] * size[1]
            video.codec_context.time_base = _MILLISECOND
            for image, time_ms in zip(images, times_ms, strict=True):
                frame = av.VideoFrame.from_ndarray(
                    cast("Uint8Array", cv2.resize(image, size)), format="bgr24"
                )
                frame.pts, frame.time_base = time_ms, _MILLISECOND
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        if audio is not None and samples is not None:
            sound = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
            sound.sample_rate = SAMPLE_RATE_HZ
            resampler = av.AudioResampler(audio.format, layout, rate_hz, frame_size=audio.frame_size or 1024)
            for piece in (*resampler.resample(sound), *resampler.resample(None)):
                out.mux(audio.encode(piece))
            out.mux(audio.encode(None))
    return path
