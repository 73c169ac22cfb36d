"""An outlet hears its own daemon, also where that admits by keys alone."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from stream.config import Config
from stream.keys import ALLOWED, DAEMON, make_pair
from stream.public import EmotionMessage
from stream.public_socket import PublicSocket
from tests.ports import free_port
from tests.workers.public_messages import emotion_message
from workers.own_stream import subscribe_to_own


@pytest.mark.parametrize(("host", "curve"), [("127.0.0.1", False), ("127.0.0.1", True), ("0.0.0.0", True)])
def test_it_hears_what_its_daemon_publishes(tmp_path: Path, host: str, curve: bool) -> None:
    keys = tmp_path / "keys"
    make_pair(keys, DAEMON)
    (keys / ALLOWED).touch(mode=0o600)
    stream: dict[str, Any] = {"endpoint": f"tcp://{host}:{free_port()}", "curve": curve}
    source = {"name": "desk", "camera": {"device": 0}}
    config = Config.model_validate({"sources": [source], "stream": stream, "keys": str(keys)})
    public = PublicSocket(config.stream.endpoint, "json", keys if curve else None)
    stop = threading.Event()

    def publish() -> None:
        while not stop.wait(0.05):
            public.send(emotion_message())

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        with subscribe_to_own(config, EmotionMessage, timeout_s=60) as messages:
            assert next(messages) == emotion_message()
    finally:
        stop.set()
        thread.join()
        public.close()
