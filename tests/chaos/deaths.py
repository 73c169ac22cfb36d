"""Every worker killed, and every worker stopped, one after the other."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict

from stream import EmotionMessage
from tests.chaos.figures import Figure, spread
from tests.chaos.scene import LATE_MS, MODALITIES, Scene, back_after_s, contradictions, is_there, scene
from workers.liveness import SILENT_LIMIT_S

_MODELS = " and the process that keeps its model"
# What is missing while a worker is.
_CARRIES = {
    "camera-desk": ("face",),
    "face-desk": ("face",),
    "microphone-desk": ("voice", "text"),
    "voice-desk": ("voice",),
    "transcriber-desk": ("text",),
    f"transcriber-desk{_MODELS}": ("text",),
    "text": ("text",),
    "inference": MODALITIES,
}
_LOADS_NOTHING = ("camera-desk", "microphone-desk")
_WORK = [name for name in _CARRIES if not name.endswith(_MODELS)]  # who keeps a model does nothing but wait
_FAST_S, _RELOAD_S = 2.0, 6.0
_WATCH_S = 10.0


def killed(times: int = 10) -> list[Figure]:
    """Kill each worker `times` times, in turns, so that none dies more than five times a minute."""
    with scene(minutes=2 + times * len(_CARRIES) * (_WATCH_S + 6) / 60, words=True) as running:
        record = _Record(running)
        for _ in range(times):
            for worker in _CARRIES:
                record.strike(worker, signal.SIGKILL, _WATCH_S)
        return record.figures("killed", list(_CARRIES))


def stopped() -> list[Figure]:
    """Stop each worker where it is, once."""
    with scene(minutes=3 + len(_WORK) * (SILENT_LIMIT_S + _WATCH_S + 6) / 60, words=True) as running:
        record = _Record(running)
        for worker in _WORK:
            record.strike(worker, signal.SIGSTOP, SILENT_LIMIT_S + _WATCH_S)
        return record.figures("stopped", _WORK, extra_s=SILENT_LIMIT_S + 1)


class _Record:
    def __init__(self, running: Scene) -> None:
        self._running = running
        self._back_s: dict[str, list[float]] = defaultdict(list)
        self._never: list[str] = []
        self._disturbed: list[str] = []
        self._others: list[str] = []
        self._unseen: list[str] = []
        self._began_ns = time.monotonic_ns()

    def strike(self, worker: str, number: signal.Signals, seconds: float) -> None:
        """Send a worker a signal, and see for `seconds` what becomes of that."""
        running, carried = self._running, _CARRIES[worker]
        if not running.settle(carried):
            self._never.append(worker)
            sys.stderr.write(f"{worker}: {', '.join(carried)} did not come before it\n")
            return
        others = running.there() - set(carried)
        before = self._pids()
        struck_ns = time.monotonic_ns()
        os.kill(before[worker], number)
        running.watch(seconds)
        messages = running.since(struck_ns)
        back = [back_after_s(messages, struck_ns, modality) for modality in carried]
        if None in back:
            self._never.append(worker)
        else:
            self._back_s[worker].append(max(each for each in back if each is not None))
        times = ", ".join("not" if each is None else f"{each:.1f} s" for each in back)
        sys.stderr.write(f"{worker}: {', '.join(carried)} back after {times}\n")
        if not any(_is_shown(message, carried) for message in messages):
            self._unseen.append(worker)
        for modality in others:
            gone = [m for m in messages if _is_missing(m, modality)]
            if gone:
                self._disturbed.append(f"{modality} while {worker} was down, {len(gone)} windows")
        after, struck = self._pids(), (worker, worker.removesuffix(_MODELS))
        self._others += [
            f"{n} with {worker}" for n in before if n not in struck and after.get(n) != before[n]
        ]

    def _pids(self) -> dict[str, int]:
        daemon = self._running.daemon
        keepers = {f"{name}{_MODELS}": process for name, process in daemon.model_keepers().items()}
        return {name: process.pid for name, process in (daemon.workers() | keepers).items()}

    def figures(self, done: str, struck: list[str], extra_s: float = 0.0) -> list[Figure]:
        """Return a figure for each that was struck, and those of all together."""
        figures = []
        for worker in struck:
            goal_s = extra_s + (_FAST_S if worker in _LOADS_NOTHING else _RELOAD_S)
            values, never = self._back_s[worker], worker in self._never
            met = bool(values) and max(values) <= goal_s and not never
            what = f"`{worker.replace('-desk', '')}` {done}: {', '.join(_CARRIES[worker])} back after"
            figures.append(Figure(what, spread(values), f"≤ {goal_s:g} s", met))
        wrong = contradictions(self._running.since(self._began_ns))
        return [
            *figures,
            _none(f"{done}: not back within the time watched", self._never),
            _none(f"{done}: other modalities interrupted", self._disturbed),
            _none(f"{done}: other workers with another process", self._others),
            _none(f"{done}: messages that contradict their evidence, or skip a window", wrong),
            _none(f"{done}: gaps that no message shows", self._unseen),
        ]


def _is_missing(message: EmotionMessage, modality: str) -> bool:
    if modality == "text":  # who says nothing for a window is not interrupted
        return message.evidence[modality].pending_ms > LATE_MS
    return not is_there(message, modality)


def _is_shown(message: EmotionMessage, modalities: tuple[str, ...]) -> bool:
    """Return whether a message says that something was missing: evidence to come, or messages of its own."""
    evidence = [message.evidence[modality] for modality in modalities]
    return message.seq == 0 or any(each.pending_ms > 0 or each.why for each in evidence)


def _none(what: str, found: list[str]) -> Figure:
    return Figure(what, "0" if not found else f"{len(found)}: {'; '.join(found[:3])}", "0", not found)
