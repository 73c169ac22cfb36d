"""Tells systemd, where that started this process, that it is ready and alive: sd_notify(3)."""

from __future__ import annotations

import os
import socket


class ServiceManager:
    """The manager that started this process; where there is none, what it is told goes nowhere."""

    def __init__(self) -> None:
        """Take its address out of the environment: processes started from here are not the service."""
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self._ready = False
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)

    def ready(self) -> None:
        """Say that the models are loaded; only the first call says it."""
        if not self._ready:
            self._ready = True
            self._tell("READY=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Say in one line what this process is doing, for `systemctl status`."""
        self._tell(f"STATUS={text.splitlines()[0] if text else ''}")

    def allow(self, seconds: float) -> None:
        """Have the watchdog wait for so long from now on."""
        self._tell(f"WATCHDOG_USEC={round(seconds * 1e6)}")

    def _tell(self, message: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(message.encode(), socket.MSG_DONTWAIT)
        except OSError:
            # A manager that is being started again listens soon; the watchdog waits for several of these.
            return
