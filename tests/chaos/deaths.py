"""Every worker killed, and every worker stopped, one after the other."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import defaultdict

from stream import EmotionMessage
from tests.chaos.figures import Figure, spread
from tests.chaos.scene import MODALITIES, Recovery, Scene, contradictions, is_missing, recovery, scene
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
_WATCH_S = 12.0


def killed(times: int = 10) -> list[Figure]:
    """Kill each worker `times` times, in turns, so that none dies more than five times a minute."""
    with scene(minutes=2 + times * (len(_CARRIES) + 1) * (_WATCH_S + 6) / 60, words=True) as running:
        record = _Record(running)
        record.spare(times * _WATCH_S)
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
        self._late: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        self._spared: list[Figure] = []
        self._never: list[str] = []
        self._disturbed: list[str] = []
        self._others: list[str] = []
        self._unseen: list[str] = []
        self._began_ns = time.monotonic_ns()

    def spare(self, seconds: float) -> None:
        """Do nothing for as long, to compare with."""
        self._running.settle(MODALITIES)
        began_ns = time.monotonic_ns()
        self._running.watch(seconds)
        messages = self._running.since(began_ns)
        late = [f"{sum(is_missing(m, each) for m in messages)} of {each}" for each in MODALITIES]
        what = f"nothing done for {seconds:g} s: windows late"
        self._spared.append(Figure(what, f"{', '.join(late)}, of {len(messages)}", "–"))

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
        found = [recovery(messages, struck_ns, modality) for modality in carried]
        back = [each for each in found if each is not None]
        if len(back) < len(found):
            self._never.append(worker)
        else:
            self._back_s[worker].append(max(each.back_s for each in back))
            self._late[worker].append(tuple(s for each in back for s in each.late_s))
        times = ", ".join("not" if each is None else _told(each) for each in found)
        sys.stderr.write(f"{worker}: {', '.join(carried)} back after {times}\n")
        if not any(_is_shown(message, carried) for message in messages):
            self._unseen.append(worker)
        for modality in others:
            gone = [m for m in messages if is_missing(m, modality)]
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
            what = f"`{_short(worker)}` {done}: {', '.join(_CARRIES[worker])} back after"
            figures.append(Figure(what, spread(values), f"≤ {goal_s:g} s", met))
        late = {worker: sum(map(len, self._late[worker])) for worker in struck if any(self._late[worker])}
        told = [f"{_short(w)}: {n}, the last after {self._last_s(w):.1f} s" for w, n in late.items()]
        figures.append(
            Figure(f"{done}: windows late again after that", "; ".join(told) or "0", "0", not told)
        )
        wrong = contradictions(self._running.since(self._began_ns))
        return [
            *self._spared,
            *figures,
            _none(f"{done}: not back within the time watched", self._never),
            _none(f"{done}: other modalities interrupted", self._disturbed),
            _none(f"{done}: other workers with another process", self._others),
            _none(f"{done}: messages that contradict their evidence, or skip a window", wrong),
            _none(f"{done}: gaps that no message shows", self._unseen),
        ]

    def _last_s(self, worker: str) -> float:
        return max(max(late, default=0.0) for late in self._late[worker])


def _short(worker: str) -> str:
    return worker.replace("-desk", "")


def _told(back: Recovery) -> str:
    late = f", late again {len(back.late_s)} times, last after {back.late_s[-1]:.1f} s" if back.late_s else ""
    return f"{back.back_s:.1f} s{late}"


def _is_shown(message: EmotionMessage, modalities: tuple[str, ...]) -> bool:
    """Return whether a message says that something was missing: evidence to come, or messages of its own."""
    evidence = [message.evidence[modality] for modality in modalities]
    return message.seq == 0 or any(each.pending_ms > 0 or each.why for each in evidence)


def _none(what: str, found: list[str]) -> Figure:
    return Figure(what, "0" if not found else f"{len(found)}: {'; '.join(found[:3])}", "0", not found)
