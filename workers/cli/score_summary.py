"""What `emostream score` says of a file in a few lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from stream.public import EmotionMessage
from stream.windows import NS_PER_S
from workers.live_view import MODALITIES


@dataclass
class ScoreSummary:
    """Sums over the windows of a file; feed it every message."""

    windows: int = 0
    _scored: int = 0
    _end_ns: int = 0
    _probability: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _used: Counter[str] = field(default_factory=Counter)

    def take(self, message: EmotionMessage) -> None:
        """Count a window in."""
        self.windows += 1
        self._scored += bool(message.emotions)
        self._end_ns = message.window.end_ns
        for score in message.emotions:
            self._probability[score.name] += score.probability
        self._used.update(modality for modality, item in message.evidence.items() if item.used)

    def lines(self, name: str) -> Iterator[str]:
        """Yield how many windows, each emotion's mean probability, and how often each evidence was there."""
        end_s = self._end_ns / NS_PER_S
        yield f"{name}: {self.windows} windows to {end_s:.1f} s, {self._scored} scored"
        means = sorted(self._probability.items(), key=lambda item: -item[1])
        if means:
            yield "  mean probability: " + ", ".join(
                f"{name} {sum_ / self._scored:.0%}" for name, sum_ in means
            )
        if self.windows:
            shares = (f"{title} {self._used[key] / self.windows:.0%}" for key, title in MODALITIES.items())
            yield "  windows with evidence: " + ", ".join(shares)
