"""One outlet a source, whose channels are named after emotions and modalities."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pylsl

from stream.config import Config
from stream.public import EmotionMessage, EmotionScore
from stream.windows import NS_PER_S

_MODALITIES = ("face", "voice", "text")
_BUFFER_S = 60


@dataclass(frozen=True)
class Channel:
    """One number of a sample."""

    label: str
    unit: str
    kind: str


def channels(emotions: list[str]) -> list[Channel]:
    """Return the channels of a vocabulary: for each emotion its distance, probability, and modalities."""
    found = []
    for name in emotions:
        found.append(Channel(f"{name}", "distance", "Distance"))
        found.append(Channel(f"{name} probability", "probability", "Probability"))
        found += [Channel(f"{name} {modality}", "distance", "Distance") for modality in _MODALITIES]
    return found


def sample(emotions: list[str], message: EmotionMessage) -> list[float]:
    """Return the numbers of a window in the order of `channels`; NaN where there was no evidence."""
    scores = {score.name: score for score in message.emotions}
    return [value for name in emotions for value in _of(scores.get(name))]


def _of(score: EmotionScore | None) -> Iterator[float]:
    if score is None:
        yield from [math.nan] * (2 + len(_MODALITIES))
        return
    yield score.distance
    yield score.probability
    for modality in _MODALITIES:
        yield score.by_modality.get(modality, math.nan)


class Outlets:
    """Opens an outlet for each source with its first scores, and anew when the vocabulary changes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._outlets: dict[str, pylsl.StreamOutlet] = {}
        self._emotions: dict[str, list[str]] = {}
        self._vocabularies: dict[str, str] = {}

    def push(self, message: EmotionMessage) -> None:
        """Hand on one window; its time is the end of the window on this machine's clock."""
        source = message.source
        if message.emotions and self._vocabularies.get(source) != message.vocabulary:
            self._vocabularies[source] = message.vocabulary
            self._emotions[source] = [score.name for score in message.emotions]
            self._outlets.pop(source, None)  # who listens finds the new one by its `source_id`
            self._outlets[source] = self._open(message, channels(self._emotions[source]))
        if source not in self._outlets:
            return
        # Both count from the same event, but LSL promises no more than a monotonic clock.
        offset_s = pylsl.local_clock() - time.monotonic()
        values = sample(self._emotions[source], message)
        self._outlets[source].push_sample(values, message.window.end_ns / NS_PER_S + offset_s)

    def _open(self, message: EmotionMessage, named: list[Channel]) -> pylsl.StreamOutlet:
        info = pylsl.StreamInfo(
            name=f"emostream {message.source}",
            type="Emotion",
            channel_count=len(named),
            nominal_srate=1 / self._config.window.hop_s,
            channel_format=pylsl.cf_float32,
            source_id=f"emostream-{self._config.name}-{message.source}",
        )
        about = info.desc()
        about.append_child_value("manufacturer", "emostream")
        about.append_child_value("model", message.model)
        about.append_child_value("vocabulary", message.vocabulary)
        window_s = (message.window.end_ns - message.window.start_ns) / NS_PER_S
        about.append_child_value("window_s", f"{window_s:g}")
        listed = about.append_child("channels")
        for channel in named:
            entry = listed.append_child("channel")
            entry.append_child_value("label", channel.label)
            entry.append_child_value("unit", channel.unit)
            entry.append_child_value("type", channel.kind)
        return pylsl.StreamOutlet(info, max_buffered=_BUFFER_S)
