"""Cuts a stream of audio into stretches of speech, by voice activity."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.extractors.vad import WINDOW, StreamingVad
from stream.messages import SAMPLE_RATE_HZ, Int16Array
from stream.windows import NS_PER_S

_SPEECH_BEGINS = 0.5
_SPEECH_ENDS = 0.35
_BEGINS_AFTER = 3
"""Windows of speech, of 32 ms each, that open a segment."""
_PRE_ROLL_WINDOWS = 10
_NS_PER_SAMPLE = NS_PER_S // SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Segment:
    """A stretch of speech, so far."""

    samples: Int16Array
    """`[n]` at 16 kHz, with a little of what came before and after."""
    start_ns: int
    closed: bool


class SpeechSegmenter:
    """Holds the open stretch of speech, never more than the longest allowed."""

    def __init__(self, vad: Path, *, silence_s: float, max_s: float) -> None:
        """Load the voice activity network; a segment ends after `silence_s`, or at `max_s`."""
        self._vad = StreamingVad(vad)
        self._silence_windows = max(1, round(silence_s * SAMPLE_RATE_HZ / WINDOW))
        self._max_windows = round(max_s * SAMPLE_RATE_HZ / WINDOW)
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after a gap in the audio."""
        self._vad.reset()
        self._rest: Int16Array = np.zeros(0, np.int16)
        self._before: deque[Int16Array] = deque(maxlen=_PRE_ROLL_WINDOWS)
        self._windows: list[Int16Array] = []
        self._start_ns = 0
        self._speech_run = 0
        self._silence_run = 0

    def accept(self, samples: Int16Array, time_ns: int) -> Segment | None:
        """Take audio that ends at `time_ns`; return the segment it closes, if it closes one."""
        audio = np.concatenate([self._rest, samples])
        closed = None
        for index, speech in enumerate(self._vad.accept(samples)):
            window = audio[index * WINDOW : (index + 1) * WINDOW]
            end_ns = time_ns - (len(audio) - (index + 1) * WINDOW) * _NS_PER_SAMPLE
            closed = self._take(window, speech, end_ns) or closed
        self._rest = audio[len(audio) // WINDOW * WINDOW :].copy()
        return closed

    def open_segment(self) -> Segment | None:
        """Return what has been said of the segment that is open, if one is."""
        if not self._windows:
            return None
        return Segment(np.concatenate(self._windows), self._start_ns, closed=False)

    def close(self) -> Segment | None:
        """Close the open segment, if one is, and return it."""
        segment = self.open_segment()
        self._windows = []
        self._speech_run = self._silence_run = 0
        return None if segment is None else Segment(segment.samples, segment.start_ns, closed=True)

    def _take(self, window: Int16Array, speech: float, end_ns: int) -> Segment | None:
        if not self._windows:
            self._before.append(window)
            self._speech_run = self._speech_run + 1 if speech > _SPEECH_BEGINS else 0
            if self._speech_run >= _BEGINS_AFTER:
                self._windows = list(self._before)
                self._before.clear()
                self._start_ns = end_ns - len(self._windows) * WINDOW * _NS_PER_SAMPLE
            return None
        self._windows.append(window)
        self._silence_run = self._silence_run + 1 if speech < _SPEECH_ENDS else 0
        if self._silence_run >= self._silence_windows or len(self._windows) >= self._max_windows:
            return self.close()
        return None
