"""An outlet run as the supervisor runs it, with the test as the daemon whose stream it hands on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from stream.clock import now_ns, wall_time
from stream.public import EmotionMessage, PublicMessage, WindowSpan
from stream.public_socket import PublicSocket


def at_now(message: EmotionMessage) -> EmotionMessage:
    """Return a window that ends now, as a running daemon's do."""
    end_ns = now_ns()
    span = WindowSpan(start_ns=end_ns - 5_000_000_000, end_ns=end_ns)
    return msgspec.structs.replace(message, time_ns=end_ns, wall_time=wall_time(end_ns), window=span)


class RunningOutlet:
    """The process of one outlet, and a thread that repeats what a daemon would publish."""

    def __init__(self, name: str, folder: Path, **config: object) -> None:
        endpoint = f"ipc://{folder}/public"
        path = folder / "emostream.yaml"
        source = {"name": "desk", "camera": {"device": 0}}
        with path.open("w") as file:
            YAML(typ="safe").dump({"sources": [source], "stream": {"endpoint": endpoint}, **config}, file)
        self._public = PublicSocket(endpoint, "json")
        self._messages: list[PublicMessage] = []
        self.ends_ns: list[int] = []
        """When the windows ended that were published."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()
        self._log = (folder / f"{name}.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers", name, "--config", str(path)],
            env=os.environ | {"RUNTIME_DIRECTORY": str(folder / "run")},
            stderr=self._log,
            start_new_session=True,
        )

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return Path(self._log.name).read_text()

    def say(self, messages: Iterable[PublicMessage]) -> None:
        """Publish these, again and again, in the place of those before."""
        self._messages = list(messages)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 240) -> None:
        """Wait until `condition` holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it in any case."""
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._public.close()
        self._log.close()

    def _repeat(self) -> None:
        while not self._stop.wait(0.1):
            for message in self._messages:
                said = at_now(message) if isinstance(message, EmotionMessage) else message
                if isinstance(said, EmotionMessage):
                    self.ends_ns.append(said.window.end_ns)
                self._public.send(said)


@contextlib.contextmanager
def running_outlet(name: str, folder: Path, **config: object) -> Iterator[RunningOutlet]:
    """Run an outlet until the end of the block."""
    outlet = RunningOutlet(name, folder, **config)
    try:
        yield outlet
    finally:
        outlet.close()
