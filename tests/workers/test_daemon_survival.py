"""Workers that die, messages that mean harm, and the daemon's own end: none leaves more than a gap behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

from models.extractors.voice import VoiceExtractor
from stream.messages import AnyMessage, Pcm, VoiceFeatures, encode
from stream.topics import ipc_endpoint
from tests.workers.daemon import Daemon, processes_left, running_daemon
from workers.liveness import SILENT_LIMIT_S

NO_WORDS = "transcript: {engine: 'off'}"


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory, asset: Callable[[str], Path]) -> Path:
    """Give eight minutes of a face: more than any test watches, however slow the machine."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed (package ffmpeg)")
    clip = tmp_path_factory.mktemp("clip") / "long.mp4"
    again = ("-stream_loop", "23", "-i", str(asset("demo-face")), "-c", "copy")
    subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", *again, str(clip)], check=True)
    return clip


@pytest.fixture(scope="module")
def daemon(make_short_folder: Callable[[], Path], long_clip: Path) -> Iterator[Daemon]:
    """Give a daemon that watches a face; of its second source, `ghost`, only the sockets are awaited."""
    folder = make_short_folder()
    config = f"""\
sources:
  - {{name: clip, file: {{path: '{long_clip}'}}}}
  - {{name: ghost, file: {{path: '{folder}/missing.mp4'}}}}
"""
    with running_daemon(folder, config + NO_WORDS) as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions) and daemon.emotions[-1].evidence["face"].used)
        yield daemon


def counters(daemon: Daemon) -> dict[str, int]:
    """Return what inference counted, as the last health message says."""
    workers = daemon.health[-1].workers if daemon.health else []
    return next((worker.counters for worker in workers if worker.worker == "inference"), {})


def pid_of(daemon: Daemon, worker: str) -> int | None:
    """Return the process id of a worker, `None` while it has none."""
    process = daemon.workers().get(worker)
    return process.pid if process else None


def restart_cause(daemon: Daemon, worker: str) -> str | None:
    """Return why a worker of the clip was last started again, as the last health message says."""
    workers = daemon.health[-1].workers
    return next((w.restart_cause for w in workers if w.worker == worker and w.source in ("", "clip")), None)


def newest_face_ns(daemon: Daemon) -> int:
    """Return when the newest face that was scored had been captured."""
    message = daemon.emotions[-1]
    age_ms = message.evidence["face"].age_ms
    return 0 if age_ms is None else message.time_ns - round(age_ms * 1e6)


def voice(**changes: Any) -> VoiceFeatures:
    fields: dict[str, Any] = {
        "source": "ghost",
        "time_ns": time.monotonic_ns(),
        "spec": VoiceExtractor.spec.name,
        "times_ns": np.array([time.monotonic_ns()], np.int64),
        "vectors": np.zeros((1, VoiceExtractor.spec.dim), np.float32),
        "speech": np.ones(1, np.float32),
    }
    return VoiceFeatures(**(fields | changes))


def test_hostile_messages_are_counted_and_change_nothing(daemon: Daemon) -> None:
    daemon.wait_until(lambda: not any(name.endswith("-ghost") for name in daemon.workers()))
    bodies = {
        "garbage": b"\xc1 not a message",
        "cut short": encode(voice())[:-100],
        "empty": b"",
        "not a number": encode(voice(speech=np.array([np.nan], np.float32))),
        "of another topic": encode(Pcm(source="ghost", time_ns=1, samples=np.zeros(800, np.int16))),
    }
    unfit: list[AnyMessage] = [
        voice(vectors=np.zeros((1, 7), np.float32)),
        voice(spec="voice@99"),
        voice(source="clip", vectors=np.zeros((1, 7), np.float32)),
    ]
    socket: zmq.Socket[bytes]
    with zmq.Context.instance().socket(zmq.XPUB) as socket:
        socket.setsockopt(zmq.LINGER, 1000)
        socket.bind(ipc_endpoint(daemon.run_folder, "voice", "ghost"))
        assert socket.poll(60_000), "inference did not join"
        for seq, body in enumerate([*bodies.values(), *map(encode, unfit)]):
            socket.send_multipart([struct.pack(">QQB", 1, seq, 0), body])
        socket.send(b"without a header")
        socket.send_multipart([b"short header", encode(voice())])
        daemon.wait_until(lambda: counters(daemon).get("voice_malformed", 0) == len(bodies) + 2)
        daemon.wait_until(lambda: counters(daemon).get("voice_refused", 0) == len(unfit))
    scored = len(daemon.emotions)
    daemon.wait_until(lambda: len(daemon.emotions) > scored + 10)
    daemon.wait_until(lambda: daemon.emotions[-1].evidence["face"].used)
    assert {message.source for message in daemon.emotions} == {"clip"}
    assert "Traceback" not in daemon.log


