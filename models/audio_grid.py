"""Decoded audio of any rate and layout, laid on a grid of 50 ms chunks of 16 kHz mono samples."""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np

from stream.messages import SAMPLE_RATE_HZ, Int16Array

CHUNK = 800
"""Samples in a chunk."""
CHUNK_S = CHUNK / SAMPLE_RATE_HZ

_TOLERANCE_S = 0.03  # containers round timestamps; a true gap is longer
_SLACK_S = 10.0
_LONGEST_GAP_S = 600.0
_LONGEST_BELIEVED_GAP_S = 3600.0


class AudioGrid:
    """Resamples audio frames and cuts them into chunks; chunk 0 begins at time 0.

    Time without audio becomes silence, and audio that claims time already filled is dropped.
    """

    def __init__(self, duration_s: float | None) -> None:
        """Expect about `duration_s` of audio; a frame of a much later time has a broken timestamp."""
        self._duration_s = duration_s
        self._resampler: av.AudioResampler | None = None
        self._form: tuple[int, str, str] | None = None
        self._frame_end_s = 0.0
        self._parts: list[Int16Array] = []
        self._held = 0
        self._placed = 0
        self._skip = 0

    def accept(self, frame: Any, start_s: float | None) -> list[Int16Array]:
        """Return the chunks, `[800]` each, that one more decoded frame completes.

        Args:
            frame: An `av.AudioFrame`.
            start_s: When its first sample begins; `None` for where the frame before ends.
        """
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if start_s is None or start_s > self._latest_s():
            start_s = self._frame_end_s
        if form != self._form or abs(start_s - self._frame_end_s) > _TOLERANCE_S:
            self._flush()
            self._form = form
            self._seek(start_s)
            self._frame_end_s = start_s
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        self._frame_end_s += frame.samples / frame.sample_rate
        self._append_all(self._resampler.resample(frame))
        return self._cut()

    def finish(self) -> list[Int16Array]:
        """Return the chunks that are left, the last one padded with silence."""
        self._flush()
        if self._held % CHUNK:
            self._append(np.zeros(CHUNK - self._held % CHUNK, np.int16))
        return self._cut()

    def _latest_s(self) -> float:
        """Return the latest time that is believed of a frame."""
        if self._duration_s is None:
            return self._frame_end_s + _LONGEST_GAP_S
        return min(self._duration_s + _SLACK_S, self._frame_end_s + _LONGEST_BELIEVED_GAP_S)

    def _seek(self, start_s: float) -> None:
        """Bring the place of the next sample to `start_s`: pad up to it, or drop what is there already."""
        gap = round(start_s * SAMPLE_RATE_HZ) - self._placed
        self._skip = max(0, -gap)
        if gap > 0:
            self._append(np.zeros(gap, np.int16))

    def _append(self, samples: Int16Array) -> None:
        dropped = min(self._skip, len(samples))
        self._skip -= dropped
        kept = samples[dropped:]
        self._parts.append(kept)
        self._held += len(kept)
        self._placed += len(kept)

    def _append_all(self, pieces: list[av.AudioFrame]) -> None:
        for piece in pieces:
            self._append(cast("Int16Array", piece.to_ndarray()).ravel())

    def _flush(self) -> None:
        if self._resampler is not None:
            # One that had nothing to convert has nothing left, and gives `None` for it.
            self._append_all([piece for piece in self._resampler.resample(None) if piece is not None])
            self._resampler = None

    def _cut(self) -> list[Int16Array]:
        if self._held < CHUNK:
            return []
        audio = np.concatenate(self._parts)
        whole = len(audio) // CHUNK * CHUNK
        self._parts = [audio[whole:]]
        self._held = len(audio) - whole
        return list(audio[:whole].reshape(-1, CHUNK))
