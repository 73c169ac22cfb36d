"""Fixtures of the worker tests: devices without devices, and workers run as real processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.workers.daemon import Daemon, play
from tests.workers.network_cameras import NetworkCamera
from tests.workers.pulse_server import PulseServer
from tests.workers.running import RunningWorker


@pytest.fixture(scope="session")
def lossless(make_short_folder: Callable[[], Path], talking_clip: Path) -> Daemon:
    """Give a daemon that has played the talking clip at `pace: lossless` and logged all that it ever logs."""
    return play(make_short_folder(), talking_clip, "pace: lossless\nlog: {level: debug}")


@pytest.fixture
def run_folder(monkeypatch: pytest.MonkeyPatch, short_folder: Path) -> Path:
    """Have this process, and those it starts, keep the daemon's sockets in a folder of the test."""
    folder = short_folder / "run"
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    return folder


@pytest.fixture
def pulse_server(short_folder: Path) -> Iterator[PulseServer]:
    """Give a running PulseAudio server with one microphone, which hears what the test plays into it.

    Processes that are to hear it need `pulse_server.environment`. `kill` and `start` unplug it and plug it in.
    """
    if why := PulseServer.missing():
        pytest.skip(why)
    folder = short_folder / "pa"
    folder.mkdir()
    server = PulseServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def start_camera() -> Iterator[Callable[[NetworkCamera], NetworkCamera]]:
    """Give a function that starts a camera on the network, whose `kill` and `start` unplug it and plug it in."""
    cameras: list[NetworkCamera] = []

    def start(camera: NetworkCamera) -> NetworkCamera:
        if why := camera.missing():
            pytest.skip(why)
        cameras.append(camera)
        camera.start()
        return camera

    yield start
    for camera in cameras:
        camera.kill()


@pytest.fixture
def start_worker(run_folder: Path, tmp_path: Path) -> Iterator[Callable[..., RunningWorker]]:
    """Give a function that starts one worker as a process: `start_worker(name, source, **config)`.

    `source` is a source of the configuration, as in YAML; `config` its other keys. `environment` is added to
    the environment of the process; `under` is a command to run it by, such as `strace`. There is no
    transcriber: the test stands in for all readers.
    """
    workers: list[RunningWorker] = []

    def start(
        name: str,
        source: dict[str, Any],
        /,
        *,
        environment: dict[str, str] | None = None,
        under: Sequence[str] = (),
        **config: Any,
    ) -> RunningWorker:
        path = tmp_path / f"{name}.yaml"
        with path.open("w") as file:
            YAML(typ="safe").dump({"sources": [source], "transcript": {"engine": "off"}, **config}, file)
        worker = RunningWorker(name, source["name"], path, os.environ | (environment or {}), under)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.close()
