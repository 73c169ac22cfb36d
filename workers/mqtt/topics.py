"""What is published where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from stream.public import EmotionMessage


@dataclass(frozen=True)
class Topics:
    """The topics of one daemon."""

    prefix: str
    daemon: str

    @property
    def status(self) -> str:
        """`online`, or `offline` once the daemon is gone, however it went; retained."""
        return f"{self.prefix}/{self.daemon}/status"

    def state(self, source: str) -> str:
        """What a source is doing, as in health messages; retained."""
        return f"{self.prefix}/{self.daemon}/{source}/state"

    def scores(self, source: str) -> str:
        """The newest scores of a source; not retained."""
        return f"{self.prefix}/{self.daemon}/{source}/scores"


def scores_payload(message: EmotionMessage) -> bytes:
    """Return the scores of one window as JSON: by emotion, beside what they rest on."""
    content: dict[str, Any] = {
        "wall_time": message.wall_time,
        "vocabulary": message.vocabulary,
        "degraded": message.degraded,
        "nearest": min(message.emotions, key=lambda score: score.distance).name if message.emotions else None,
        "evidence": {name: item.used for name, item in message.evidence.items()},
        "emotions": {
            score.name: {"probability": round(score.smoothed, 4), "distance": round(score.distance, 4)}
            | ({} if score.active is None else {"active": score.active})
            for score in message.emotions
        },
    }
    return msgspec.json.encode(content)
