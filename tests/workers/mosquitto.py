"""A real MQTT broker on a port of its own, and a client that keeps what comes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import free_port


def mosquitto_program() -> str | None:
    """Return the broker's program; `None` where it is not installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Mosquitto:
    """A broker that is started and killed at will."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *lines, ""]))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return once it listens."""
        program = mosquitto_program()
        assert program is not None
        self._process = subprocess.Popen([program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        """Take it away."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Listener:
    """Everything that a broker says on some topics."""

    def __init__(self, port: int, pattern: str = "#", username: str = "", password: str = "") -> None:
        self.newest: dict[str, bytes] = {}
        self.retained: set[str] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if username:
            self._client.username_pw_set(username, password)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe(pattern, qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, topic: str, content: bytes) -> None:
        """Publish, retained."""
        self._client.publish(topic, content, qos=1, retain=True).wait_for_publish(60)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, client: Any, _: Any, message: paho.MQTTMessage) -> None:
        # Another thread may be going through what has come.
        self.newest = {**self.newest, message.topic: bytes(message.payload)}
        if message.retain:
            self.retained.add(message.topic)
