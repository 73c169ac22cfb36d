"""An hour of a looped clip at its own pace: memory, and how far picture and sound drift apart.

Every five seconds the clip is white for one frame and clicks once. The times of flash and click, as the
messages carry them to the evidence, tell the drift.
"""

from __future__ import annotations

import itertools
import subprocess
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

import numpy as np

from models.assets import asset_path
from models.media import read_audio
from stream.bus import Inbox
from stream.messages import SAMPLE_RATE_HZ, Frame, Pcm
from tests.chaos.figures import Figure
from tests.chaos.scene import contradictions
from tests.clips import pictures, write_clip
from tests.workers.daemon import Daemon, running_daemon

_LOOP_S, _MARK_EVERY_S, _FRAME_MS = 30, 5, 50
_WHITE, _CLICK = 250, 30_000
_DRIFT_MS = 40.0
_START_AND_END_S = 300.0
_SLOPE_MB = 10.0
"""Memory that a worker may come to hold within an hour."""


def hour(minutes: float = 60) -> list[Figure]:
    """Play the clip for `minutes`."""
    with tempfile.TemporaryDirectory(prefix="emo-", dir="/tmp") as name:
        folder = Path(name)
        clip = _looped(_marked_clip(folder), folder / "hour.mkv", minutes)
        config = f"sources: [{{name: clip, file: {{path: '{clip}'}}}}]\n"
        with running_daemon(folder, config) as daemon:
            marks = _Marks(daemon)
            daemon.wait_until(lambda: bool(daemon.emotions))
            marks.start()
            status = daemon.wait(timeout_s=minutes * 60 + _START_AND_END_S)
            marks.join()
    wrong = contradictions(daemon.emotions)
    expected = minutes * 600
    return [
        Figure(
            "scores",
            f"{len(daemon.emotions)} of {expected:.0f}",
            "≥ 99 %",
            len(daemon.emotions) >= 0.99 * expected,
        ),
        Figure("exit status", str(status), "0", status == 0),
        Figure("messages that contradict their evidence, or skip a window", str(len(wrong)), "0", not wrong),
        marks.figure(),
        *_memory(daemon),
    ]


def _marked_clip(folder: Path) -> Path:
    """Write a face that speaks, with a flash and a click at the same moments."""
    faces = pictures(asset_path("demo-face"), 75)
    images = list(itertools.islice(itertools.cycle([*faces, *reversed(faces)]), _LOOP_S * 1000 // _FRAME_MS))
    samples = np.resize(read_audio(asset_path("two-cities")), _LOOP_S * SAMPLE_RATE_HZ)
    samples = np.clip(samples, -_CLICK // 2, _CLICK // 2)
    for second in range(2, _LOOP_S, _MARK_EVERY_S):
        images[second * 1000 // _FRAME_MS] = np.full_like(images[0], 255)
        samples[second * SAMPLE_RATE_HZ] = 32_767
    times = list(range(0, _LOOP_S * 1000, _FRAME_MS))
    return write_clip(folder / "marked.mkv", images=images, times_ms=times, size=(320, 240), samples=samples)


def _looped(clip: Path, into: Path, minutes: float) -> Path:
    again = ("-stream_loop", str(round(minutes * 60 / _LOOP_S) - 1), "-i", str(clip), "-c", "copy")
    subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", *again, str(into)], check=True)
    return into


class _Marks(threading.Thread):
    """Reads what the player publishes, and notes the times of flashes and clicks."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__(daemon=True)
        self._daemon = daemon
        self._flashes_ns: list[int] = []
        self._clicks_ns: list[int] = []

    def run(self) -> None:
        inbox = Inbox(self._daemon.run_folder, lossless=True)
        for topic in ("frame", "pcm"):
            inbox.subscribe(topic, ["clip"])
        while self._daemon.process.poll() is None:
            for received in inbox.receive(timeout_s=0.5):
                match received.message:
                    case Frame(time_ns=time_ns, image=image) if image.mean() > _WHITE:
                        self._flashes_ns.append(time_ns)
                    case Pcm(time_ns=time_ns, samples=samples) if samples.max() > _CLICK:
                        after = len(samples) - int(samples.argmax())
                        self._clicks_ns.append(time_ns - after * 1_000_000_000 // SAMPLE_RATE_HZ)
        inbox.close()

    def figure(self) -> Figure:
        """Return how far flash and click have moved apart from the first pair to the last."""
        apart_ms = [
            (flash - min(self._clicks_ns, key=lambda click, flash=flash: abs(click - flash))) / 1e6  # type: ignore[misc]
            for flash in self._flashes_ns
            if self._clicks_ns
        ]
        what = "drift between picture and sound, first to last mark"
        if len(apart_ms) < 2:
            return Figure(
                what, f"{len(self._flashes_ns)} flashes, {len(self._clicks_ns)} clicks", "", met=False
            )
        drift = apart_ms[-1] - apart_ms[0]
        largest = max(map(abs, apart_ms))
        measured = f"{drift:.1f} ms over {len(apart_ms)} marks, apart {largest:.1f} ms at most"
        return Figure(what, measured, f"≤ {_DRIFT_MS:g} ms", abs(drift) <= _DRIFT_MS and largest <= _DRIFT_MS)


def _memory(daemon: Daemon) -> list[Figure]:
    """Return what each worker gained in memory, from a straight line through all but the first tenth."""
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for health in daemon.health:
        for worker in health.workers:
            if worker.pid:
                seen[worker.worker].append((health.time_ns / 3.6e12, worker.rss_mb))
    figures = []
    for name, points in seen.items():
        hours, memory = np.array(points[len(points) // 10 :]).T
        slope = float(np.polyfit(hours - hours[0], memory, 1)[0])
        measured = f"{slope:+.1f} MB an hour, of {memory[-1]:.0f}"
        figures.append(
            Figure(f"memory of `{name}`", measured, f"≤ {_SLOPE_MB:g} MB an hour", slope <= _SLOPE_MB)
        )
    return figures
