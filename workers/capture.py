"""Keeps a camera or a microphone running: read in a thread, opened again when lost, given up when it hangs.

A driver can hang for ever inside a call, and nothing in the process can end that call. So the device is read
in a thread; the main thread publishes, says what the state is, and when the thread has overstayed its time
ends the whole process. The supervisor starts it anew.
"""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass
from typing import NoReturn, Protocol

import zmq

from stream.clock import now_ns
from stream.messages import Frame, Pcm, State
from stream.windows import NS_PER_S, seconds_to_ns
from workers.backoff import Backoff
from workers.runtime import Worker

EXIT_STALLED = 75
"""Exit status of a worker whose device hung (`EX_TEMPFAIL` of sysexits.h): to be started again."""

OPEN_TIMEOUT_S = 10.0
"""How long a device may take to open."""

# The device's own timeouts come first; this is how much later they are no longer trusted to come.
_GRACE_S = 2.0
_CLOSE_TIMEOUT_S = 3.0
# A sound server can take two seconds from opening a stream to its first audio.
_FIRST_TIMEOUT_S = 5.0
_POLL_S = 0.2


class DeviceLostError(Exception):
    """The device cannot be opened, or gives nothing any more; the text says why, and what to do about it."""


class Device(Protocol):
    """Something that captures; all its methods are called from one thread."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def stall_timeout_s(self) -> float:
        """Silence for longer than this means it is lost."""

    def open(self) -> None:
        """Open it anew.

        Raises:
            DeviceLostError: It cannot be opened now.
        """

    def read(self) -> Frame | Pcm | None:
        """Return what was captured next, `None` where nothing has come for a fraction of a second.

        Raises:
            DeviceLostError: It is gone.
        """

    def close(self) -> None:
        """Close it, in whatever state it is."""


class _Opened:
    """The device was opened."""


@dataclass(frozen=True)
class _Lost:
    """The device was lost (`opened`) or could not be opened, and is tried again after `retry_s`."""

    why: str
    opened: bool
    retry_s: float


class Capture:
    """Runs one device for one worker until the worker is told to stop."""

    def __init__(self, worker: Worker, topic: str, device: Device) -> None:
        self._worker = worker
        self._topic = topic
        self._device = device
        self._events: queue.SimpleQueue[Frame | Pcm | _Opened | _Lost | BaseException] = queue.SimpleQueue()
        self._deadline_ns = 0
        self._thread = threading.Thread(target=self._read_device, name=device.name, daemon=True)

    def run(self) -> None:
        """Publish what the device captures; return when the worker is told to stop."""
        self._worker.state("ready", f"opening {self._device.name}")
        self._allow(OPEN_TIMEOUT_S)
        self._thread.start()
        while not self._worker.stop.is_set():
            self._worker.heartbeat()
            try:
                self._handle(self._events.get(timeout=_POLL_S))
            except queue.Empty:
                if now_ns() > self._deadline_ns:
                    self._end_process(EXIT_STALLED, "lost", f"{self._device.name} hangs; starting anew")
        self._thread.join(_GRACE_S)
        if self._thread.is_alive():
            self._end_process(0, "ended", f"{self._device.name} hangs; left as it is")

    def _handle(self, event: Frame | Pcm | _Opened | _Lost | BaseException) -> None:
        worker = self._worker
        match event:
            case _Opened():
                worker.counters["times_opened"] += 1
            case _Lost(why, opened, retry_s):
                worker.counters["read_failures" if opened else "open_failures"] += 1
                worker.state("lost", f"{why} (next try in {retry_s:g} s)")
            case BaseException():
                raise event
            case message:
                if isinstance(message, Pcm):
                    worker.counters["overflows"] = message.overflows
                worker.publish(self._topic, message)
                worker.running(self._device.name)

    def _allow(self, seconds: float) -> None:
        self._deadline_ns = now_ns() + seconds_to_ns(seconds + _GRACE_S)

    def _end_process(self, status: int, state: State, detail: str) -> NoReturn:
        # A thread is inside the driver, so the interpreter's own shutdown could hang or crash.
        self._worker.state(state, detail)
        self._worker.close()
        zmq.Context.instance().term()
        os._exit(status)

    # -- in the thread --------------------------------------------------------------------------

    def _read_device(self) -> None:
        backoff = Backoff()
        stop = self._worker.stop
        try:
            while not stop.is_set():
                opened_ns = None
                try:
                    self._allow(OPEN_TIMEOUT_S)
                    self._device.open()
                    opened_ns = now_ns()
                    self._events.put(_Opened())
                    self._read_until_lost()
                except DeviceLostError as error:
                    worked_s = 0.0 if opened_ns is None else (now_ns() - opened_ns) / NS_PER_S
                    retry_s = backoff.after_failure(worked_s)
                    self._events.put(_Lost(str(error), opened_ns is not None, retry_s))
                    self._close()
                    self._allow(retry_s)
                    stop.wait(retry_s)
            self._close()
        except BaseException as error:
            self._events.put(error)

    def _read_until_lost(self) -> None:
        timeout_s = max(self._device.stall_timeout_s, _FIRST_TIMEOUT_S)
        self._allow(timeout_s)
        silent_since_ns = now_ns()
        while not self._worker.stop.is_set():
            message = self._device.read()
            if message is not None:
                self._events.put(message)
                timeout_s = self._device.stall_timeout_s
                self._allow(timeout_s)
                silent_since_ns = now_ns()
            elif now_ns() - silent_since_ns > seconds_to_ns(timeout_s):
                raise DeviceLostError(f"{self._device.name} has given nothing for {timeout_s:g} s")

    def _close(self) -> None:
        self._allow(_CLOSE_TIMEOUT_S)
        self._device.close()
