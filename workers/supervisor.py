"""Starts the processes that the configuration calls for, restarts those that die or hang, and stops all."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import time
from typing import IO

from stream.bus import Inbox, Publisher
from stream.clock import now_ns
from stream.config import Config
from stream.errors import EXIT_REFUSED
from stream.live_vocabulary import draft_file
from stream.messages import State, WorkerState
from stream.run_folder import RunFolderError
from workers.child import Child
from workers.run_lock import run_lock
from workers.table import SUPERVISOR, worker_processes

# All of it is to be over in three seconds.
_STOP_TIMEOUT_S = 2.5
_RESTARTS_A_MINUTE = 5
_LONGEST_BACK_OFF_S = 60.0
_STATE_PERIOD_S = 1.0
_LOOK_EVERY_S = 0.05


class Supervisor:
    """The parent of all workers. Call `start`, then `step` until it returns false, then `stop`."""

    def __init__(self, config: Config, *, log_file: IO[bytes] | None = None) -> None:
        """Take note of what to run; the workers' logs go to `log_file`, else to standard error."""
        self._config = config
        self._log_file = log_file
        self._log = logging.getLogger("emostream")
        self._children = {process.id: Child(process) for process in worker_processes(config)}
        self._config_file = config.run_folder / "config.json"
        self._stack = contextlib.ExitStack()
        self._inbox: Inbox | None = None
        self._state_out: Publisher | None = None
        self._state_due_s = 0.0
        self.exit_code = 0
        """0, or 1 once a worker was refused what it was given."""

    def start(self) -> None:
        """Start every worker.

        Raises:
            AlreadyRunningError: another daemon of this name runs.
            RunFolderError: there is no room for its sockets.
        """
        folder = self._config.run_folder
        try:
            self._stack.enter_context(run_lock(self._config))
            draft_file(self._config).unlink(missing_ok=True)
            self._config_file.write_text(self._config.model_dump_json())
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be written ({error.strerror}); make room there, "
                "or set XDG_RUNTIME_DIR to a folder that has some"
            ) from error
        self._state_out = Publisher(folder, "state", SUPERVISOR)
        self._inbox = Inbox(folder)
        self._inbox.subscribe("state", self._children)
        for child in self._children.values():
            self._spawn(child)

    def step(self, timeout_s: float = 0.1) -> bool:
        """Look after the workers for `timeout_s`; return whether any is left to run."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._listen(min(_LOOK_EVERY_S, max(0.0, deadline - time.monotonic())))
            for child in self._children.values():
                self._look_after(child)
            self._repeat_states()
            if all(child.finished for child in self._children.values() if not child.process.row.outlet):
                return False
            if time.monotonic() >= deadline:
                return True

    def reload(self) -> None:
        """Have the inference worker read the vocabulary again."""
        for child in self._children.values():
            if child.process.row.name == "inference" and child.popen is not None:
                child.popen.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End every worker: asked first, killed where that is not done within three seconds."""
        running = [c.popen for c in self._children.values() if c.popen is not None and c.popen.poll() is None]
        for popen in running:
            popen.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        for popen in running:
            try:
                popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.send_signal(signal.SIGKILL)
                popen.wait()
            if popen.returncode == EXIT_REFUSED:
                self.exit_code = 1
        for child in self._children.values():
            child.close()
        if self._inbox is not None:
            self._inbox.close()
        if self._state_out is not None:
            self._state_out.close()
        self._config_file.unlink(missing_ok=True)
        draft_file(self._config).unlink(missing_ok=True)
        self._stack.close()

    def _spawn(self, child: Child) -> None:
        try:
            child.start(self._config_file, self._log_file)
        except OSError as error:
            self._schedule_restart(child, f"it cannot be started: {error.strerror}")

    def _listen(self, timeout_s: float) -> None:
        assert self._inbox is not None
        for received in self._inbox.receive(timeout_s):
            if isinstance(state := received.message, WorkerState):
                child = self._children.get(f"{state.worker}-{state.source}".rstrip("-"))
                if child is not None:
                    child.hear(state)

    def _look_after(self, child: Child) -> None:
        if child.finished:
            return
        if child.popen is None:
            if time.monotonic() >= child.start_at_s:
                self._spawn(child)
            return
        status = child.popen.poll()
        if status is None:
            self._watch(child)
            return
        cause = child.cause(status)
        child.popen = None
        if status in (0, EXIT_REFUSED):
            child.finished = True
            if status == EXIT_REFUSED:
                self._refused(child)
        else:
            self._schedule_restart(child, cause)

    def _watch(self, child: Child) -> None:
        """Warn of a worker that has fallen silent, and kill one that has been so for too long."""
        verdict = child.judge()
        if verdict == "silent" and not child.warned:
            self._log.warning("%s: %s", child.process.id, child.silence)
        elif verdict == "hangs":
            child.kill_hung()
        child.warned = verdict != "well"

    def _refused(self, child: Child) -> None:
        self.exit_code = 1
        self._say(child, "failed", "see the log for the reason")
        if child.process.row.per_source or child.process.row.outlet:
            return
        self._log.error("%s cannot run; stopping", child.process.id)
        for other in self._children.values():
            other.finished = True

    def _schedule_restart(self, child: Child, cause: str) -> None:
        now = time.monotonic()
        child.restarts += 1
        child.deaths_s = [t for t in child.deaths_s if now - t < 60] + [now]
        excess = len(child.deaths_s) - _RESTARTS_A_MINUTE
        delay_s = 0.0 if excess <= 0 else min(_LONGEST_BACK_OFF_S, 2.0**excess)
        if excess > 0:
            child.close()  # what it is forked from may be what ails it
        child.start_at_s = now + delay_s
        when = f"in {delay_s:.0f} s" if delay_s else "now"
        self._say(child, "restarting", f"{cause}; started again {when}")

    def _say(self, child: Child, state: State, detail: str) -> None:
        self._log.warning("%s: %s: %s", child.process.id, state, detail)
        child.state, child.detail = state, detail
        self._send(child)

    def _repeat_states(self) -> None:
        """Say again what befell the workers: an inference worker that was started anew has not heard it."""
        if time.monotonic() < self._state_due_s:
            return
        self._state_due_s = time.monotonic() + _STATE_PERIOD_S
        for child in self._children.values():
            if child.detail:
                self._send(child)

    def _send(self, child: Child) -> None:
        assert self._state_out is not None
        process = child.process
        self._state_out.send(
            WorkerState(
                source=process.source or "",
                time_ns=now_ns(),
                worker=process.row.name,
                state=child.state,
                detail=child.detail,
                counters={"restarts": child.restarts},
            )
        )


def run(config: Config) -> int:
    """Run the daemon until its sources end or a signal stops it; return the exit status."""
    supervisor = Supervisor(config)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    signal.signal(signal.SIGHUP, lambda *_: supervisor.reload())
    try:
        supervisor.start()
        while not stopping and supervisor.step():
            pass
    finally:
        supervisor.stop()
    return supervisor.exit_code
