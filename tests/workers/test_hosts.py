"""Capture on one host, inference on another: two network namespaces, the relay in one, the remote in the other."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stream.bus import Publisher
from stream.clock import now_ns
from stream.config import load_config
from stream.feature_link import FeaturePublisher
from stream.keys import DAEMON, allow, key_file, make_pair, read_pair, revoke
from stream.messages import Face, FaceFeatures, Frame, WorkerState
from stream.topics import TOPICS, Plane
from tests.workers.network_namespaces import NEAR, TwoHosts
from tests.workers.running import RunningWorker

StartWorker = Callable[..., RunningWorker]
PORT = 5558
ENDPOINT = f"tcp://{NEAR}:{PORT}"
CAMERA = {"name": "desk", "camera": {"device": 0}}
# Connects from the far host to argument 1, with the keys that follow, if any; says so when something comes, and
# once its input ends how many parts of messages came.
EAVESDROPPER = """
import select, sys, zmq
from pathlib import Path
from stream.keys import read_pair
socket = zmq.Context.instance().socket(zmq.SUB)
if len(sys.argv) > 2:
    pair = read_pair(Path(sys.argv[2]))
    socket.curve_publickey, socket.curve_secretkey = pair.public.encode(), pair.secret.encode()
    socket.curve_serverkey = sys.argv[3].encode()
socket.subscribe(b"")
socket.connect(sys.argv[1])
heard = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    if socket.poll(100):
        if not heard:
            print("something", flush=True)
        heard += len(socket.recv_multipart())
print(heard)
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[TwoHosts]:
    try:
        hosts = TwoHosts()
    except OSError as error:
        pytest.skip(f"no two hosts on this machine: {error}")
    yield hosts
    hosts.close()


@pytest.fixture
def jetson(tmp_path: Path) -> Path:
    """Give the folder of the keys of the host that captures."""
    folder = tmp_path / "jetson"
    make_pair(folder, DAEMON)
    return folder


@pytest.fixture
def workstation(tmp_path: Path, jetson: Path) -> Path:
    """Give the folder of the keys of the host that scores, which the other allows."""
    folder = tmp_path / "workstation"
    allow(jetson, "workstation", make_pair(folder, DAEMON).public)
    return folder


class Camera:
    """Publishes faces on the host that captures, 50 a second, until closed."""

    def __init__(self, folder: Path) -> None:
        self._publisher = Publisher(folder, "face", "desk")
        self._stop = threading.Event()
        self.sent: dict[float, int] = {}
        """When each was captured, by the number in its vector."""
        self._thread = threading.Thread(target=self._publish)
        self._thread.start()

    def _publish(self) -> None:
        number = 0.0
        while not self._stop.wait(0.02):
            time_ns = now_ns()
            self.sent[number] = time_ns
            face = Face(track=1, box=(0, 0, 1, 1), vector=np.full(4, number, np.float32))
            self._publisher.send(
                FaceFeatures(source="desk", time_ns=time_ns, spec="face@1", through_ns=time_ns, faces=[face])
            )
            number += 1

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join()
        self._publisher.close(abandon=True)


@pytest.fixture
def relay(
    start_worker: StartWorker, run_folder: Path, hosts: TwoHosts, workstation: Path, jetson: Path
) -> Iterator[tuple[RunningWorker, Camera]]:
    """Give the running relay of the host that captures, and its camera."""
    camera = Camera(run_folder / "jetson")
    worker = start_worker(
        "relay",
        CAMERA,
        under=hosts.near.under,
        name="jetson",
        keys=str(jetson),
        features={"endpoint": ENDPOINT},
    )
    yield worker, camera
    camera.close()


def refused(worker: RunningWorker) -> int:
    """Return how many connections the relay says it has refused."""
    return worker.states[-1].counters.get("connections_refused", 0) if worker.states else 0


