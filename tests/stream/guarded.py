"""A guarded publisher with clients in and out of its allow list, for the tests of who may listen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import zmq

from stream.guarded_publisher import GuardedPublisher
from stream.keys import DAEMON, allow, key_file, make_pair, read_pair
from tests.ports import free_port

SECRET = b"what only clients in the list may read"


def free_endpoint() -> str:
    """Return an endpoint on loopback that nobody uses."""
    return f"tcp://127.0.0.1:{free_port()}"


def drain(client: zmq.Socket[bytes]) -> None:
    """Take what has come."""
    with contextlib.suppress(zmq.Again):
        while True:
            client.recv_multipart(zmq.NOBLOCK)


class Guarded:
    """A publisher with `laptop` and `phone` in its list; `stranger` has a pair as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server_key = make_pair(folder, DAEMON).public
        for name in ("laptop", "phone", "stranger"):
            pair = make_pair(folder, name)
            if name != "stranger":
                allow(folder, name, pair.public)
        self.endpoint = free_endpoint()
        self.publisher = GuardedPublisher(self.endpoint, folder, 1000)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def client(
        self,
        name: str | None,
        *,
        server_key: str | None = None,
        endpoint: str | None = None,
        kind: int = zmq.SUB,
    ) -> zmq.Socket[bytes]:
        """Return a socket that connects with the keys of `name`, or without any."""
        client = self._context.socket(kind)
        client.setsockopt(zmq.RECONNECT_IVL, 50)
        if kind == zmq.SUB:
            client.subscribe(b"")
        if name is not None:
            pair = read_pair(key_file(self.folder, name))
            client.curve_publickey, client.curve_secretkey = pair.public.encode(), pair.secret.encode()
            client.curve_serverkey = (server_key or self.server_key).encode()
        client.connect(endpoint or self.endpoint)
        return client

    def publish_until(self, done: Callable[[], object], timeout_s: float = 60) -> None:
        """Publish and look after the list, as the daemon does, until `done`."""
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline
            self.publisher.send([b"topic", SECRET])
            self.publisher.poll()
            time.sleep(0.01)

    def close(self) -> None:
        """Close everything."""
        self.publisher.close()
        self._context.destroy(0)
