"""What the gateway knows, and hands to its viewers: the one place that every answer comes from."""

from __future__ import annotations

import time

import msgspec

from stream.config import Config
from stream.public import EmotionMessage, HealthMessage, PublicMessage, TranscriptMessage, public_topic
from workers.gateway.history import History
from workers.gateway.landmarks import FaceMessage
from workers.gateway.viewers import Viewers, Wanted
from workers.gateway.vocabulary import VocabularyEditor

SILENT_S = 3.0
"""Health comes every second; after this long without it the daemon does not answer."""


class Gateway:
    """Feed it with `take` and `take_faces`, on the event loop that its viewers are served on."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.viewers = Viewers()
        self.history = History()
        self.vocabulary = VocabularyEditor(config)
        self.missed = 0
        """Public messages that never arrived here."""
        self._health: HealthMessage | None = None
        self._health_text = ""
        self._heard_s = 0.0

    @property
    def health(self) -> HealthMessage | None:
        """The newest snapshot of the daemon; `None` while it does not answer."""
        return self._health if time.monotonic() - self._heard_s < SILENT_S else None

    def take(self, message: PublicMessage) -> None:
        """Take any public message."""
        topic = public_topic(message)
        if isinstance(message, EmotionMessage):
            text = _envelope(topic, self.history.add(message))
            self.viewers.publish("emotion", message.source, text, key=topic)
        elif isinstance(message, TranscriptMessage):
            text = _envelope(topic, msgspec.json.encode(message))
            key = f"{topic}.{message.utterance}"
            self.viewers.publish("transcript", message.source, text, key=key, supersedes=True)
        else:
            self._health, self._heard_s = message, time.monotonic()
            self._health_text = _envelope(topic, msgspec.json.encode(message))
            self.viewers.publish("health", None, self._health_text, key=topic)

    def take_faces(self, message: FaceMessage) -> None:
        """Take the faces of one frame."""
        if self.viewers.wants("face"):
            topic = f"face.{message.source}"
            text = _envelope(topic, msgspec.json.encode(message))
            self.viewers.publish("face", message.source, text, key=topic)

    def greeting(self, wanted: Wanted) -> list[str]:
        """Return what a viewer is told first: how the daemon is."""
        return [self._health_text] if "health" in wanted.kinds and self.health else []


def _envelope(topic: str, message: bytes) -> str:
    return f'{{"topic":"{topic}","message":{message.decode()}}}'
