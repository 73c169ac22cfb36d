"""Windows in, emotion messages out; the daemon and `emostream score` share it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from models.backends import MAX_WINDOWS, Backend
from models.baseline import PersonalBaseline
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.encoding_memory import EncodingMemory
from models.outputs import Outputs
from models.timelines import ModalityWindow
from models.vocabulary_embedding import EmbeddedVocabulary
from models.window_schedule import DueWindow, SourceWindows
from models.window_scores import WindowScores, score_windows
from stream.clock import now_ns as clock_ns
from stream.clock import wall_time
from stream.config import Config
from stream.messages import AnyMessage, Float32Array
from stream.public import (
    BaselineState,
    EmotionMessage,
    EmotionScore,
    Evidence,
    Latency,
    Uncorrected,
    WindowSpan,
)
from stream.windows import seconds_to_ns

_DIGITS = 6


class Scorer:
    """Scores the windows of any number of sources as their evidence becomes complete."""

    def __init__(
        self,
        config: Config,
        bundle: Bundle,
        backend: Backend,
        emotions: EmbeddedVocabulary,
        *,
        baseline: PersonalBaseline | None = None,
        hindsight: bool = False,
    ) -> None:
        self._bundle = bundle
        self._hop_s = config.window.hop_s
        self._smoothing_s = config.window.smoothing_s
        self._length_ns = seconds_to_ns(bundle.window_s)
        self._sources = {
            source.name: SourceWindows(source, config, bundle, hindsight=hindsight)
            for source in config.sources
        }
        self._smoothed: dict[tuple[str, str, bool], float] = {}
        self._memory = EncodingMemory()
        self.backend = backend
        """What runs the model; set it anew between calls of `score` to go on with another."""
        self.baseline = baseline
        """What is taken out of the scores; `None` where that is off."""
        self.emotions = emotions
        """What is scored; set it anew between calls of `score` to change the vocabulary."""
        self.degraded: str | None = None
        """Why scores come from a fallback."""

    def add(self, message: AnyMessage, topic: str) -> None:
        """Take one feature message.

        Raises:
            MessageError: its source is unknown, it does not fit the bundle, or it is out of order.
        """
        source = self._sources.get(message.source)
        if source is not None:
            source.add(message, topic)

    @property
    def counts(self) -> Counter[str]:
        """What has been computed, and what was spared; see `EncodingMemory.counts`."""
        return self._memory.counts

    @property
    def ended(self) -> bool:
        """Whether every source has ended and every window of it has been scored."""
        return all(source.ended for source in self._sources.values())

    def wait_s(self, now_ns: int) -> float:
        """Return how long the next window may still wait for evidence, in seconds."""
        return min(source.wait_s(now_ns) for source in self._sources.values())

    def score(self, now_ns: int | None) -> list[EmotionMessage]:
        """Score every window that is due, all sources in one batch, in order of time.

        Args:
            now_ns: the capture clock, which ends the wait for late evidence; `None` to wait for all of it.

        Raises:
            DeviceLostError: what the model runs on failed; nothing was scored.
            BackendError: the model gave no usable answer; nothing was scored.
        """
        entered_ns = time.perf_counter_ns()
        due = [window for source in self._sources.values() for window in source.take_due(now_ns)]
        due.sort(key=lambda window: window.end_ns)
        messages: list[EmotionMessage] = []
        for start in range(0, len(due), MAX_WINDOWS):
            messages += self._score_batch(due[start : start + MAX_WINDOWS], now_ns, entered_ns)
        return messages

    def _score_batch(
        self, batch: list[DueWindow], now_ns: int | None, entered_ns: int
    ) -> list[EmotionMessage]:
        started_ns = time.perf_counter_ns()
        scores = score_windows(self._memory, self.backend, batch, self.emotions, self.baseline)
        scored_ns = time.perf_counter_ns()
        if now_ns is not None:
            now_ns += scored_ns - entered_ns
        return [
            self._message(window, _Scored(row, scores), now_ns, scored_ns - started_ns)
            for row, window in enumerate(batch)
        ]

    def _message(
        self, window: DueWindow, scored: _Scored, now_ns: int | None, inference_ns: int
    ) -> EmotionMessage:
        # Without a clock to keep up with, a window counts as scored the moment it ends.
        time_ns = window.end_ns if now_ns is None else now_ns
        evidence = {name: _evidence(part, time_ns) for name, part in window.modalities.items()}
        used = [name for name in MODALITIES if evidence[name].used]
        ages_ms = [age for name in used if (age := evidence[name].age_ms) is not None]
        return EmotionMessage(
            source=window.source,
            seq=window.seq,
            time_ns=time_ns,
            wall_time=wall_time(clock_ns() if now_ns is None else now_ns),
            window=WindowSpan(start_ns=window.end_ns - self._length_ns, end_ns=window.end_ns),
            vocabulary=self.emotions.vocabulary.version,
            model=self._bundle.version,
            backend=self.backend.name,
            degraded=self.degraded,
            emotions=list(self._scores(window.source, scored, used)) if used else [],
            evidence=evidence,
            latency_ms=Latency(
                capture_to_score=min(ages_ms) if ages_ms else None, inference=round(inference_ns / 1e6, 3)
            ),
            baseline=scored.states,
        )

    def _scores(self, source: str, scored: _Scored, used: list[str]) -> Iterable[EmotionScore]:
        now = before = _Numbers(scored.scores.after, scored.row, used)
        if scored.scores.corrected is not None:
            before = _Numbers(scored.scores.before, scored.row, used)
        for column, emotion in enumerate(self.emotions.vocabulary.emotions):
            smoothed = self._smooth(source, emotion.name, now.probability[column])
            smoothed_before = smoothed
            if scored.scores.corrected is not None:
                smoothed_before = self._smooth(source, emotion.name, before.probability[column], before=True)
            yield EmotionScore(
                name=emotion.name,
                distance=now.distance[column],
                probability=round(now.probability[column], _DIGITS),
                smoothed=round(smoothed, _DIGITS),
                by_modality=now.by_modality[column],
                active=None if emotion.threshold is None else smoothed >= emotion.threshold,
                uncorrected=Uncorrected(
                    distance=before.distance[column],
                    probability=round(before.probability[column], _DIGITS),
                    smoothed=round(smoothed_before, _DIGITS),
                    by_modality=before.by_modality[column],
                )
                if scored.corrected
                else None,
            )

    def _smooth(self, source: str, emotion: str, probability: float, *, before: bool = False) -> float:
        key = (source, emotion, before)
        previous = self._smoothed.get(key, probability)
        weight = 1 - math.exp(-self._hop_s / self._smoothing_s) if self._smoothing_s else 1.0
        self._smoothed[key] = previous + weight * (probability - previous)
        return self._smoothed[key]


@dataclass(frozen=True)
class _Scored:
    """One window of a batch."""

    row: int
    scores: WindowScores

    @property
    def corrected(self) -> bool:
        corrected = self.scores.corrected
        return corrected is not None and corrected.changed[self.row]

    @property
    def states(self) -> dict[str, BaselineState] | None:
        corrected = self.scores.corrected
        return None if corrected is None else dict(corrected.states[self.row])


class _Numbers:
    """The numbers of one window, as Python has them: taken out of arrays one by one they cost more."""

    def __init__(self, outputs: Outputs, row: int, used: list[str]) -> None:
        self.distance = _rounded(outputs.distance[row])
        self.probability: list[float] = outputs.probability[row].tolist()
        own = {name: _rounded(outputs.modality_distance[row, MODALITIES.index(name)]) for name in used}
        self.by_modality = [dict(zip(own, column, strict=True)) for column in zip(*own.values(), strict=True)]


def _rounded(numbers: Float32Array) -> list[float]:
    return [round(number, _DIGITS) for number in numbers.tolist()]


def _evidence(part: ModalityWindow, now_ns: int) -> Evidence:
    newest_ns = part.bins.newest_ns
    return Evidence(
        used=part.why is None,
        coverage=round(part.coverage, 4),
        age_ms=None if newest_ns is None else round((now_ns - newest_ns) / 1e6, 3),
        why=part.why,
        dropped=part.dropped,
        pending_ms=-(-part.pending_ns // 1_000_000),
    )
