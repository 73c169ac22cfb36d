"""One daemon that plays the demo clip, with its page and, where there is one, an MQTT broker."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.demo_clip import demo_clip
from stream.config import config_folder
from tests.ports import free_port
from tests.workers.daemon import Daemon, running_daemon
from tests.workers.mosquitto import Mosquitto, mosquitto_program


@dataclass
class LiveDaemon:
    """A daemon that plays the demo clip for longer than any test watches."""

    daemon: Daemon
    port: int
    """Where its page is."""
    broker: Mosquitto | None


@pytest.fixture(scope="package")
def long_clip(tmp_path_factory: pytest.TempPathFactory, asset: Callable[[str], Path]) -> Path:
    """Give the demo clip, again and again."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed (package ffmpeg)")
    asset("demo-face"), asset("two-cities"), asset("minilm-l6")
    clip = tmp_path_factory.mktemp("clip") / "long.mkv"
    again = ("-stream_loop", "23", "-i", str(demo_clip()), "-c", "copy")
    subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", *again, str(clip)], check=True)
    return clip


@pytest.fixture(scope="package")
def live(
    tmp_path_factory: pytest.TempPathFactory, make_short_folder: Callable[[], Path], long_clip: Path
) -> Iterator[LiveDaemon]:
    """Give the daemon, once it scores."""
    folder = make_short_folder()
    shutil.copy(config_folder() / "vocabularies" / "ekman.yaml", folder / "words.yaml")
    port = free_port()
    broker = None
    if mosquitto_program() is not None:
        broker = Mosquitto(tmp_path_factory.mktemp("broker"), "allow_anonymous true")
        broker.start()
    mqtt = f"mqtt: {{enabled: true, port: {broker.port}, every_s: 0}}" if broker else ""
    config = f"""\
sources: [{{name: clip, file: {{path: '{long_clip}'}}}}]
vocabulary: words.yaml
transcript: {{engine: 'off'}}
gateway: {{enabled: true, port: {port}}}
{mqtt}
"""
    with running_daemon(folder, config) as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions) and bool(daemon.emotions[-1].emotions))
        yield LiveDaemon(daemon, port, broker)
    if broker is not None:
        broker.kill()
