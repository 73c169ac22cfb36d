"""What the demo says at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.table import Table

from stream.public import EmotionMessage, HealthMessage, PublicMessage
from workers.live_view.state import percentile


@dataclass
class DemoSummary:
    """Figures of a whole run; feed it every message."""

    scored: int = 0
    unscored: int = 0
    """Windows without any evidence."""
    missed: int = 0
    """Messages that never arrived."""
    view_cores: float = 0.0
    """CPU cores used by the view and the supervisor."""
    _latencies_ms: list[float] = field(default_factory=list)
    _face_ages_ms: list[float] = field(default_factory=list)
    _face_windows: int = 0
    _faces_per_s: list[float] = field(default_factory=list)
    _worker_cores: list[float] = field(default_factory=list)
    _words: dict[int, int] = field(default_factory=dict)
    _health: HealthMessage | None = None

    def take(self, message: PublicMessage) -> None:
        """Count a message in."""
        if isinstance(message, EmotionMessage):
            self._take_emotion(message)
        elif isinstance(message, HealthMessage):
            self._health = message
            if any(source.state == "running" for source in message.sources):
                self._worker_cores.append(sum(worker.cpu for worker in message.workers))
                self._faces_per_s += [t.rate_hz for t in message.topics if t.topic == "face" and t.rate_hz]
        else:
            self._words[message.utterance] = len(message.words)

    def table(self) -> Table:
        """Return the figures, a line each."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim")
        windows = f"{self.scored}"
        if self.unscored:
            windows += f", and {self.unscored} without evidence"
        table.add_row("windows scored", windows)
        table.add_row("capture to score", _p50_p99(self._latencies_ms))
        table.add_row("age of the face", _p50_p99(self._face_ages_ms))
        total = self.scored + self.unscored
        if total:
            table.add_row("windows with a face", f"{self._face_windows / total:.0%}")
        if self._faces_per_s:
            table.add_row("face frames a second", f"{sum(self._faces_per_s) / len(self._faces_per_s):.1f}")
        table.add_row("words heard", f"{sum(self._words.values())}")
        table.add_row("dropped", self._dropped())
        table.add_row("gaps in the stream", f"{self.missed}")
        if self._worker_cores:
            workers = sum(self._worker_cores) / len(self._worker_cores)
            table.add_row("CPU cores", f"{workers:.2f} for the workers, {self.view_cores:.2f} for this view")
        return table

    def _take_emotion(self, message: EmotionMessage) -> None:
        if message.emotions:
            self.scored += 1
        else:
            self.unscored += 1
        if message.latency_ms.capture_to_score is not None:
            self._latencies_ms.append(message.latency_ms.capture_to_score)
        face = message.evidence.get("face")
        if face is not None and face.used:
            self._face_windows += 1
            if face.age_ms is not None:
                self._face_ages_ms.append(face.age_ms)

    def _dropped(self) -> str:
        topics = self._health.topics if self._health else []
        lost = [f"{topic.dropped} of {topic.topic}" for topic in topics if topic.dropped]
        return ", ".join(lost) or "nothing"


def _p50_p99(values: list[float]) -> str:
    p50, p99 = percentile(values, 50), percentile(values, 99)
    return "–" if p50 is None else f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
