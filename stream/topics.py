"""The topic table: what flows, how often, and what a slow reader costs. All endpoints derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from stream import messages


class Plane(Enum):
    """How far a topic may travel."""

    MEDIA = "media"
    """Frames and audio: never leaves the host."""
    FEATURE = "feature"
    """Features and words: between workers."""
    PUBLIC = "public"
    """Scores and health: to subscribers."""


class Slow(Enum):
    """What a reader that falls behind gets."""

    NEWEST = "newest"
    """Only the newest message; what it skips is counted."""
    QUEUE = "queue"
    """Every message up to the high-water mark; what is lost beyond is counted."""


@dataclass(frozen=True)
class Topic:
    """One row of the table."""

    name: str
    type: type[messages.Message] | None
    """`None` on the public plane, whose messages are in `stream.public`."""
    rate_hz: float
    """Expected messages a second of each source; 0 where they come by occasion."""
    plane: Plane
    slow: Slow
    high_water_mark: int
    """Messages queued for one reader before the next are lost."""

    @property
    def alive_within_s(self) -> float | None:
        """Silence longer than this means the topic is dead: ten of its periods."""
        return 10 / self.rate_hz if self.rate_hz else None


TOPICS = {
    topic.name: topic
    for topic in (
        #     name          type                    rate  plane          slow          high-water mark
        Topic("frame",      messages.Frame,         15.0, Plane.MEDIA,   Slow.NEWEST,  8),
        Topic("pcm",        messages.Pcm,           20.0, Plane.MEDIA,   Slow.QUEUE,   400),
        Topic("face",       messages.FaceFeatures,  15.0, Plane.FEATURE, Slow.QUEUE,   200),
        Topic("voice",      messages.VoiceFeatures, 20.0, Plane.FEATURE, Slow.QUEUE,   400),
        Topic("words",      messages.Words,         20.0, Plane.FEATURE, Slow.QUEUE,   400),
        Topic("text",       messages.TextFeatures,  20.0, Plane.FEATURE, Slow.QUEUE,   400),
        Topic("state",      messages.WorkerState,    1.0, Plane.FEATURE, Slow.QUEUE,   50),
        Topic("emotion",    None,                   10.0, Plane.PUBLIC,  Slow.QUEUE,   1000),
        Topic("transcript", None,                    0.0, Plane.PUBLIC,  Slow.QUEUE,   1000),
        Topic("health",     None,                    1.0, Plane.PUBLIC,  Slow.QUEUE,   100),
    )
}  # fmt: skip


def ipc_endpoint(run_folder: Path, topic: str, publisher: str) -> str:
    """Return the endpoint on which `publisher` (a source, or a worker for `state`) publishes `topic`.

    Raises:
        ValueError: the path is longer than a Unix socket's may be.
    """
    path = run_folder / f"{topic}.{publisher}"
    if len(str(path).encode()) > 100:
        raise ValueError(f"{path}: too long for a socket; set XDG_RUNTIME_DIR to a shorter folder")
    return f"ipc://{path}"
