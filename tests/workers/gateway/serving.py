"""A gateway in this process, fed with public messages as a daemon publishes them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from stream.config import Config, GatewaySection, config_folder
from stream.public import PublicMessage
from workers.gateway.access import Token
from workers.gateway.app import build_app
from workers.gateway.landmarks import FaceMessage
from workers.gateway.serving import listen
from workers.gateway.state import Gateway

TOKEN = "a-token-that-nobody-guesses"


def gateway_config(
    folder: Path, *, vocabulary: str = "", shipped: Path | None = None, publish: bool = True, **gateway: Any
) -> Config:
    """Return a configuration whose vocabulary is `shipped`, or a file in `folder`: Ekman's, or `vocabulary`."""
    file = shipped or folder / "words.yaml"
    if vocabulary:
        file.write_text(vocabulary)
    elif shipped is None:
        shutil.copy(config_folder() / "vocabularies" / "ekman.yaml", file)
    return Config.model_validate(
        {
            "sources": [{"name": "desk", "camera": {"device": "rtsp://me:secret@camera/1?key=k"}}],
            "vocabulary": str(file),
            "stream": {"publish_transcript": publish},
            "gateway": {"enabled": True, **gateway},
        }
    )


class ServedGateway:
    """A gateway on a port of its own, for browsers and clients; `feed` gives it what a daemon would."""

    def __init__(self, config: Config, token: Token | None = None) -> None:
        self._listening = listen(GatewaySection.model_construct(host="127.0.0.1", port=0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        self.gateway = Gateway(config)
        self._server = uvicorn.Server(
            uvicorn.Config(build_app(self.gateway, token), lifespan="off", log_config=None, access_log=False,
                           timeout_graceful_shutdown=1)
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()
        serving = self._server.serve(sockets=[self._listening])
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serving,))

    def start(self) -> ServedGateway:
        """Start serving; return once it does."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def feed(self, messages: Iterable[PublicMessage | FaceMessage]) -> None:
        """Hand over messages, and wait until the gateway has taken them."""
        done = threading.Event()
        for message in messages:
            take: Any = self.gateway.take_faces if isinstance(message, FaceMessage) else self.gateway.take
            self._loop.call_soon_threadsafe(take, message)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(60)

    @contextlib.contextmanager
    def going_on(self, message: PublicMessage) -> Iterator[None]:
        """Hand over a message again and again until the end of the block, as a daemon does with its health."""
        stop = threading.Event()

        def repeat() -> None:
            while not stop.is_set():
                self.feed([message])
                stop.wait(0.5)

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextlib.contextmanager
    def stream(self, path: str) -> Iterator[Iterator[str]]:
        """Give the lines of an answer that does not end."""
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            yield (line.decode().strip() for line in answer)

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()
