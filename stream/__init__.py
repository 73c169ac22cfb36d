"""What flows, and how: messages, topics, bus, clock, windows, configuration and the client."""

from stream.client import Gap, NoMessageError, Subscription, subscribe
from stream.public import EmotionMessage, EmotionScore, Evidence, HealthMessage, TranscriptMessage
from stream.rows import rows

__all__ = [
    "EmotionMessage",
    "EmotionScore",
    "Evidence",
    "Gap",
    "HealthMessage",
    "NoMessageError",
    "Subscription",
    "TranscriptMessage",
    "rows",
    "subscribe",
]
