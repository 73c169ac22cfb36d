"""What is known of one source, modality by modality: features on a time line, windows cut out of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.bundle import ModalityInput
from models.extractors.face_tracks import MAX_MISS_NS
from models.subjects import Subjects
from stream.messages import (
    AnyMessage,
    End,
    FaceFeatures,
    Float32Array,
    MessageError,
    TextFeatures,
    VoiceFeatures,
)
from stream.utterances import TimedWord, UtteranceLog, spoken_share, word_matrix
from stream.windows import NS_PER_S, SlidingWindow, Window, seconds_to_ns

_STALE_NS = NS_PER_S
# Nothing here tells voices apart: whoever speaks to one microphone is one subject.
_SPEAKER = 0
# One modality may run this far ahead of the slowest before its features are forgotten unscored.
_LEAD_NS = 60 * NS_PER_S


@dataclass(frozen=True)
class ModalityWindow:
    """One modality's part of one window."""

    bins: Window
    """Values `[steps, D]` and mask `[steps]`."""
    coverage: float
    """Share of the window with evidence, 0..1."""
    dropped: int
    """Frames or audio messages inside the window, as far as can be told, that were never looked at."""
    pending_ns: int
    """How much of the window's end was still being extracted."""
    why: str | None
    """Why it is not to be used; `None` where it is."""
    subject: int | None
    """Whose evidence it is, a number within the source and the modality; `None` where there is none."""


class Timeline:
    """One modality of one source: how far it has been extracted, and what was dropped on the way.

    Used as it is for a modality that the source does not have, whose windows are empty.
    """

    waits_for: str | None = None
    """What its device gives, `frames` or `audio`; `None` where there is no device."""

    def __init__(self, part: ModalityInput, *, length_s: float, floor: float) -> None:
        """Start empty.

        Args:
            part: what the bundle expects of the modality.
            length_s: length of a window.
            floor: coverage below which the modality is not used.
        """
        self._part = part
        self._floor = floor
        self._length_ns = seconds_to_ns(length_s)
        self._empty = Window(
            np.zeros((part.steps, part.dim), np.float32), np.zeros(part.steps, np.float32), None
        )
        self._newest_ns = 0
        self._through_ns: int | None = None
        self._ended: str | None = None
        self._drops: deque[tuple[int, int, int]] = deque()
        """(earliest time, time of the message that told of them, how many)."""

    def complete(self, end_ns: int) -> bool:
        """Return whether everything captured up to `end_ns` has been through the extractor."""
        if self.waits_for is None or self._ended is not None:
            return True
        return self._through_ns is not None and self._through_ns >= end_ns

    def add(self, message: AnyMessage) -> None:
        """Take what an extractor made, or the news that nothing more will come.

        Raises:
            MessageError: it is not for this modality, does not fit the bundle, or is older than what came.
        """
        if isinstance(message, End):
            self._ended = message.why
        else:
            self._take(message)

    def window(self, end_ns: int) -> ModalityWindow:
        """Return the window that ends at `end_ns`; ask for windows in order, what is older is forgotten."""
        return self._judge(self._empty, 0.0, end_ns, evidence="evidence")

    def _sliding(self) -> SlidingWindow:
        part = self._part
        assert part.rate_hz is not None
        return SlidingWindow(part.dim, self._length_ns + _LEAD_NS, steps=part.steps, rate_hz=part.rate_hz)

    def _take(self, message: AnyMessage) -> None:
        raise MessageError(f"{type(message).__name__} for a modality that the source does not have")

    def _advance(self, time_ns: int, through_ns: int, dropped: int) -> None:
        if time_ns < self._newest_ns:
            raise MessageError(f"time runs backwards by {self._newest_ns - time_ns} ns")
        self._newest_ns = time_ns
        if dropped:
            # They lie somewhere between what was looked at before and this message.
            since_ns = time_ns if self._through_ns is None else min(time_ns, self._through_ns + 1)
            self._drops.append((since_ns, time_ns, dropped))
        # A camera says when its next frame may come at the earliest; after a stall several come at once.
        self._through_ns = max(through_ns, self._through_ns or through_ns)
        self._ended = None

    def _check(self, spec: str, vectors: Iterable[Float32Array]) -> None:
        if spec != self._part.spec:
            raise MessageError(f"features are {spec}, but the bundle was trained on {self._part.spec}")
        if any(vector.shape != (self._part.dim,) for vector in vectors):
            raise MessageError(f"a {spec} vector does not have its {self._part.dim} numbers")

    def _judge(
        self, window: Window, coverage: float, end_ns: int, *, evidence: str, subject: int | None = None
    ) -> ModalityWindow:
        """Say whether `window` can be used, and if not, why."""
        start_ns = end_ns - self._length_ns
        while self._drops and self._drops[0][1] <= start_ns:
            self._drops.popleft()
        dropped = sum(count for since_ns, _, count in self._drops if since_ns <= end_ns)
        behind_ns = 0
        if not self.complete(end_ns):
            behind_ns = end_ns - (start_ns if self._through_ns is None else self._through_ns)
        why = None
        if not np.count_nonzero(window.mask):
            why = self._silence(behind_ns) or f"no {evidence} in the window"
        elif coverage < self._floor:
            why = f"{evidence} in {coverage:.0%} of the window, {self._floor:.0%} needed"
        return ModalityWindow(window, coverage, dropped, min(behind_ns, self._length_ns), why, subject)

    def _silence(self, behind_ns: int) -> str | None:
        """Return why nothing can be expected of this modality now, if so."""
        if self.waits_for is None:
            return "the source does not have it"
        if self._ended is not None:
            return self._ended
        if self._through_ns is None:
            return f"no {self.waits_for} yet"
        if behind_ns > _STALE_NS:
            return f"no {self.waits_for} for {behind_ns / NS_PER_S:.0f} s"
        return None


