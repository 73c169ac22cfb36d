"""What is drawn, whatever draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.palette import SERIES
from stream.public import EmotionMessage
from stream.windows import NS_PER_S

DASHES = ("solid", "dash", "dot", "dashdot")
"""Tell apart emotions that share a colour."""
MODALITIES = {"face": "face", "voice": "voice", "text": "words"}


@dataclass(frozen=True)
class Curves:
    """Scores over the time of one source."""

    times_s: npt.NDArray[np.float64]
    """`[n]`: the end of each window, from the start of the source."""
    smoothed: dict[str, npt.NDArray[np.float64]]
    """By emotion, `[n]`: smoothed probability; NaN where nothing was scored."""
    coverage: dict[str, npt.NDArray[np.float64]]
    """By modality, `[n]`: share of the window with evidence, 0..1."""
    used: dict[str, npt.NDArray[np.bool_]]
    """By modality, `[n]`."""
    caption: str
    """Model, backend and vocabulary."""

    @classmethod
    def of(cls, messages: Sequence[EmotionMessage]) -> Curves:
        """Collect the curves of `messages`, at least one, in order of time."""
        names = dict.fromkeys(score.name for message in messages for score in message.emotions)
        smoothed = {name: np.full(len(messages), np.nan) for name in names}
        coverage = {modality: np.zeros(len(messages)) for modality in MODALITIES}
        used = {modality: np.zeros(len(messages), np.bool_) for modality in MODALITIES}
        for row, message in enumerate(messages):
            for score in message.emotions:
                smoothed[score.name][row] = score.smoothed
            for modality, item in message.evidence.items():
                coverage[modality][row] = item.coverage
                used[modality][row] = item.used
        first = messages[0]
        return cls(
            times_s=np.array([message.window.end_ns for message in messages]) / NS_PER_S,
            smoothed=smoothed,
            coverage=coverage,
            used=used,
            caption=f"{first.model} · {first.backend} · {first.vocabulary}",
        )

    def style(self, name: str) -> tuple[str, str]:
        """Return the colour and the dash of an emotion's line."""
        index = list(self.smoothed).index(name)
        return SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)]

    def last_values(self) -> dict[str, float]:
        """Return the last smoothed probability of every emotion that was ever scored."""
        values = {name: curve[np.isfinite(curve)] for name, curve in self.smoothed.items()}
        return {name: float(known[-1]) for name, known in values.items() if len(known)}


def spread_labels(heights: dict[str, float], gap: float) -> dict[str, float]:
    """Return heights in 0..1 at least `gap` apart (closer where they do not fit), in the same order."""
    order = sorted(heights, key=lambda name: heights[name])
    gap = min(gap, 1 / max(1, len(order) - 1))
    places: list[float] = []
    for name in order:
        places.append(max(heights[name], places[-1] + gap) if places else max(0.0, heights[name]))
    ceiling = 1.0
    for row in reversed(range(len(places))):
        places[row] = min(places[row], ceiling)
        ceiling = places[row] - gap
    return dict(zip(order, places, strict=True))
