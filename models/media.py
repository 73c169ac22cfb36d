"""Media files decoded with their own timestamps: BGR frames, and 16 kHz audio on an exact 50 ms grid."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import av
import numpy as np
from av.stream import Disposition

from models.audio_grid import CHUNK_S, AudioGrid
from models.picture import upright
from stream.errors import UserError
from stream.messages import Int16Array, Uint8Array

MAX_WIDTH = 640
"""Wider pictures are reduced to this unless the caller asks otherwise."""

_SHORTFALL_S = 1.0  # a file that ends so much before its stated duration has been cut off

MAX_PIXELS = 8192 * 4608
"""A picture that claims more is refused before there is memory for it; larger than any camera's."""

_Kind: TypeAlias = Literal["video", "audio"]

_log = logging.getLogger(__name__)


class MediaError(UserError):
    """A file that cannot be read as media; the message names it and the remedy."""


@dataclass(frozen=True)
class MediaInfo:
    """What a media file says it holds."""

    has_video: bool
    has_audio: bool
    duration_s: float | None
    fps: float | None
    """Mean frame rate."""
    width: int | None
    height: int | None
    """Size of the picture as stored, before any rotation or reduction."""


@dataclass(frozen=True)
class VideoFrame:
    """One picture, upright and with square pixels."""

    pts_s: float
    """When it is shown, from the start of the file."""
    next_pts_s: float
    """When the next one is shown; for the last one, when it ends."""
    image: Uint8Array
    """`[height, width, 3]` BGR."""


@dataclass(frozen=True)
class AudioChunk:
    """50 ms of audio."""

    end_s: float
    """When its last sample ends, from the start of the file: chunk `k` ends at `(k + 1) * 0.05`."""
    samples: Int16Array
    """`[800]` mono at 16 kHz; silence where the file has none."""


def probe(path: Path) -> MediaInfo:
    """Return what a media file holds.

    Raises:
        MediaError: There is no such file, it is not media, or it has neither video nor audio.
    """
    with _open(path) as container:
        video, audio = _stream(container, "video"), _stream(container, "audio")
        if video is None and audio is None:
            raise MediaError(f"{path} holds neither video nor audio that can be decoded; choose another file")
        return MediaInfo(
            has_video=video is not None,
            has_audio=audio is not None,
            duration_s=None if container.duration is None else container.duration / av.time_base,
            fps=float(video.average_rate) if video is not None and video.average_rate else None,
            width=None if video is None else video.codec_context.width,
            height=None if video is None else video.codec_context.height,
        )


def read_media(path: Path, *, max_width: int | None = MAX_WIDTH) -> MediaReader:
    """Return the pictures and the audio of a file, in the order of `pts_s` and `end_s`.

    Args:
        path: The file.
        max_width: Wider pictures are reduced to this width; `None` keeps every size.

    Raises:
        MediaError: As `probe`; while iterating, reading failed or nothing could be decoded.
    """
    return MediaReader(path, max_width)


def read_audio(path: Path) -> Int16Array:
    """Return all audio of a file, `[n]` int16 mono at 16 kHz, padded with silence to whole chunks of 50 ms.

    Raises:
        MediaError: As `read_media`, or the file has no audio.
    """
    reader = MediaReader(path, None, kinds=("audio",))
    if not reader.info.has_audio:
        raise MediaError(f"{path} has no audio; choose a file with a sound track")
    return np.concatenate([item.samples for item in reader if isinstance(item, AudioChunk)])