def test_features_cross_over_on_the_clock_of_the_other_host_until_the_key_is_revoked(
    relay: tuple[RunningWorker, Camera],
    start_worker: StartWorker,
    hosts: TwoHosts,
    jetson: Path,
    workstation: Path,
) -> None:
    sender, camera = relay
    server_key = read_pair(key_file(jetson, DAEMON)).public
    remote = {"endpoint": ENDPOINT, "server_key": server_key, "audio": False, "stall_timeout_s": 5}
    receiver = start_worker(
        "remote",
        {"name": "desk", "remote": remote},
        under=hosts.far.under,
        name="workstation",
        keys=str(workstation),
    )
    receiver.read_until(lambda: len(receiver.of("face")) >= 40)
    for received in receiver.of("face"):
        assert isinstance(received.message, FaceFeatures)
        captured = camera.sent[float(received.message.faces[0].vector[0])]
        # One machine is both hosts, so the clocks are in truth the same.
        assert 0 <= received.message.time_ns - captured < 50_000_000
    assert receiver.states[-1].state == "running"
    assert receiver.states[-1].counters["messages_lost"] == 0

    revoke(jetson, "workstation")
    sender.read_until(lambda: refused(sender) >= 1)
    receiver.read_until(lambda: receiver.states[-1].state == "lost")
    assert "does it allow the key of this host?" in receiver.states[-1].detail
    heard, end_s = len(receiver.of("face")), time.monotonic() + 1
    receiver.read_until(lambda: time.monotonic() > end_s)
    assert len(receiver.of("face")) == heard


def test_strangers_on_the_other_host_hear_nothing_and_are_counted(
    relay: tuple[RunningWorker, Camera], hosts: TwoHosts, jetson: Path, workstation: Path, tmp_path: Path
) -> None:
    sender, _ = relay
    server_key = read_pair(key_file(jetson, DAEMON)).public
    make_pair(tmp_path / "stranger", DAEMON)
    other_key = read_pair(key_file(tmp_path / "stranger", DAEMON)).public
    keys = {
        "the allowed": [str(key_file(workstation, DAEMON)), server_key],
        "without keys": [],
        "not in the list": [str(key_file(tmp_path / "stranger", DAEMON)), server_key],
        "with another host's key": [str(key_file(workstation, DAEMON)), other_key],
    }
    sender.read_until(lambda: any(state.state == "running" for state in sender.states))
    listeners = {
        who: subprocess.Popen(
            [*hosts.far.under, sys.executable, "-c", EAVESDROPPER, ENDPOINT, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for who, given in keys.items()
    }
    sender.read_until(lambda: refused(sender) >= 3)
    allowed = listeners["the allowed"].stdout
    assert allowed is not None
    assert allowed.readline() == "something\n"
    heard = {who: process.communicate(timeout=60)[0] for who, process in listeners.items()}
    assert int(heard.pop("the allowed")) > 0
    assert heard == dict.fromkeys(heard, "0\n")


def test_nothing_of_the_media_plane_can_be_sent_to_another_host(jetson: Path, workstation: Path) -> None:
    link = FeaturePublisher("tcp://127.0.0.1:*", jetson)
    frame = Frame(source="desk", time_ns=0, next_ns=1, image=np.zeros((2, 2, 3), np.uint8))
    for topic, row in TOPICS.items():
        if row.plane is not Plane.FEATURE:
            with pytest.raises(ValueError, match="must not leave this host"):
                link.send(topic, "desk", frame)
    link.send("state", "face", WorkerState(source="", time_ns=0, worker="face", state="ready"))
    link.close()


def test_features_are_not_published_without_keys(tmp_path: Path) -> None:
    config = tmp_path / "emostream.yaml"
    config.write_text(
        "sources: [{name: desk, camera: {device: 0}}]\nkeys: nowhere\n"
        f"features: {{endpoint: 'tcp://127.0.0.1:{PORT}'}}\n"
    )
    assert load_config(config).features.endpoint
    command = [sys.executable, "-m", "workers.cli.main", "config", "check", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "daemon.key does not exist; make it with `emostream keys new daemon`" in done.stderr