def test_a_worker_that_is_killed_is_started_again_alone(daemon: Daemon) -> None:
    daemon.wait_until(lambda: not any(name.endswith("-ghost") for name in daemon.workers()))
    before = {name: process.pid for name, process in daemon.workers().items()}
    os.kill(before["face-clip"], signal.SIGKILL)
    known = {before["face-clip"], None}
    daemon.wait_until(lambda: pid_of(daemon, "face-clip") not in known)
    restarted_ns = time.monotonic_ns()
    daemon.wait_until(lambda: newest_face_ns(daemon) > restarted_ns)
    after = {name: process.pid for name, process in daemon.workers().items()}
    assert after.pop("face-clip") != before.pop("face-clip")
    assert after == before
    assert '"face-clip: restarting: killed by SIGKILL; started again now"' in daemon.log
    assert daemon.missed == 0


def test_a_worker_that_hangs_is_warned_of_and_then_killed_alone(daemon: Daemon) -> None:
    before = {name: process.pid for name, process in daemon.workers().items()}
    os.kill(before["face-clip"], signal.SIGSTOP)
    daemon.wait_until(lambda: pid_of(daemon, "face-clip") not in {before["face-clip"], None})
    restarted_ns = time.monotonic_ns()
    daemon.wait_until(lambda: newest_face_ns(daemon) > restarted_ns)
    after = {name: process.pid for name, process in daemon.workers().items()}
    assert after.pop("face-clip") != before.pop("face-clip")
    assert after == before
    warning = rf"face-clip: has said nothing for \d+ s; killed at {SILENT_LIMIT_S:.0f} s unless it computes"
    cause = r"hung, and killed after \d+ s of silence; started again now"
    assert re.search(rf"{warning}.*face-clip: restarting: {cause}", daemon.log, re.DOTALL)
    daemon.wait_until(lambda: re.fullmatch(cause, restart_cause(daemon, "face") or "") is not None)


def test_why_a_worker_was_started_again_is_said_by_an_inference_worker_that_was_so_itself(
    daemon: Daemon,
) -> None:
    before = daemon.workers()["inference"].pid
    os.kill(before, signal.SIGKILL)
    daemon.wait_until(lambda: pid_of(daemon, "inference") not in {before, None})
    heard = len(daemon.health)
    daemon.wait_until(lambda: len(daemon.health) > heard)
    cause = "killed by SIGKILL; started again now"
    daemon.wait_until(lambda: restart_cause(daemon, "inference") == cause)
    daemon.wait_until(lambda: (restart_cause(daemon, "face") or "").startswith("hung, and killed"))
    daemon.wait_until(lambda: daemon.emotions[-1].evidence["face"].used)


def words_received(daemon: Daemon) -> int:
    """Return how many messages of the transcriber have been read, as the last health message says."""
    return next((topic.received for topic in daemon.health[-1].topics if topic.topic == "words"), 0)


def test_a_transcriber_that_is_killed_finds_its_model_in_memory(
    short_folder: Path, long_speech: Path, asset: Callable[[str], Path]
) -> None:
    words = f"transcript: {{engine: vosk, vosk_model: '{asset('vosk-ko')}'}}"
    config = f"sources: {{name: clip, file: {{path: '{long_speech}'}}}}\n{words}"
    with running_daemon(short_folder, config) as daemon:
        daemon.wait_until(lambda: bool(daemon.health) and words_received(daemon) > 0)
        before, keeper = daemon.workers()["transcriber-clip"], daemon.model_keepers()["transcriber-clip"].pid
        assert before.ppid() == keeper
        before.kill()
        daemon.wait_until(lambda: pid_of(daemon, "transcriber-clip") not in {before.pid, None})
        assert daemon.workers()["transcriber-clip"].ppid() == keeper
        heard = len(daemon.health)
        daemon.wait_until(lambda: len(daemon.health) > heard)
        received = words_received(daemon)
        daemon.wait_until(lambda: words_received(daemon) > received)
        assert restart_cause(daemon, "transcriber") == "killed by SIGKILL; started again now"

        second = pid_of(daemon, "transcriber-clip")
        os.kill(keeper, signal.SIGKILL)
        daemon.wait_until(lambda: pid_of(daemon, "transcriber-clip") not in {second, None})
        assert not psutil.pid_exists(keeper)
        assert daemon.stop() == 0
    assert not processes_left(short_folder)


@pytest.fixture
def talking(short_folder: Path, long_speech: Path) -> Iterator[Daemon]:
    """Give a daemon of its own that is scoring speech."""
    config = f"sources: {{name: clip, file: {{path: '{long_speech}'}}}}\n{NO_WORDS}"
    with running_daemon(short_folder, config) as daemon:
        daemon.wait_until(lambda: len(daemon.emotions) >= 3)
        assert len(processes_left(short_folder)) >= 4
        yield daemon


def test_on_sigterm_every_worker_ends_by_itself(talking: Daemon) -> None:
    names = set(talking.workers())
    assert names >= {"inference", "voice-clip", "media-clip"}
    assert talking.stop() == 0
    assert not processes_left(talking.folder)
    for name in names:
        assert f'"worker": "{name}", "message": "ended"' in talking.log
    assert not (talking.run_folder / "config.json").exists()


def test_when_the_supervisor_is_killed_no_worker_stays(talking: Daemon) -> None:
    talking.process.kill()
    talking.process.wait()
    deadline = time.monotonic() + 60
    while left := processes_left(talking.folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
