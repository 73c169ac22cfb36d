"""A process that loads a worker's models once and forks the worker from itself, again whenever it has died.

What is forked finds the models in its memory, shared page by page with the process that loaded them
(fork(2)): it is at work in a moment, and takes little memory of its own. When to fork is the supervisor's
decision; the two talk over a socket: `fork` asks, `forked PID` and `ended STATUS` answer.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import psutil

from workers.orphans import die_with_parent

_LONGEST_MESSAGE = 64


class ForkServer:
    """The supervisor's end: what a `Popen` is, for a worker that is forked.

    Args:
        start: Starts the server, given the number of the socket that it is to inherit.

    Raises:
        OSError: This machine cannot start one more.
    """

    def __init__(self, start: Callable[[int], subprocess.Popen[bytes]]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._server = start(theirs.fileno())
            except OSError:
                self._socket.close()
                raise
        self._forked: int | None = None
        self._hung_up = False
        self.returncode: int | None = None
        """How the worker ended, as `Popen` has it; `None` while it runs."""

    @property
    def pid(self) -> int:
        """Of the worker; of the server until it is forked."""
        self.poll()
        return self._forked or self._server.pid

    @property
    def alive(self) -> bool:
        """Whether it can fork."""
        return self._server.poll() is None

    def fork(self) -> None:
        """Have the worker forked, as soon as its models are loaded."""
        self._forked = self.returncode = None
        with contextlib.suppress(OSError):  # it has just died, which `poll` will find
            self._socket.send(b"fork")

    def poll(self) -> int | None:
        """Return how the worker ended, `None` while it runs."""
        while self.returncode is None and not self._hung_up and self._is_readable(0.0):
            self._take(self._receive())
        if self.returncode is None and self._hung_up:
            # The kernel has seen to it that the worker is gone with the server.
            self.returncode = self._server.poll()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how the worker ended.

        Raises:
            subprocess.TimeoutExpired: It has not, within `timeout` seconds.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise subprocess.TimeoutExpired(self._server.args, timeout or 0.0)
            if self._hung_up:
                self._server.wait(None if timeout is None else left_s)
            else:
                self._is_readable(left_s)
        return status

    def send_signal(self, number: int) -> None:
        """Send the worker a signal; the server while it loads."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End the server at once, and with it the worker."""
        self._server.kill()

    def close(self) -> None:
        """End the server, and with it a worker that has not ended."""
        self._socket.close()
        self.kill()
        self._server.wait()

    def _is_readable(self, timeout_s: float) -> bool:
        poller = select.poll()  # select(2) knows no file descriptor above 1023
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(None if timeout_s == math.inf else timeout_s * 1000))

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_LONGEST_MESSAGE)
        except ConnectionResetError:
            return b""

    def _take(self, message: bytes) -> None:
        what, _, number = message.partition(b" ")
        if what == b"forked":
            self._forked = int(number)
        elif what == b"ended":
            self.returncode = int(number)
        else:
            self._hung_up = True


def serve_forks(asked: socket.socket) -> None:
    """Fork whenever `asked` to; return in every process that is forked, and never in this one.

    Where the models have started threads, which a fork would lack, it returns once in this process, which is
    the worker then.

    Raises:
        SystemExit: The supervisor has closed its end: nothing more is to be forked.
    """
    server = os.getpid()
    if psutil.Process().num_threads() > 1:
        if not asked.recv(_LONGEST_MESSAGE):
            raise SystemExit
        asked.send(b"forked %d" % server)
        asked.detach()  # it stays open for as long as this process is there
        return
    # Whoever stops the daemon means the worker; this process ends when the supervisor has done with it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    # A garbage collection would write to every object, and no page would be shared afterwards.
    gc.collect()
    gc.freeze()
    while asked.recv(_LONGEST_MESSAGE):
        if not (pid := os.fork()):
            asked.close()
            die_with_parent(server)
            return
        asked.send(b"forked %d" % pid)
        _, status = os.waitpid(pid, 0)
        asked.send(b"ended %d" % os.waitstatus_to_exitcode(status))
    raise SystemExit