class FaceTimeline(Timeline):
    """The faces of one source; a window holds the face that is scored at its end."""

    waits_for = "frames"

    def __init__(self, part: ModalityInput, *, length_s: float, floor: float) -> None:
        super().__init__(part, length_s=length_s, floor=floor)
        self._faces: dict[int, SlidingWindow] = {}
        self._scored: deque[tuple[int, int, int]] = deque()
        self._subjects = Subjects()
        self._frame_ns: int | None = None

    def _take(self, message: AnyMessage) -> None:
        if not isinstance(message, FaceFeatures):
            raise MessageError(f"{type(message).__name__} instead of FaceFeatures")
        self._check(message.spec, (face.vector for face in message.faces))
        if message.scored is not None and message.scored not in {face.track for face in message.faces}:
            raise MessageError("the face that is scored is not among its faces")
        if self._frame_ns is not None and message.time_ns - self._frame_ns > MAX_MISS_NS:
            self._subjects.interrupted()
        self._frame_ns = message.time_ns
        self._advance(message.time_ns, message.through_ns, message.dropped)
        for face in message.faces:
            if face.track not in self._faces:
                self._faces[face.track] = self._sliding()
            self._faces[face.track].ring.append(message.time_ns, face.vector)
        if message.scored is not None:
            self._scored.append((message.time_ns, message.scored, self._subjects.of(message.scored)))

    def window(self, end_ns: int) -> ModalityWindow:
        """Return the window that ends at `end_ns`; a face that has left counts while it is inside."""
        scored = ((track, subject) for time_ns, track, subject in reversed(self._scored) if time_ns <= end_ns)
        track, subject = next(scored, (None, None))
        window = self._empty if track is None else self._faces[track].window(end_ns)
        self._forget(end_ns - self._length_ns)
        return self._judge(window, window.coverage, end_ns, evidence="face", subject=subject)

    def _forget(self, oldest_ns: int) -> None:
        while self._scored and self._scored[0][0] <= oldest_ns:
            self._scored.popleft()
        for track, face in list(self._faces.items()):
            face.ring.forget(oldest_ns)
            if not len(face.ring):
                del self._faces[track]
                self._subjects.forget(track)


class VoiceTimeline(Timeline):
    """The voice of one source; only moments of speech are evidence."""

    waits_for = "audio"

    def __init__(
        self, part: ModalityInput, *, length_s: float, floor: float, speech_threshold: float
    ) -> None:
        super().__init__(part, length_s=length_s, floor=floor)
        self._threshold = speech_threshold
        self._speech = self._sliding()

    def _take(self, message: AnyMessage) -> None:
        if not isinstance(message, VoiceFeatures):
            raise MessageError(f"{type(message).__name__} instead of VoiceFeatures")
        if not len(message.times_ns) == len(message.vectors) == len(message.speech):
            raise MessageError("times, vectors and speech differ in number")
        self._check(message.spec, message.vectors)
        times_ns = message.times_ns.tolist()
        moments = (*self._speech.ring.times_ns[-1:].tolist(), *times_ns, message.time_ns)
        if any(after < before for before, after in pairwise(moments)):
            raise MessageError("its moments are out of order")
        self._advance(message.time_ns, message.time_ns, message.dropped)
        for time_ns, vector, speech in zip(times_ns, message.vectors, message.speech.tolist(), strict=True):
            if speech > self._threshold:
                self._speech.ring.append(time_ns, vector)

    def window(self, end_ns: int) -> ModalityWindow:
        """Return the window that ends at `end_ns`."""
        window = self._speech.window(end_ns)
        self._speech.ring.forget(end_ns - self._length_ns)
        subject = None if window.newest_ns is None else _SPEAKER
        return self._judge(window, window.coverage, end_ns, evidence="speech", subject=subject)


class TextTimeline(Timeline):
    """The words of one source, each counting from when it was known."""

    waits_for = "audio"

    def __init__(
        self, part: ModalityInput, *, length_s: float, floor: float, hindsight: bool = False
    ) -> None:
        super().__init__(part, length_s=length_s, floor=floor)
        self._log = UtteranceLog(self._length_ns + _LEAD_NS, hindsight=hindsight)
        self._words: list[TimedWord] = []
        self._bins = self._binned(self._words)

    def _take(self, message: AnyMessage) -> None:
        if not isinstance(message, TextFeatures):
            raise MessageError(f"{type(message).__name__} instead of TextFeatures")
        for utterance in message.utterances:
            if len(utterance.words) != len(utterance.vectors):
                raise MessageError("words and vectors differ in number")
            self._check(message.spec, utterance.vectors)
        self._advance(message.time_ns, message.time_ns, message.dropped)
        self._log.add(message.time_ns, message.utterances)

    def window(self, end_ns: int) -> ModalityWindow:
        """Return the window that ends at `end_ns`."""
        words = self._log.words(end_ns, self._length_ns)
        if words != self._words:  # most windows hold the words of the one before
            self._words, self._bins = words, self._binned(words)
        self._log.forget(end_ns)
        return self._judge(
            self._bins, spoken_share(words, end_ns, self._length_ns), end_ns, evidence="known words"
        )

    def _binned(self, words: list[TimedWord]) -> Window:
        values, mask = word_matrix(words, self._part.steps, self._part.dim)
        return Window(values, mask, words[-1].word.end_ns if words else None)
