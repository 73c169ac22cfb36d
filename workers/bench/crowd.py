"""Many viewers of the gateway in one process: `python -m workers.bench.crowd PORT VIEWERS SLOW SECONDS`.

They cost as little as can be, so that the gateway is what is measured: bytes are counted, not decoded. The
slow ones never read. The outcome is one line of JSON on standard output.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys

_SMALL_BUFFER = 4096


class _Viewer(asyncio.Protocol):
    def __init__(self, port: int, *, slow: bool) -> None:
        self._port = port
        self._slow = slow
        self.received = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            (
                f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self._slow:
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True


async def _watch(port: int, count: int, slow: int, seconds: float) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    viewers = []
    for index in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        if index < slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        await loop.sock_connect(connection, ("127.0.0.1", port))
        viewer = _Viewer(port, slow=index < slow)
        await loop.create_connection(lambda viewer=viewer: viewer, sock=connection)  # type: ignore[misc]
        viewers.append(viewer)
    await asyncio.sleep(seconds)
    return {
        "viewers": len(viewers),
        "lost": sum(viewer.lost for viewer in viewers),
        "least_bytes": min(viewer.received for viewer in viewers[slow:]),
        "most_bytes": max(viewer.received for viewer in viewers),
    }


if __name__ == "__main__":
    port, count, slow, seconds = (int(each) for each in sys.argv[1:])
    sys.stdout.write(json.dumps(asyncio.run(_watch(port, count, slow, seconds))) + "\n")
