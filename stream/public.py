"""The public messages, the same struct in JSON and MessagePack; `docs/protocol.md` documents them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from stream.messages import MessageError, State


class Public(msgspec.Struct, frozen=True, kw_only=True):
    """What all public messages share: unknown fields are ignored, so that fields can be added later."""


class WindowSpan(Public, frozen=True, kw_only=True):
    """The stretch of time that was scored."""

    start_ns: int
    end_ns: int


class Uncorrected(Public, frozen=True, kw_only=True):
    """A score as it was before the personal baseline was taken out of it."""

    distance: float
    probability: float
    smoothed: float
    by_modality: dict[str, float]


class EmotionScore(Public, frozen=True, kw_only=True, omit_defaults=True):
    """How far the evidence is from one emotion of the vocabulary."""

    name: str
    distance: float
    """The model's own distance; for a cosine model 0 (same direction) to 2 (opposite)."""
    probability: float
    """Calibrated sigmoid of the distance, 0..1, higher is nearer."""
    smoothed: float
    """Probability, exponentially smoothed over time."""
    by_modality: dict[str, float]
    """Distance to each modality that was used."""
    active: bool | None = None
    """Whether `smoothed` reaches the threshold of the vocabulary entry; absent without a threshold."""
    uncorrected: Uncorrected | None = None
    """The same without the personal baseline; absent where nothing was taken out."""


class BaselineState(Public, frozen=True, kw_only=True, omit_defaults=True):
    """How far the personal baseline of one modality is."""

    state: Literal["learning", "set"] = msgspec.field()
    """`set`: a neutral point is there, and taken out of the scores."""
    seconds_left: float | None = None
    """Seconds of evidence still wanted; absent once it is set."""
    calibrated: bool = False
    """Whether the neutral point is one that `emostream calibrate` kept, rather than learned on the way."""


class Evidence(Public, frozen=True, kw_only=True, omit_defaults=True):
    """What one modality gave to the window. An absent field has its default."""

    used: bool = msgspec.field()
    coverage: float = msgspec.field()
    """Share of the window with evidence, 0..1."""
    age_ms: float | None = None
    """Age of the newest evidence when the window was scored; absent without evidence."""
    why: str | None = None
    """Why it was not used."""
    dropped: int = 0
    """Frames or audio messages inside the window that were captured but never looked at."""
    pending_ms: int = 0
    """How much of the window's end was still being extracted when the window was scored."""


class Latency(Public, frozen=True, kw_only=True):
    """Where the time went."""

    capture_to_score: float | None
    """From the capture of the newest evidence to the score; `None` without evidence."""
    inference: float
    """The model alone, for the batch this window was in."""


class EmotionMessage(Public, frozen=True, kw_only=True, omit_defaults=True):
    """One scored window of one source; `emotions` is empty when there was no evidence at all."""

    source: str
    seq: int
    """Counts up by one for each message of a source; a step of more is a gap."""
    time_ns: int
    """When it was scored, on the capture clock."""
    wall_time: str
    window: WindowSpan
    vocabulary: str
    """Name and version of the vocabulary."""
    model: str
    backend: str
    degraded: str | None
    """Why scores come from a fallback; `None` when all is well."""
    emotions: list[EmotionScore]
    evidence: dict[str, Evidence]
    latency_ms: Latency
    baseline: dict[str, BaselineState] | None = None
    """By modality; absent where the personal baseline is off."""


class TranscriptWord(Public, frozen=True, kw_only=True):
    """One recognised word."""

    text: str
    start_ns: int
    end_ns: int
    confidence: float


class TranscriptMessage(Public, frozen=True, kw_only=True):
    """The words of one utterance; replaces what was said of the same `utterance` before. Off by default."""

    source: str
    seq: int
    time_ns: int
    utterance: int
    final: bool
    words: list[TranscriptWord]


class TopicHealth(Public, frozen=True, kw_only=True):
    """How one topic of one source is doing."""

    topic: str
    source: str
    alive: bool
    """It came within ten of its periods, or within two seconds where that is longer."""
    on_rate: bool
    """It comes at 90 % of its expected rate or more."""
    rate_hz: float
    expected_hz: float
    received: int
    dropped: int


class WorkerHealth(Public, frozen=True, kw_only=True):
    """How one worker process is doing."""

    worker: str
    source: str
    """Empty for a worker that serves all sources."""
    state: State | Literal["silent"]
    """`lost`: its device is gone and is being opened again. `silent`: it has not spoken for 5 s."""
    detail: str
    pid: int
    cpu: float
    """Cores used since its last message."""
    rss_mb: float
    restarts: int
    """How often the supervisor has started it again."""
    restart_cause: str | None
    """Why, the last time; `None` where it never was."""
    counters: dict[str, int]


class StageLatency(Public, frozen=True, kw_only=True):
    """How long one stage took, since inference started; the percentiles are of its last 600."""

    stage: str
    count: int
    sum_ms: float
    p50_ms: float
    p99_ms: float
    bounds_ms: list[float]
    counts: list[int]
    """How many took at most as long as the bound in the same place."""


class SourceHealth(Public, frozen=True, kw_only=True):
    """How one source is doing."""

    source: str
    state: Literal["waiting", "running", "lost", "ended"]


class HealthMessage(Public, frozen=True, kw_only=True):
    """The state of the whole daemon, once a second."""

    name: str
    seq: int
    time_ns: int
    wall_time: str
    version: str
    vocabulary: str
    vocabulary_error: str | None
    """Why the vocabulary file as it is now is not in use."""
    degraded: str | None
    sources: list[SourceHealth]
    workers: list[WorkerHealth]
    topics: list[TopicHealth]
    backend: str = ""
    """What the model runs on."""
    latency: list[StageLatency] = []
    """By stage; empty at `pace: lossless`, where ages mean nothing."""


PublicMessage: TypeAlias = EmotionMessage | TranscriptMessage | HealthMessage

_TYPES: dict[str, type[PublicMessage]] = {
    "emotion": EmotionMessage,
    "transcript": TranscriptMessage,
    "health": HealthMessage,
}
MAX_BYTES = 1 << 20
"""No public message is larger."""


def public_topic(message: PublicMessage) -> str:
    """Return the topic a message is published on: `emotion.<source>`, `transcript.<source>` or `health`."""
    if isinstance(message, HealthMessage):
        return "health"
    return f"{'emotion' if isinstance(message, EmotionMessage) else 'transcript'}.{message.source}"


def encode_public(message: PublicMessage, encoding: Literal["json", "msgpack"]) -> bytes:
    """Return `message` in the given encoding."""
    return msgspec.json.encode(message) if encoding == "json" else msgspec.msgpack.encode(message)


def decode_public(topic: str, data: bytes) -> PublicMessage:
    """Return the message that came on `topic`; its first byte tells JSON (`{`) from MessagePack.

    Raises:
        MessageError: `data` is not one.
    """
    kind = _TYPES.get(topic.split(".", 1)[0])
    if kind is None:
        raise MessageError(f"unknown topic {topic[:80]!r}")
    try:
        if data[:1] == b"{":
            return msgspec.json.decode(data, type=kind)
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageError(f"not a valid `{topic}` message: {error}") from error
