"""Decides what the model runs on while the inference worker serves: the CPU, until something better is ready.

Nothing here blocks. Building, comparing and timing are done by `workers.preparation` in processes of their
own, opening what was chosen by a thread, and the scorer is given the new backend between two batches.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import msgspec

from models.backends import Backend, BackendError, open_backend
from models.backends.candidates import Candidate, find_candidates
from models.backends.choice import Outcome, ask, forget, recall
from models.bundle import Bundle
from stream.config import Config
from workers.device_record import DeviceRecordFile

_STOP_TIMEOUT_S = 1.0


class BackendSwitch:
    """What the model runs on now, and what becomes of that.

    Args:
        config: Its `inference`, `pace`, `log` and number of sources count.
        bundle: Whose graph.
        log: Of the worker.

    Raises:
        BackendError: ONNX Runtime refuses the graph, or the configuration asks for what is not installed.
    """

    def __init__(self, config: Config, bundle: Bundle, log: logging.Logger) -> None:
        self._config = config
        self._bundle = bundle
        self._log = log
        self._kind = config.inference.backend
        self._threads = config.inference.threads
        self._job: subprocess.Popen[bytes] | None = None
        self._step = ""
        self._problems: dict[str, str] = {}
        self._opening: _Opening | None = None
        self._device: Backend | None = None
        self._why: str | None = None
        if config.pace == "lossless":
            # A file is to give the same scores every time, so nothing changes while it runs.
            self._cpu = open_backend(bundle, self._kind, threads=self._threads)
            self._candidates: Sequence[Candidate] = ()
            return
        self._cpu = open_backend(bundle, "onnxruntime", threads=self._threads)
        self._candidates = find_candidates(self._kind)
        if len(self._candidates) == 1:
            return
        self._question = ask(bundle, self._candidates, sources=len(config.sources), threads=self._threads)
        self._file = DeviceRecordFile(config.run_folder)
        self._record = self._file.read()
        self._file.write(self._record)
        if self._record.retry_at:
            self._fall_back()
        else:
            self._begin()

    def backend_for(self, emotions: int) -> tuple[Backend, str | None]:
        """Return what is to run a vocabulary of so many emotions, and why it is a fallback if it is one."""
        most = self._device.max_emotions if self._device else None
        if self._device is None:
            return self._cpu, self._why
        if most is not None and emotions > most:
            return self._cpu, f"on the CPU: {self._device.name} takes up to {most} emotions, not {emotions}"
        return self._device, None

    def poll(self) -> None:
        """See what has become of what is under way; call it every few hundred milliseconds."""
        if self._job is not None and self._job.poll() is not None:
            self._take(self._job)
        if self._opening is not None and not self._opening.is_alive():
            self._take_opened(self._opening)
        if not self._candidates or self._device or self._job or self._opening:
            return
        if len(self._candidates) > 1 and 0 < self._record.retry_at <= time.time():
            self._begin()

    def lost(self, why: str) -> None:
        """Take note, for the successor of this process, that the device failed."""
        self._record.fail(why)
        self._file.write(self._record)

    def close(self) -> None:
        """Break off what is under way, and give back a device that works."""
        if self._job is not None:
            self._job.terminate()
            try:
                self._job.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._job.kill()
        if self._device is not None:
            self._device.close()
            self._record.serve("")
            self._file.write(self._record)

    def _begin(self) -> None:
        verdict = recall(self._question) if self._kind == "auto" else None
        if verdict is not None and verdict.chosen == self._candidates[-1].name:
            self._stay_on_cpu("which was the best here when measured")
            return
        self._why = self._why or f"on the CPU until {self._candidates[0].name} is ready"
        self._start("build")

    def _start(self, step: str) -> None:
        self._step = step
        self._log.info("preparing what the model may run on: %s", step)
        command = [sys.executable, "-m", "workers.preparation", step]
        command += ["--bundle", str(self._bundle.folder), "--backend", self._kind]
        command += ["--sources", str(len(self._config.sources)), "--threads", str(self._threads)]
        command += ["--log-level", self._config.log.level, "--parent", str(os.getpid())]
        self._job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def _take(self, job: subprocess.Popen[bytes]) -> None:
        self._job = None
        said = job.stdout.read() if job.stdout else b""
        try:
            outcome = msgspec.json.decode(said, type=Outcome)
        except msgspec.MsgspecError:
            self._fail(f"the step `{self._step}` {_ending(job.returncode)}")
            return
        chosen = outcome.chosen
        if self._step == "build":
            self._problems = outcome.problems
            if self._kind == "auto":
                verdict = recall(self._question)
                if verdict is None:
                    self._start("measure")
                    return
                chosen = verdict.chosen
        else:
            # Why something could not be built says more than that it is not there.
            self._problems = outcome.problems | self._problems
        self._take_chosen(chosen)

    def _take_chosen(self, chosen: str) -> None:
        if chosen != self._candidates[-1].name:
            candidate = next(each for each in self._candidates if each.name == chosen)
            self._opening = _Opening(candidate, self._bundle, self._threads)
            self._opening.start()
        elif self._problems:
            self._fail("; ".join(f"{name}: {problem}" for name, problem in self._problems.items()))
        else:
            self._stay_on_cpu("which is the best here")

    def _stay_on_cpu(self, because: str) -> None:
        self._why = None
        self._record.serve("")
        self._file.write(self._record)
        self._log.info("the model stays on the CPU, %s", because)

    def _take_opened(self, opening: _Opening) -> None:
        self._opening = None
        if opening.backend is None:
            forget(self._question)
            self._fail(opening.problem)
            return
        self._device, self._why = opening.backend, None
        self._record.serve(self._device.name)
        self._file.write(self._record)
        self._log.info("the model runs on %s now", self._device.name)

    def _fail(self, why: str) -> None:
        self._record.fail(why)
        self._file.write(self._record)
        self._fall_back()

    def _fall_back(self) -> None:
        at = time.strftime("%H:%M:%S", time.localtime(self._record.retry_at))
        self._why = f"on the CPU: {self._record.why}; next try at {at}"
        self._log.warning("%s", self._why)


class _Opening(threading.Thread):
    """Opens a candidate; `backend` or `problem` is set when it has ended."""

    def __init__(self, candidate: Candidate, bundle: Bundle, threads: int) -> None:
        super().__init__(name=f"opening {candidate.name}", daemon=True)
        self.backend: Backend | None = None
        self.problem = ""
        self._candidate = candidate
        self._bundle = bundle
        self._threads = threads

    def run(self) -> None:
        try:
            self.backend = self._candidate.open(self._bundle, self._threads)
        except BackendError as error:
            self.problem = str(error)
        # A library that fails in a way of its own must not leave the worker waiting for it.
        except Exception as error:
            self.problem = f"{self._candidate.name} cannot be opened: {error!r}"


def _ending(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"failed with status {status}"
