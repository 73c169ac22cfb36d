"""Faces and words stay here: nothing that sees or hears talks to a network, and no word reaches the log."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from models.extractors.face import FaceExtractor
from stream.bus import Publisher
from stream.config import Config, config_folder, load_config
from stream.messages import End, FaceFeatures, Frame
from tests.clips import pictures
from tests.workers.daemon import Daemon, open_ends
from tests.workers.running import RunningWorker

FRAME_NS = 40_000_000
LIVE = Path(__file__).resolve().parents[2] / "models" / "bundles" / "live"
EXAMPLE = config_folder() / "emostream.yaml"
SOURCE = {"name": "desk", "camera": {"device": 0}}
StartWorker = Callable[..., RunningWorker]


@pytest.fixture
def frames(asset: Callable[[str], Path]) -> list[Frame]:
    images = pictures(asset("demo-face"), 20)
    times = [FRAME_NS * k for k in range(1, len(images) + 1)]
    return [
        Frame(source="desk", time_ns=time_ns, next_ns=time_ns + FRAME_NS, image=image)
        for time_ns, image in zip(times, images, strict=True)
    ]


@pytest.fixture
def camera(run_folder: Path) -> Iterator[Publisher]:
    """Give the camera that the face worker watches."""
    publisher = Publisher(run_folder / "emostream", "frame", "desk")
    yield publisher
    publisher.close(abandon=True)


def watch(worker: RunningWorker, camera: Publisher, frames: list[Frame]) -> list[FaceFeatures]:
    """Show the worker each frame once it has answered the one before, then the end; return its answers."""
    assert camera.wait_for_readers(1, threading.Event(), timeout_s=120)
    for frame in frames:
        answered = len(worker.of("face"))
        camera.send(frame)
        worker.read_until(partial(_has_more, worker, answered))
    camera.send(End(source="desk", time_ns=frames[-1].next_ns, why="end of test"))
    assert worker.read_to_end() == 0, worker.log
    return [r.message for r in worker.of("face") if isinstance(r.message, FaceFeatures)]


def _has_more(worker: RunningWorker, answered: int) -> bool:
    return len(worker.of("face")) > answered


def works_under(*command: str) -> bool:
    """Return whether this machine has the command `command`, and permits it."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


def test_the_face_worker_opens_no_connection_and_looks_up_no_name(
    start_worker: StartWorker, camera: Publisher, frames: list[Frame], run_folder: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-qq", "-e", "trace=network", "-o", str(trace))
    if not works_under(*strace):
        pytest.skip("strace is not installed, or not permitted here")
    worker = start_worker("face", SOURCE, under=strace)
    answers = watch(worker, camera, frames)
    assert sum(bool(answer.faces) for answer in answers) == len(frames)

    calls = trace.read_text().splitlines()
    assert {family for call in calls for family in re.findall(r"\b[AP]F_\w+", call)} == {"AF_UNIX"}
    peers = {peer for call in calls for peer in re.findall(r'sun_path=@?"([^"]*)"', call)}
    assert peers
    assert {Path(peer).parent for peer in peers} == {run_folder / "emostream"}


def test_the_face_worker_has_no_network_and_does_not_miss_it(
    start_worker: StartWorker, camera: Publisher, frames: list[Frame], asset: Callable[[str], Path]
) -> None:
    if not works_under("unshare", "--net"):
        pytest.skip("this user may not make network namespaces (unshare)")
    worker = start_worker("face", SOURCE, under=("unshare", "--net"))
    worker.read_until(lambda: bool(worker.states))
    namespace = Path(f"/proc/{worker.states[-1].pid}/ns/net").readlink()
    assert namespace != Path("/proc/self/ns/net").readlink()
    answers = watch(worker, camera, frames)
    with closing(FaceExtractor(asset("face_landmarker"))) as extractor:
        for frame, answer in zip(frames, answers, strict=True):
            (face,), (ours,) = answer.faces, extractor.extract(frame.image, frame.time_ns)
            np.testing.assert_allclose(face.vector, ours.vector, atol=1e-5)


def test_onnx_runtime_reports_to_nobody(tmp_path: Path) -> None:
    """Where it does report its use to its maker, it begins with a device id and a store in the home folder."""
    code = (
        "import sys; from pathlib import Path; from models.backends import open_backend; "
        "from models.bundle import load_bundle; open_backend(load_bundle(Path(sys.argv[1])))"
    )
    told = {"CI", "ORT_DISABLE_TELEMETRY"}  # either would keep it from it, whatever the code does
    environment = {name: value for name, value in os.environ.items() if name not in told}
    environment |= dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR"), str(tmp_path))
    subprocess.run([sys.executable, "-c", code, str(LIVE)], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []


def test_no_word_that_was_said_is_in_the_log(lossless: Daemon) -> None:
    telling = {word for word in lossless.heard_words() if len(word) >= 4}
    assert len(telling & {"currently", "second", "week", "member", "orientation"}) >= 3
    logged = " ".join(json.loads(line)["message"] for line in lossless.log.splitlines())
    assert not telling & set(re.findall(r"[a-z']+", logged.lower()))


def test_no_frame_and_no_audio_is_in_the_log(lossless: Daemon) -> None:
    """Whatever encoding it had, it would be long, and hold next to no spaces."""
    longest = max(re.findall(r"\S+", lossless.log), key=len)
    assert len(longest) < 200
    assert len(lossless.log) < 100_000


def test_nothing_that_was_seen_or_said_is_written_to_a_file(lossless: Daemon) -> None:
    """Temporary files would lie in the same folder."""
    files = [path for path in lossless.folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} <= {"emostream.yaml", "log", "lock"}
    assert {path.name for path in lossless.written} <= {"log", "lock"}
    assert all(path.is_relative_to(lossless.folder) for path in lossless.written)


def test_a_daemon_has_no_socket_of_the_internet(lossless: Daemon) -> None:
    """Its public endpoint is a file here, and so is every path between its workers."""
    assert len(lossless.pids) >= 6
    assert lossless.internet == set()


def test_a_socket_of_the_internet_and_a_file_would_be_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, (tmp_path / "frame.png").open("wb"):
        sockets, files = open_ends(os.getpid())
        port = f":{server.getsockname()[1]:04X} "
    assert any(port in each for each in sockets)
    assert tmp_path / "frame.png" in files


def test_what_was_said_is_published_to_nobody_who_did_not_ask_for_it() -> None:
    assert Config.model_validate({"sources": [SOURCE]}).stream.publish_transcript is False
    assert load_config(EXAMPLE).stream.publish_transcript is False
