"""Builders of public messages, as a daemon publishes them."""

from __future__ import annotations

from stream.public import (
    BaselineState,
    EmotionMessage,
    EmotionScore,
    Evidence,
    HealthMessage,
    Latency,
    SourceHealth,
    TopicHealth,
    TranscriptMessage,
    TranscriptWord,
    Uncorrected,
    WindowSpan,
    WorkerHealth,
)
from stream.windows import NS_PER_S

HOP_NS = NS_PER_S // 10
EKMAN = {"joy": 0.72, "sadness": 0.08, "anger": 0.05, "fear": 0.11, "disgust": 0.03, "surprise": 0.34}


def evidence(*, face: bool = True, voice: bool = True, text: bool = True) -> dict[str, Evidence]:
    return {
        "face": Evidence(used=True, coverage=0.98, age_ms=24.0)
        if face
        else Evidence(used=False, coverage=0.0, why="no face in the window"),
        "voice": Evidence(used=True, coverage=0.61, age_ms=12.0, dropped=3)
        if voice
        else Evidence(used=False, coverage=0.02, age_ms=4100.0, why="coverage 0.02 is below 0.08"),
        "text": Evidence(used=True, coverage=0.44, age_ms=380.0, pending_ms=650)
        if text
        else Evidence(used=False, coverage=0.0, why="no speech in the window"),
    }


def emotion_message(
    seq: int = 0,
    *,
    source: str = "desk",
    smoothed: dict[str, float] | None = None,
    given: dict[str, Evidence] | None = None,
    vocabulary: str = "ekman@d3a8",
    degraded: str | None = None,
    uncorrected: dict[str, float] | None = None,
    baseline: dict[str, BaselineState] | None = None,
) -> EmotionMessage:
    """One scored window; the distances follow from `smoothed`, and from `uncorrected` those before."""
    given = evidence() if given is None else given
    used = [name for name, item in given.items() if item.used]
    end_ns = 10 * NS_PER_S + seq * HOP_NS
    scores = [
        EmotionScore(
            name=name,
            distance=1 - value / 2,
            probability=value,
            smoothed=value,
            by_modality={modality: 1 - value / 2 + 0.05 * place for place, modality in enumerate(used)},
            uncorrected=_before(uncorrected[name], used) if uncorrected else None,
        )
        for name, value in (EKMAN if smoothed is None else smoothed).items()
    ]
    return EmotionMessage(
        source=source,
        seq=seq,
        time_ns=end_ns + 40_000_000,
        wall_time=f"2026-11-22T10:00:{seq // 10 % 60:02d}.{seq % 10}00Z",
        window=WindowSpan(start_ns=end_ns - 5 * NS_PER_S, end_ns=end_ns),
        vocabulary=vocabulary,
        model="live@1",
        backend="onnxruntime",
        degraded=degraded,
        emotions=scores if used else [],
        evidence=given,
        latency_ms=Latency(capture_to_score=40.0 if used else None, inference=2.5),
        baseline=baseline,
    )


def _before(value: float, used: list[str]) -> Uncorrected:
    return Uncorrected(
        distance=1 - value / 2,
        probability=value,
        smoothed=value,
        by_modality=dict.fromkeys(used, 1 - value / 2),
    )


def transcript_message(
    words: str, *, utterance: int = 0, final: bool = True, seq: int = 0, source: str = "desk"
) -> TranscriptMessage:
    """One utterance, three words a second from second 8."""
    start_ns = 8 * NS_PER_S
    return TranscriptMessage(
        source=source,
        seq=seq,
        time_ns=start_ns,
        utterance=utterance,
        final=final,
        words=[
            TranscriptWord(
                text=text,
                start_ns=start_ns + index * NS_PER_S // 3,
                end_ns=start_ns + (index + 1) * NS_PER_S // 3,
                confidence=0.9,
            )
            for index, text in enumerate(words.split())
        ],
    )


def lost_camera() -> WorkerHealth:
    """Return the health of a camera worker whose camera was unplugged."""
    return WorkerHealth(
        worker="camera", source="desk", state="lost", detail="unplugged", pid=7, cpu=0, rss_mb=1,
        restarts=0, restart_cause=None, counters={},
    )  # fmt: skip


def health_message(
    seq: int = 0, *, sources: tuple[str, ...] = ("desk",), workers: tuple[WorkerHealth, ...] = ()
) -> HealthMessage:
    """The state of a daemon whose sources run."""
    return HealthMessage(
        name="emostream",
        seq=seq,
        time_ns=seq * NS_PER_S,
        wall_time="2026-11-22T10:00:00.000Z",
        version="0.1.0",
        vocabulary="ekman@d3a8",
        vocabulary_error=None,
        degraded=None,
        sources=[SourceHealth(source=source, state="running") for source in sources],
        workers=list(workers),
        topics=[
            TopicHealth(
                topic=topic,
                source=source,
                alive=True,
                on_rate=True,
                rate_hz=rate,
                expected_hz=expected,
                received=100,
                dropped=dropped,
            )
            for source in sources
            for topic, rate, expected, dropped in (("frame", 25.0, 15.0, 4), ("face", 24.8, 15.0, 0))
        ],
    )
