"""Media files held in memory, decoded as the daemon decodes files: 16 kHz mono samples and upright frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import av
import numpy as np
import soundfile

from models.audio_grid import AudioGrid
from models.media import MAX_WIDTH
from models.picture import upright
from models.training.corpora import CorpusError
from stream.messages import SAMPLE_RATE_HZ, Int16Array, Uint8Array


def decode_audio(content: bytes) -> Int16Array:
    """Return `[n]` int16 mono at 16 kHz, the sound of an audio or video file.

    Raises:
        CorpusError: It is broken, or has no sound.
    """
    try:
        samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="int16")
        if rate_hz == SAMPLE_RATE_HZ and samples.ndim == 1 and len(samples):
            return cast("Int16Array", samples)  # sample for sample what the file holds
    except soundfile.SoundFileError:
        pass  # not a format of libsndfile's, or broken: FFmpeg tells
    with _container(content) as container:
        if not container.streams.audio:
            raise CorpusError("it has no sound; choose a file with a sound track")
        grid = AudioGrid(None if container.duration is None else container.duration / av.time_base)
        origin_s = _origin_s(container)
        chunks = []
        for frame in container.decode(audio=0):
            chunks += grid.accept(frame, None if frame.time is None else frame.time - origin_s)
        chunks += grid.finish()
    if not chunks:
        raise CorpusError("no sound in it can be decoded; record or download it again")
    return np.concatenate(chunks)


def decode_frames(content: bytes) -> Iterator[tuple[float, Uint8Array]]:
    """Yield the time of each frame of a video file in seconds and the frame, `[H, W, 3]` BGR.

    Raises:
        CorpusError: It is broken, or has no pictures.
    """
    with _container(content) as container:
        if not container.streams.video:
            raise CorpusError("it has no pictures; choose an image or a video")
        aspect = float(container.streams.video[0].sample_aspect_ratio or 1)
        origin_s = _origin_s(container)
        for frame in container.decode(video=0):
            yield (frame.time or 0.0) - origin_s, upright(frame, aspect, MAX_WIDTH)


@contextmanager
def _container(content: bytes) -> Iterator[Any]:
    try:
        # A playlist must not send the decoder to other files or the network.
        with av.open(
            io.BytesIO(content), options={"protocol_whitelist": ""}, metadata_errors="replace"
        ) as container:
            if container.format.name == "tty":  # FFmpeg would show text as on a terminal
                raise CorpusError("it is a text file, not media; choose another file")
            yield container
    except av.FFmpegError as error:
        raise CorpusError(
            f"it is not media that can be decoded ({error.strerror or error}); record or download it again"
        ) from error


def _origin_s(container: Any) -> float:
    return 0.0 if container.start_time is None else container.start_time / av.time_base
