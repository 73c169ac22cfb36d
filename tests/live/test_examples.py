"""Every program in `examples/` runs against the demo clip."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas
import pytest

from stream import rows, subscribe
from tests.live.conftest import LiveDaemon
from tests.workers.mosquitto import Listener

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def running(name: str, *arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES.parent)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in text] == []


def test_a_film_is_paused_while_its_viewer_looks_like_it(live: LiveDaemon, tmp_path: Path) -> None:
    path = str(tmp_path / "mpv.sock")
    with socket.socket(socket.AF_UNIX) as player:
        player.bind(path)
        player.listen()
        options = ("--endpoint", live.daemon.endpoint, "--word", "joy", "--from", "0.001")
        with running("pause_when_confused.py", path, *options, folder=tmp_path) as example:
            connection, _ = player.accept()
            with connection:
                order = json.loads(connection.makefile().readline())
            assert order == {"command": ["set_property", "pause", True]}
            assert example.stdout is not None
            assert example.stdout.readline().startswith("paused at")


def test_a_lamp_takes_the_colour_of_the_mood(live: LiveDaemon, tmp_path: Path) -> None:
    if live.broker is None:
        pytest.skip("mosquitto is not installed (package mosquitto)")
    listener = Listener(live.broker.port, "zigbee2mqtt/#")
    options = ("--port", str(live.broker.port), "--source", "clip", "--lamp", "zigbee2mqtt/lamp")
    with running("mood_lamp.py", *options, folder=tmp_path):
        live.daemon.wait_until(lambda: "zigbee2mqtt/lamp/set" in listener.newest)
    listener.close()
    order = json.loads(listener.newest["zigbee2mqtt/lamp/set"])
    assert order["color"]["hex"].startswith("#")
    assert 60 <= order["brightness"] <= 254


def test_a_rehearsal_is_recorded_and_plotted(live: LiveDaemon, tmp_path: Path) -> None:
    options = ("talk", "--minutes", "0.05", "--endpoint", live.daemon.endpoint)
    with running("rehearsal.py", *options, folder=tmp_path) as example:
        assert example.wait(300) == 0
    table = pandas.read_csv(tmp_path / "talk.csv")
    assert 0 < table["time_s"].iloc[-1] - table["time_s"].iloc[0] < 3
    assert table["joy.smoothed"].dropna().between(0, 1).all()
    assert (tmp_path / "talk.png").read_bytes().startswith(b"\x89PNG")


def test_the_stream_is_a_table_in_two_lines(live: LiveDaemon) -> None:
    with subscribe(endpoint=live.daemon.endpoint) as messages:
        table = pandas.DataFrame(rows(messages, seconds=1))
    assert 0 < table["time_s"].iloc[-1] - table["time_s"].iloc[0] < 1
    assert {"wall_time", "time_s", "source", "joy.distance", "joy.face", "face.coverage"} <= set(
        table.columns
    )
    assert table["time_s"].is_monotonic_increasing
