"""How far a build is, told by TensorRT's own progress monitor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from models.backends.tensorrt.library import trt

Report: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and with the share of the build that is done, 0..1."""


@dataclass
class _Phase:
    name: str
    steps: int
    done: int = 0


class ProgressMonitor(trt.IProgressMonitor):
    """Makes one share out of TensorRT's nested phases; TensorRT calls it from several threads.

    An exception of `report` (Ctrl-C among them) must not travel through TensorRT: it is kept in `raised`, and
    the build is cancelled.
    """

    def __init__(self, report: Report) -> None:
        # Not `super().__init__`: pybind11 wants its own class named.
        trt.IProgressMonitor.__init__(self)
        self.raised: BaseException | None = None
        self._report = report
        self._phases: list[_Phase] = []
        self._share = 0.0
        self._lock = threading.Lock()

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """Take note of a phase inside the one that is under way."""
        with self._lock:
            self._phases.append(_Phase(phase_name, max(1, num_steps)))
        self._tell()

    def step_complete(self, phase_name: str, step: int) -> bool:
        """Take note of a step; return whether to go on."""
        with self._lock:
            for phase in reversed(self._phases):
                if phase.name == phase_name:
                    phase.done = step + 1
                    break
        self._tell()
        return self.raised is None

    def phase_finish(self, phase_name: str) -> None:
        """Drop a phase."""
        with self._lock:
            for place in reversed(range(len(self._phases))):
                if self._phases[place].name == phase_name:
                    del self._phases[place]
                    break

    def _tell(self) -> None:
        try:
            with self._lock:
                share, width = 0.0, 1.0
                for phase in self._phases:
                    width /= phase.steps
                    share += min(phase.done, phase.steps - 1) * width
                self._share = max(self._share, share)
                name = self._phases[-1].name if self._phases else ""
            self._report(name, self._share)
        except BaseException as error:
            self.raised = error
