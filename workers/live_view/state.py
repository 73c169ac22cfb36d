"""What the live view knows: the newest of every kind of message, and short histories."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from stream.client import Gap
from stream.public import (
    EmotionMessage,
    EmotionScore,
    HealthMessage,
    PublicMessage,
    TopicHealth,
    TranscriptMessage,
    TranscriptWord,
)
from stream.windows import NS_PER_S

LATENCY_SPAN = 600
"""Windows over which the rolling latency is taken: a minute at ten a second."""
HISTORY_SPAN = 100
"""Windows shown as a curve: ten seconds at ten a second."""
_RATE_SPAN = 30
_UTTERANCES_KEPT = 6


@dataclass(frozen=True)
class HeardWord:
    """One word, as it is to be shown."""

    text: str
    final: bool
    """Whether the transcriber will not change it any more."""
    counts: bool
    """Whether it lies in the newest window."""


@dataclass
class SourceView:
    """What came of one source."""

    name: str
    newest: EmotionMessage | None = None
    windows: int = 0
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCY_SPAN))
    history: deque[dict[str, float]] = field(default_factory=lambda: deque(maxlen=HISTORY_SPAN))
    """Smoothed probability of each emotion, oldest first; empty for a window without evidence."""
    emotion_names: tuple[str, ...] = ()
    """Of the newest window that was scored."""
    vocabulary: str = ""
    transcribed: bool = False
    """Whether any transcript has come."""
    text_used: bool = False
    """Whether words were evidence at any time."""
    _times_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_RATE_SPAN))
    _utterances: dict[int, TranscriptMessage] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, EmotionScore]:
        """The scores of the newest window by emotion; empty without evidence."""
        return {score.name: score for score in self.newest.emotions} if self.newest else {}

    @property
    def windows_per_s(self) -> float:
        """Windows a second, over the last few seconds of the stream."""
        if len(self._times_ns) < 2:
            return 0.0
        elapsed_ns = self._times_ns[-1] - self._times_ns[0]
        return (len(self._times_ns) - 1) * NS_PER_S / elapsed_ns if elapsed_ns > 0 else 0.0

    @property
    def words(self) -> list[HeardWord]:
        """The latest words, oldest first."""
        since_ns = self.newest.window.start_ns if self.newest else 0
        return [
            HeardWord(word.text, utterance.final, word.end_ns >= since_ns)
            for utterance in self._utterances.values()
            for word in utterance.words
        ]

    @property
    def newest_word(self) -> TranscriptWord | None:
        """The word that was heard last."""
        words = [word for utterance in self._utterances.values() for word in utterance.words]
        return max(words, key=lambda word: word.end_ns, default=None)

    def take_emotion(self, message: EmotionMessage) -> None:
        """Take a scored window."""
        if message.vocabulary != self.vocabulary:
            self.vocabulary = message.vocabulary
            self.emotion_names = ()
            self.history.clear()
        self.newest = message
        self.windows += 1
        self._times_ns.append(message.time_ns)
        self.history.append({score.name: score.smoothed for score in message.emotions})
        if message.emotions:
            self.emotion_names = tuple(score.name for score in message.emotions)
        if message.latency_ms.capture_to_score is not None:
            self.latencies_ms.append(message.latency_ms.capture_to_score)
        text = message.evidence.get("text")
        self.text_used |= text is not None and text.used

    def take_transcript(self, message: TranscriptMessage) -> None:
        """Take an utterance; it replaces what was known of it."""
        self.transcribed = True
        self._utterances[message.utterance] = message
        while len(self._utterances) > _UTTERANCES_KEPT:
            del self._utterances[next(iter(self._utterances))]


@dataclass
class ViewState:
    """What came of all sources; feed it with `take` and `gap`."""

    only: str | None = None
    """The one source to show; `None` for all."""
    sources: dict[str, SourceView] = field(default_factory=dict)
    health: HealthMessage | None = None
    missed: int = 0
    """Messages that were published but never arrived here."""

    def take(self, message: PublicMessage) -> None:
        """Take any public message."""
        if isinstance(message, HealthMessage):
            self.health = message
            for source in message.sources:
                if self.only in (None, source.source):
                    self._source(source.source)
        elif isinstance(message, EmotionMessage):
            self._source(message.source).take_emotion(message)
        else:
            self._source(message.source).take_transcript(message)

    def gap(self, gap: Gap) -> None:
        """Count what never arrived."""
        self.missed += gap.missed

    def topic(self, source: str, topic: str) -> TopicHealth | None:
        """Return the health of a topic of a source, if it is known."""
        rows = self.health.topics if self.health else []
        return next((row for row in rows if (row.source, row.topic) == (source, topic)), None)

    def dropped(self, source: str) -> int:
        """Return how many messages of a source were dropped between workers so far."""
        rows = self.health.topics if self.health else []
        return sum(row.dropped for row in rows if row.source == source)

    def source_state(self, source: str) -> str:
        """Return `waiting`, `running`, `lost` or `ended`, or nothing where it is not known."""
        rows = self.health.sources if self.health else []
        return next((row.state for row in rows if row.source == source), "")

    def problems(self) -> list[str]:
        """Return what is wrong, in plain words, worst first."""
        if self.health is None:
            return []
        problems = [
            f"{worker.worker}{f' of {worker.source}' if worker.source else ''} {_STATES[worker.state]}"
            + (f": {worker.detail}" if worker.detail else "")
            for worker in self.health.workers
            if worker.state in _STATES
        ]
        if self.health.vocabulary_error:
            problems.append(f"vocabulary not reloaded: {self.health.vocabulary_error}")
        if self.health.degraded:
            problems.append(f"degraded: {self.health.degraded}")
        return problems

    def _source(self, name: str) -> SourceView:
        return self.sources.setdefault(name, SourceView(name))


_STATES = {
    "failed": "has failed",
    "silent": "does not answer",
    "restarting": "is being started again",
    "lost": "has lost its device",
}


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return a percentile of `values`, or `None` without any."""
    array = np.fromiter(values, float)
    return float(np.percentile(array, percent)) if len(array) else None
