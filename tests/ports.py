"""Ports on loopback that nobody else is given."""

from __future__ import annotations

import socket

_reserved: list[socket.socket] = []


def free_port() -> int:
    """Return a port on loopback that the kernel gives to nobody else for as long as this process runs.

    It stays bound here, but not listened on: whoever connects is refused, and a server that sets SO_REUSEADDR, as
    servers do, can be started on it, however long that takes, and again after it was killed.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    _reserved.append(reserved)
    return int(reserved.getsockname()[1])
