"""One worker process as its supervisor knows it."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from stream.errors import EXIT_RESTART
from stream.messages import State, WorkerState
from workers.fork_server import ForkServer
from workers.liveness import Liveness, Verdict
from workers.table import WorkerProcess


def worker_environment() -> dict[str, str]:
    """Return the environment in which a worker runs."""
    # The workers share the cores; a library that takes all of them for itself would starve the others.
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    # The supervisor is the service that a manager may have started, not they.
    environment.pop("NOTIFY_SOCKET", None)
    return environment


@dataclass
class Child:
    """One worker process, its deaths, and what it last said of itself."""

    process: WorkerProcess
    popen: subprocess.Popen[bytes] | ForkServer | None = None
    deaths_s: list[float] = field(default_factory=list)
    start_at_s: float = 0.0
    finished: bool = False
    """It ended, or was refused; it is not started again."""
    restarts: int = 0
    """How often it was started again."""
    state: State = "running"
    """What the supervisor says of it: `running` where it speaks for itself."""
    detail: str = ""
    """What befell it last; empty where nothing has."""
    warned: bool = False
    """It was said already that it is silent."""
    _server: ForkServer | None = None
    """What the worker is forked from, if it is one that is."""
    _liveness: Liveness = field(default_factory=lambda: Liveness(time.monotonic()))
    _last_words: str = ""
    _hung: str = ""

    def start(self, config: Path, log_file: IO[bytes] | None) -> None:
        """Start the process.

        Raises:
            OSError: this machine cannot start one more.
        """
        start = self._fork if self.process.row.forked else self._run
        self.popen = start(config, log_file)
        self._liveness = Liveness(time.monotonic())
        self._last_words = self._hung = ""
        self.state = "running"
        self.warned = False

    def _run(
        self, config: Path, log_file: IO[bytes] | None, *, forks: int | None = None
    ) -> subprocess.Popen[bytes]:
        row, source = self.process.row, self.process.source
        command = [sys.executable, "-m", "workers", row.name, "--config", str(config)]
        command += ["--parent", str(os.getpid())] + (["--source", source] if source else [])
        command += [] if forks is None else ["--forks", str(forks)]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=log_file,
            start_new_session=True,
            env=worker_environment(),
            pass_fds=[] if forks is None else [forks],
        )

    def _fork(self, config: Path, log_file: IO[bytes] | None) -> ForkServer:
        if self._server is None or not self._server.alive:
            self.close()
            self._server = ForkServer(lambda forks: self._run(config, log_file, forks=forks))
        self._server.fork()
        return self._server

    def close(self) -> None:
        """Give up what it is forked from, after the worker has ended or to have its models loaded anew."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def hear(self, state: WorkerState) -> None:
        """Take note of what it says of itself."""
        if self.popen is None or state.pid != self.popen.pid:
            return
        self._liveness.hear(state.state, time.monotonic())
        self._last_words = state.detail if state.state in ("failed", "lost", "restarting") else ""

    def judge(self) -> Verdict:
        """Return whether it is well, silent, or hangs."""
        return self._liveness.judge(time.monotonic(), self._cpu_s)

    def _cpu_s(self) -> float:
        """Return the CPU time it has used; infinite where it has just ended, which is no hanging."""
        assert self.popen is not None
        try:
            times = psutil.Process(self.popen.pid).cpu_times()
        except psutil.Error:
            return math.inf
        return float(times.user + times.system)

    @property
    def silence(self) -> str:
        """For how long it has been silent, and what will come of that."""
        silent_s = self._liveness.silent_s(time.monotonic())
        limit_s = self._liveness.limit_s
        return f"has said nothing for {silent_s:.0f} s; killed at {limit_s:.0f} s unless it computes"

    def kill_hung(self) -> None:
        """End it, whatever it is doing."""
        assert self.popen is not None
        if self._hung and self._server is not None:
            self._server.kill()  # it was killed before, and who should have noticed hangs as well
        silent_s = self._liveness.silent_s(time.monotonic())
        self._hung = f"hung, and killed after {silent_s:.0f} s of silence"
        self.popen.send_signal(signal.SIGKILL)

    def cause(self, status: int) -> str:
        """Return why it ended, by its exit status and its last words."""
        if self._hung:
            return self._hung
        if status == EXIT_RESTART:
            return self._last_words or "ended to be started again"
        if status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return f"exited with status {status}" + (f": {self._last_words}" if self._last_words else "")
