"""One worker, run as the supervisor runs it, with the test as the reader of its topics."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from stream.bus import Inbox, Received
from stream.config import load_config
from stream.messages import WorkerState
from workers.table import WORKERS, WorkerProcess


class RunningWorker:
    """A worker process and everything it has published so far."""

    def __init__(
        self,
        name: str,
        source: str,
        config: Path,
        environment: dict[str, str],
        under: Sequence[str] = (),
    ) -> None:
        """Start it, as an argument of the command `under` if one is given."""
        self._inbox = Inbox(load_config(config).run_folder, lossless=True)
        self._inbox.subscribe("state", [WorkerProcess(WORKERS[name], source).id])
        for topic in WORKERS[name].writes:
            self._inbox.subscribe(topic, [source])
        self.received: list[Received] = []
        self._log = (config.parent / f"{name}.log").open("w+")
        command = [sys.executable, "-m", "workers", name, "--config", str(config), "--source", source]
        self.process = subprocess.Popen(
            [*under, *command], env=environment, stderr=self._log, start_new_session=True
        )

    @property
    def states(self) -> list[WorkerState]:
        """What it has said of itself."""
        return [r.message for r in self.received if isinstance(r.message, WorkerState)]

    @property
    def log(self) -> str:
        """What it has logged so far."""
        self._log.flush()
        return Path(self._log.name).read_text()

    def of(self, topic: str) -> list[Received]:
        """Return what came on `topic`."""
        return [received for received in self.received if received.topic == topic]

    def read_until(self, done: Callable[[], bool], timeout_s: float = 240.0, pause_s: float = 0.0) -> None:
        """Take what it publishes until `done`; fail after `timeout_s`. `pause_s` makes a slow reader."""
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, f"timed out; states: {self.states[-3:]}\n{self.log}"
            self.received += self._inbox.receive(timeout_s=0.1)
            time.sleep(pause_s)

    def read_to_end(self, timeout_s: float = 240.0, pause_s: float = 0.0) -> int:
        """Take everything until the process has ended, and return its exit status."""
        self.read_until(lambda: self.process.poll() is not None, timeout_s, pause_s)
        quiet = 0
        while quiet < 4:  # one look in vain may have been at what a publisher repeats
            more = self._inbox.receive(timeout_s=0.05)
            self.received += more
            quiet = 0 if more else quiet + 1
        return self.process.wait()

    def stop(self) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.terminate()
        return self.read_to_end()

    def close(self) -> None:
        """End it in any case."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._inbox.close()
        self._log.close()
