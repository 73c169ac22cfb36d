"""When a window of a source is due: once its evidence is complete, or its patience is at an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.bundle import Bundle
from models.timelines import FaceTimeline, ModalityWindow, TextTimeline, Timeline, VoiceTimeline
from stream.config import Config, Source
from stream.messages import AnyMessage, End
from stream.windows import NS_PER_S, next_window_end, seconds_to_ns

_IDLE_S = 0.2
# Further behind than this (after a suspend, say), windows are skipped: their scores would help nobody.
_MAX_BEHIND_NS = 5 * NS_PER_S


@dataclass(frozen=True)
class DueWindow:
    """A window that is ready to be scored."""

    source: str
    seq: int
    end_ns: int
    modalities: dict[str, ModalityWindow]


class SourceWindows:
    """The timelines of one source, and the windows cut from them at every hop."""

    def __init__(self, source: Source, config: Config, bundle: Bundle, *, hindsight: bool = False) -> None:
        self._name = source.name
        self._hop_ns = seconds_to_ns(config.window.hop_s)
        self._patience_ns = seconds_to_ns(config.window.patience_s)
        self._hindsight = hindsight
        self._timelines = _timelines(source, config, bundle, hindsight)
        self._expected = {name: line.waits_for for name, line in self._timelines.items() if line.waits_for}
        self._ends: dict[str, int] = {}
        self._late: set[str] = set()
        self._next_end_ns: int | None = None
        self._seq = 0

    def add(self, message: AnyMessage, topic: str) -> None:
        """Put one feature message on its timeline.

        Raises:
            MessageError: it does not fit the bundle, or is out of order.
        """
        self._timelines[topic].add(message)
        if isinstance(message, End):
            self._ends[topic] = message.time_ns
            return
        self._ends.pop(topic, None)
        if self._seq == 0:
            first_ns = next_window_end(message.time_ns, self._hop_ns)
            self._next_end_ns = min(first_ns, self._next_end_ns or first_ns)

    @property
    def ended(self) -> bool:
        """Whether the source has ended and every window of it was taken."""
        return len(self._ends) == len(self._expected) and not self._before_end()

    def wait_s(self, now_ns: int) -> float:
        """Return how long the next window may still wait for evidence, in seconds."""
        if self._next_end_ns is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, (self._next_end_ns + self._patience_ns - now_ns) / NS_PER_S))

    def take_due(self, now_ns: int | None) -> Iterator[DueWindow]:
        """Yield the windows that are due, oldest first, each once; see `Scorer.score`."""
        self._skip_what_is_long_past(now_ns)
        while (
            self._next_end_ns is not None and self._before_end() and self._is_due(self._next_end_ns, now_ns)
        ):
            end_ns = self._next_end_ns
            self._late = {name for name in self._expected if not self._timelines[name].complete(end_ns)}
            windows = {name: line.window(end_ns) for name, line in self._timelines.items()}
            yield DueWindow(self._name, self._seq, end_ns, windows)
            self._next_end_ns += self._hop_ns
            self._seq += 1

    def _is_due(self, end_ns: int, now_ns: int | None) -> bool:
        pending = [name for name in self._expected if not self._timelines[name].complete(end_ns)]
        if now_ns is None:
            return not pending
        if now_ns < end_ns:
            return False
        # Waiting again for what already came too late for the last window would only delay the rest.
        return not set(pending) - self._late or now_ns >= end_ns + self._patience_ns

    def _before_end(self) -> bool:
        if self._next_end_ns is None:
            return False
        # Voice and text hear the same device; when one says that it has ended, the other only lags behind.
        ended = {self._expected[name] for name in self._ends}
        return ended != set(self._expected.values()) or self._next_end_ns <= max(self._ends.values())

    def _skip_what_is_long_past(self, now_ns: int | None) -> None:
        if now_ns is None or self._next_end_ns is None or now_ns - self._next_end_ns < _MAX_BEHIND_NS:
            return
        skipped = (now_ns - self._next_end_ns) // self._hop_ns
        self._next_end_ns += skipped * self._hop_ns
        self._seq += skipped


def _timelines(source: Source, config: Config, bundle: Bundle, hindsight: bool) -> dict[str, Timeline]:
    parts, length_s = bundle.modalities, bundle.window_s
    floors = {
        name: part.floor if (own := getattr(config, name).coverage_floor) is None else own
        for name, part in parts.items()
    }
    timelines = {name: Timeline(part, length_s=length_s, floor=floors[name]) for name, part in parts.items()}
    if source.has_video:
        timelines["face"] = FaceTimeline(parts["face"], length_s=length_s, floor=floors["face"])
    if source.has_audio:
        timelines["voice"] = VoiceTimeline(
            parts["voice"],
            length_s=length_s,
            floor=floors["voice"],
            speech_threshold=config.voice.speech_threshold,
        )
    if source.has_audio and config.transcript.engine != "off":
        timelines["text"] = TextTimeline(
            parts["text"], length_s=length_s, floor=floors["text"], hindsight=hindsight
        )
    return timelines
