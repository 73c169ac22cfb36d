"""Those who may not listen: without a key, with a wrong one, with one that was taken back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zmq

from stream.keys import revoke
from tests.chaos.figures import Figure
from tests.stream.guarded import Guarded, drain

_ATTEMPTS = 20
_WATCHED_S = 2.0


def strangers() -> list[Figure]:
    """Have each kind of stranger connect twenty times beside a client that may listen."""
    with tempfile.TemporaryDirectory(prefix="emo-", dir="/tmp") as folder:
        guarded = Guarded(Path(folder) / "keys")
        try:
            return _strangers(guarded)
        finally:
            guarded.close()


def _strangers(guarded: Guarded) -> list[Figure]:
    laptop, phone = guarded.client("laptop"), guarded.client("phone")
    guarded.publish_until(lambda: laptop.poll(0) and phone.poll(0))
    other = zmq.curve_keypair()[0].decode()
    kinds: dict[str, Callable[[], zmq.Socket[bytes]]] = {
        "without keys": lambda: guarded.client(None),
        "with keys that were never allowed": lambda: guarded.client("stranger"),
        "with a wrong key of the daemon": lambda: guarded.client("laptop", server_key=other),
    }
    figures = [_connect(guarded, who, connect) for who, connect in kinds.items()]
    revoke(guarded.folder, "phone")
    guarded.publisher.poll()
    drain(phone)
    end = time.monotonic() + _WATCHED_S
    guarded.publish_until(lambda: time.monotonic() > end)
    after = _count(phone)
    figures.append(
        Figure(f"messages in {_WATCHED_S:g} s after a key was revoked", str(after), "0", not after)
    )
    figures.append(_connect(guarded, "with keys that were revoked", lambda: guarded.client("phone")))
    heard = _count(laptop)
    figures.append(
        Figure("a client that may listen goes on meanwhile", f"{heard} messages", "> 0", heard > 0)
    )
    return figures


def _connect(guarded: Guarded, who: str, connect: Callable[[], zmq.Socket[bytes]]) -> Figure:
    before = guarded.publisher.refused
    clients = [connect() for _ in range(_ATTEMPTS)]
    end = time.monotonic() + _WATCHED_S
    guarded.publish_until(lambda: time.monotonic() > end)
    heard = sum(_count(client) for client in clients)
    counted = guarded.publisher.refused - before
    for client in clients:
        client.close(0)
    measured = f"{heard} messages heard, {counted} refusals counted"
    met = heard == 0 and counted >= _ATTEMPTS
    return Figure(f"{_ATTEMPTS} that connect {who}", measured, f"0, at least {_ATTEMPTS}", met)


def _count(client: zmq.Socket[bytes]) -> int:
    heard = 0
    while client.poll(0):
        client.recv_multipart()
        heard += 1
    return heard
