"""The whole daemon on a camera and a microphone that show a face and say words for as long as is wanted."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.assets import asset_path
from models.media import read_audio
from stream import EmotionMessage
from stream.messages import SAMPLE_RATE_HZ, Int16Array
from stream.windows import NS_PER_S
from tests.clips import write_clip
from tests.spoken import missing, spoken
from tests.workers.daemon import Daemon, running_daemon
from tests.workers.network_cameras import NetworkCamera
from tests.workers.pulse_server import PulseServer

MODALITIES = ("face", "voice", "text")
LATE_MS = 400
"""A modality whose extractor lags further behind than this is missing."""
_WORDS = "transcript: {engine: vosk, vosk_model: vosk-ko, language: ko}\n"
"""Streaming, as where people use it; the voice of `_SAID` is a synthesiser's."""
_SAID = ("안녕하세요 반갑습니다", "오늘 날씨가 좋습니다", "이 음식은 아주 맛있어요")
_LOUD = 0.01
_SILENCE_NS = 400_000_000
_STAYS_NS = 2 * NS_PER_S
_SETTLE_S = 60.0


class SharedCamera(NetworkCamera):
    """A camera that shows a face to any number of viewers, who may come and go."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/cam.mjpg"

    def _command(self) -> list[str]:
        clip = asset_path("demo-face")
        return [sys.executable, "-m", "tests.chaos.mjpeg_server", str(self._port), str(clip)]


class TooBusyError(Exception):
    """This machine does not score in time even when nothing is done to it."""


@dataclass
class Scene:
    """A daemon that scores a face and speech, and the devices that it watches and hears."""

    daemon: Daemon
    camera: SharedCamera
    microphone: PulseServer
    speech: Path

    def settle(self, modalities: Iterable[str] = ("face", "voice")) -> bool:
        """Wait until `modalities` are used and up to date; return whether they came to that in a minute."""
        end_s = time.monotonic() + _SETTLE_S
        wanted = set(modalities)
        self.daemon.wait_until(lambda: wanted <= self.there() or time.monotonic() >= end_s)
        return wanted <= self.there()

    def there(self) -> set[str]:
        """Return the modalities that are used and up to date now."""
        return {modality for modality in MODALITIES if is_there(self.daemon.emotions[-1], modality)}

    def watch(self, seconds: float) -> None:
        """Let it run."""
        end_s = time.monotonic() + seconds
        self.daemon.wait_until(lambda: time.monotonic() >= end_s)

    def since(self, time_ns: int) -> list[EmotionMessage]:
        """Return every message scored since."""
        return [message for message in self.daemon.emotions if message.time_ns >= time_ns]


@contextlib.contextmanager
def scene(
    *,
    minutes: float = 10,
    config: str = "",
    environment: dict[str, str] | None = None,
    under: Sequence[str] = (),
    words: bool = False,
) -> Iterator[Scene]:
    """Run a daemon on devices that go on for `minutes`, with a transcriber if `words`.

    Raises:
        RuntimeError: this machine has no sound server to run, or nothing to speak with.
        TooBusyError: it does not come to score a face and speech in time.
    """
    if why := PulseServer.missing() or (words and missing()):
        raise RuntimeError(why)
    with tempfile.TemporaryDirectory(prefix="emo-", dir="/tmp") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        said = np.concatenate(spoken(_SAID)) if words else read_audio(asset_path("two-cities"))
        heard = _without_silent_ends(said)
        times = math.ceil(minutes * 60 * SAMPLE_RATE_HZ / len(heard))
        speech = write_clip(folder / "speech.wav", samples=np.tile(heard, times))
        (folder / "pa").mkdir()
        microphone = PulseServer(folder / "pa")
        camera = SharedCamera()
        stack.callback(microphone.close)
        stack.callback(camera.kill)
        microphone.start()
        camera.start()
        microphone.play(speech)
        sources = f"sources: [{{name: desk, camera: {{device: '{camera.url}'}}, microphone: {{}}}}]\n"
        with running_daemon(
            folder,
            sources + config + (_WORDS if words else "transcript: {engine: 'off'}\n"),
            environment=microphone.environment | (environment or {}),
            under=under,
        ) as daemon:
            daemon.wait_until(lambda: bool(daemon.emotions) and bool(daemon.health))
            made = Scene(daemon, camera, microphone, speech)
            if not made.settle():
                raise TooBusyError(f"of a face and speech only {made.there() or 'nothing'} is scored in time")
            yield made


def _without_silent_ends(samples: Int16Array) -> Int16Array:
    loud = np.flatnonzero(np.abs(samples) > _LOUD * np.iinfo(np.int16).max)
    return samples[loud[0] : loud[-1] + 1]


def is_there(message: EmotionMessage, modality: str) -> bool:
    """Return whether a modality is used and up to date."""
    evidence = message.evidence[modality]
    return evidence.used and evidence.pending_ms <= LATE_MS


def is_missing(message: EmotionMessage, modality: str) -> bool:
    """Return whether a modality that was there is interrupted; who says nothing for a window is not."""
    if modality == "text":
        return message.evidence[modality].pending_ms > LATE_MS
    return not is_there(message, modality)


@dataclass(frozen=True)
class Recovery:
    """How a modality came back to stay."""

    back_s: float
    """After how long it was there to stay; 0 where it was never missing."""
    late_s: tuple[float, ...]
    """When it was missing after that, a number for each window."""


def recovery(messages: list[EmotionMessage], since_ns: int, modality: str) -> Recovery | None:
    """Return how a modality came back, `None` where it did not, or was gone again at the end.

    `messages` are those scored since `since_ns`. A modality is back once it is there without a break for as
    long as `_STAYS_NS`; a spell without any message is a break too.
    """
    if not messages or is_missing(messages[-1], modality):
        return None
    there_ns: int | None = since_ns
    before_ns = since_ns
    for place, message in enumerate(messages):
        if not is_there(message, modality):
            there_ns = None
        elif there_ns is None or message.time_ns - before_ns > _SILENCE_NS:
            there_ns = message.time_ns
        before_ns = message.time_ns
        if there_ns is not None and message.time_ns - there_ns >= _STAYS_NS:
            late_ns = [m.time_ns - since_ns for m in messages[place:] if is_missing(m, modality)]
            return Recovery((there_ns - since_ns) / NS_PER_S, tuple(ns / NS_PER_S for ns in late_ns))
    return None


def contradictions(messages: list[EmotionMessage]) -> list[str]:
    """Return where a message claims what its own evidence does not bear out, or skips a window unsaid."""
    found = []
    before: EmotionMessage | None = None
    for message in messages:
        used = {name for name, evidence in message.evidence.items() if evidence.used}
        named = {name for emotion in message.emotions for name in emotion.by_modality}
        values = [
            value
            for emotion in message.emotions
            for value in (emotion.distance, emotion.probability, *emotion.by_modality.values())
        ]
        if named != used or bool(message.emotions) != bool(used):
            found.append(f"{message.seq}: scored {sorted(named)}, used {sorted(used)}")
        if not all(map(math.isfinite, values)):
            found.append(f"{message.seq}: not finite")
        if any(not e.used and not e.why for e in message.evidence.values()):
            found.append(f"{message.seq}: unused without a reason")
        if before is not None and message.seq not in (before.seq + 1, 0):
            found.append(f"{message.seq}: after {before.seq}")
        before = message
    return found


def logged(daemon: Daemon, text: str) -> list[str]:
    """Return the messages of the daemon's log that hold `text`."""
    events = []
    for line in daemon.log.splitlines():
        with contextlib.suppress(ValueError):
            events.append(str(json.loads(line)["message"]))
    return [event for event in events if text in event]
