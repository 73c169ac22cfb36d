"""A worker that systemd started says when it is ready, and goes on saying that it is alive."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from stream.config import load_config
from tests.workers.running import RunningWorker
from workers.run_lock import is_running

SOURCE = {"name": "desk", "microphone": {}}


def test_it_is_ready_once_its_models_are_loaded_and_then_feeds_the_watchdog(
    start_worker: Callable[..., RunningWorker], short_folder: Path, tmp_path: Path
) -> None:
    address = str(short_folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(240)
        worker = start_worker("voice", SOURCE, environment={"NOTIFY_SOCKET": address})
        told: list[str] = []
        while told.count("WATCHDOG=1") < 4:
            told.append(manager.recv(4096).decode())
        assert told.index("STATUS=ready") < told.index("READY=1")
        assert told.count("READY=1") == 1
        worker.read_until(lambda: bool(worker.states))
        assert {state.state for state in worker.states} == {"ready"}
        assert is_running(load_config(tmp_path / "voice.yaml"))
        assert worker.stop() == 0
        assert not is_running(load_config(tmp_path / "voice.yaml"))


def test_a_worker_for_a_source_that_is_not_configured_is_refused_in_one_line(
    start_worker: Callable[..., RunningWorker],
) -> None:
    worker = start_worker("face", SOURCE)
    assert worker.read_to_end() == 78
    assert "the configuration has nothing for face-desk to do; it runs inference, voice-desk" in worker.log
    assert "Traceback" not in worker.log