class MediaReader(Iterator["VideoFrame | AudioChunk"]):
    """Decodes one file; damaged packets are skipped and counted, and the log says so at the end.

    Video and audio are read through a file handle each, so however a file interleaves them, no more than a
    picture waits in memory.
    """

    def __init__(
        self, path: Path, max_width: int | None, *, kinds: tuple[_Kind, ...] = ("video", "audio")
    ) -> None:
        self.info = probe(path)
        self.damaged = 0
        """Packets and pictures that could not be decoded so far."""
        self.position_s = 0.0
        """Time of the newest item handed out."""
        self._path = path
        self._max_width = max_width
        parts: list[Iterator[VideoFrame | AudioChunk]] = []
        if self.info.has_video and "video" in kinds:
            parts.append(self._video())
        if self.info.has_audio and "audio" in kinds:
            parts.append(self._audio())
        self._items = self._read(parts)

    def __next__(self) -> VideoFrame | AudioChunk:
        return next(self._items)

    def _read(self, parts: list[Iterator[VideoFrame | AudioChunk]]) -> Iterator[VideoFrame | AudioChunk]:
        empty = True
        for item in heapq.merge(*parts, key=_time):
            empty = False
            self.position_s = _time(item)
            yield item
        if empty:
            raise MediaError(
                f"nothing in {self._path} could be decoded ({self.damaged} damaged packets); "
                "record or download it again"
            )
        missing_s = (self.info.duration_s or 0.0) - self.position_s
        if self.damaged or missing_s > _SHORTFALL_S:
            _log.warning("%s; %d damaged packets were skipped", self._progress("ends"), self.damaged)

    def _video(self) -> Iterator[VideoFrame]:
        waiting: tuple[float, Uint8Array] | None = None
        step = 1 / (self.info.fps or 25.0)
        with _open(self._path) as container:
            stream = _stream(container, "video")
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            aspect = float(stream.sample_aspect_ratio or 1)
            origin = _origin_s(container)
            for frame in self._decode(container, stream):
                pts = waiting[0] + step if frame.time is None and waiting else (frame.time or 0.0) - origin
                if waiting and pts <= waiting[0]:
                    continue
                image = upright(frame, aspect, self._max_width)
                if waiting:
                    yield VideoFrame(waiting[0], pts, waiting[1])
                    step = pts - waiting[0]
                waiting = (pts, image)
        if waiting:
            yield VideoFrame(waiting[0], waiting[0] + step, waiting[1])

    def _audio(self) -> Iterator[AudioChunk]:
        for number, samples in enumerate(self._chunks(), start=1):
            yield AudioChunk(end_s=number * CHUNK_S, samples=samples)

    def _chunks(self) -> Iterator[Int16Array]:
        grid = AudioGrid(self.info.duration_s)
        with _open(self._path) as container:
            origin = _origin_s(container)
            for frame in self._decode(container, _stream(container, "audio")):
                try:
                    chunks = grid.accept(frame, None if frame.time is None else frame.time - origin)
                except av.FFmpegError as error:
                    raise MediaError(
                        f"{self._progress('breaks off')}: its audio is of a form that cannot be brought into "
                        f"another ({_reason(error)}); convert it to WAV"
                    ) from error
                yield from chunks
        yield from grid.finish()

    def _decode(self, container: Any, stream: Any) -> Iterator[Any]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                raise MediaError(
                    f"{self._progress('breaks off')} ({_reason(error)}); record or download it again"
                ) from error
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if frame.is_corrupt or _is_too_large(frame):
                    self.damaged += 1
                else:
                    yield frame

    def _progress(self, verb: str) -> str:
        whole = "" if self.info.duration_s is None else f" of {self.info.duration_s:.1f} s"
        return f"{self._path} {verb} after {self.position_s:.1f} s{whole}"


def _time(item: VideoFrame | AudioChunk) -> float:
    return item.pts_s if isinstance(item, VideoFrame) else item.end_s


def _is_too_large(frame: Any) -> bool:
    return isinstance(frame, av.VideoFrame) and frame.width * frame.height > MAX_PIXELS


def _open(path: Path) -> Any:
    if path.is_dir():
        raise MediaError(f"{path} is a folder; name a media file in it")
    try:
        if path.stat().st_size == 0:
            raise MediaError(f"{path} is empty (0 bytes); record or download it again")
        # A playlist must not send the decoder to the network.
        container = av.open(
            f"file:{path.absolute()}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except FileNotFoundError as error:
        raise MediaError(f"{path} does not exist; check the path") from error
    except PermissionError as error:
        raise MediaError(f"{path} may not be read; give this user read permission on it") from error
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path} is not media that FFmpeg can read ({_reason(error)}); "
            "check that the file is complete, or convert it to MP4, MKV or WAV"
        ) from error
    if container.format.name == "tty":  # FFmpeg would show text as on a terminal
        container.close()
        raise MediaError(f"{path} is a text file, not media; choose another file")
    return container


def _stream(container: Any, kind: _Kind) -> Any:
    """Return the first stream that can be decoded, `None` where there is none; cover art is not video."""
    for stream in getattr(container.streams, kind):
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _origin_s(container: Any) -> float:
    """Return the time that video and audio are both counted from."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
