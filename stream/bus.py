"""The bus between workers: one ZeroMQ socket a topic and source, every message numbered, drops counted.

A message is two parts: a header (publisher epoch, sequence number, flags; big-endian) and the encoded
body. The epoch changes when a publisher restarts, so that a restart is not mistaken for lost messages.

What a reader has not yet taken out of the operating system's buffers is lost when the connection closes. So
a reader answers an `End` by leaving and joining again, and the publisher stays until it has seen that. A
reader whose queue is full loses an `End` like any other message, so the publisher repeats it meanwhile.
"""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import zmq

from stream.errors import UserError
from stream.messages import AnyMessage, End, MessageError, ReadCounts, decode, encode
from stream.run_folder import make_private
from stream.topics import TOPICS, Plane, Slow, Topic, ipc_endpoint

_HEADER = struct.Struct(">QQB")
_LAST = 1
_MAX_BYTES = {Plane.MEDIA: 128 << 20, Plane.FEATURE: 8 << 20}
MAX_FROM_READER_BYTES = 1024
"""A reader sends its handshake and subscriptions; a long one would cost the publisher 100 times its size."""
_BATCH = 64
_MAX_SEQ = 1 << 40
"""A publisher sends fewer messages; a larger number would make nonsense of what was lost."""
_RECONNECT_MS = 50
_LINGER_MS = 500
_LINGER_LOSSLESS_MS = 60_000
_END_TIMEOUT_S = 60.0


class BusError(UserError):
    """An endpoint that cannot be used, with the remedy."""


def bind(socket: zmq.Socket[bytes], endpoint: str) -> None:
    """Bind `socket`.

    Raises:
        BusError: the endpoint is in use or not permitted.
    """
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        socket.close(0)
        if error.errno == zmq.EADDRINUSE:
            raise BusError(
                f"{endpoint} is in use: another program, or another emostream, publishes there. Stop it, or "
                "change `stream.endpoint` in the configuration"
            ) from error
        raise BusError(f"cannot publish on {endpoint}: {error.strerror}") from error


def unpack(parts: list[bytes]) -> tuple[int, int, int, bytes]:
    """Return epoch, sequence number, flags and body of a message as it came.

    Raises:
        MessageError: it is none.
    """
    if len(parts) != 2 or len(parts[0]) != _HEADER.size:
        raise MessageError("not two parts with a header")
    epoch, seq, flags = _HEADER.unpack(parts[0])
    if seq > _MAX_SEQ:
        raise MessageError(f"the number {seq}")
    return epoch, seq, flags, parts[1]


class Publisher:
    """Publishes one topic of one source.

    With `lossless`, `send` waits while any reader's queue is full; otherwise the message is lost to that
    reader alone, and the reader counts it.
    """

    def __init__(self, run_folder: Path, topic: str, publisher: str, *, lossless: bool = False) -> None:
        make_private(run_folder)
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self._socket.setsockopt(zmq.SNDHWM, TOPICS[topic].high_water_mark)
        self._lossless = lossless
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        self._socket.setsockopt(zmq.SNDTIMEO, 100)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_FROM_READER_BYTES)
        self._socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self._socket.setsockopt(zmq.XPUB_NODROP, int(lossless))
        bind(self._socket, ipc_endpoint(run_folder, topic, publisher))
        self._epoch = time.time_ns()
        self._seq = 0
        self._awaiting_end = 0
        self._end: list[bytes] = []
        self.readers = 0
        """How many read this topic now."""
        self.joined = 0
        """How many have ever joined."""

    def send(
        self,
        message: AnyMessage,
        stop: threading.Event | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """Publish `message`; waiting for a full reader (lossless) ends when `stop` is set.

        While it waits, `waiting` is called several times a second.
        """
        self._count_readers()
        flags = _LAST if isinstance(message, End) else 0
        parts = [_HEADER.pack(self._epoch, self._seq, flags), encode(message)]
        while True:
            try:
                self._socket.send_multipart(parts, copy=len(parts[1]) < 1 << 16)
                break
            except zmq.Again:
                if stop is not None and stop.is_set():
                    return
                waiting()
        self._seq += 1
        if flags & _LAST:
            self._end, self._awaiting_end = parts, self.readers

    def wait_for_readers(self, count: int, stop: threading.Event, timeout_s: float) -> bool:
        """Wait until `count` readers have joined, even if some have left again; return whether they did."""
        deadline = time.monotonic() + timeout_s
        self._count_readers()
        while self.joined < count and not stop.is_set() and time.monotonic() < deadline:
            self._socket.poll(50)
            self._count_readers()
        return self.joined >= count

    def await_end(self, stop: threading.Event, timeout_s: float = _END_TIMEOUT_S) -> bool:
        """Wait until every reader has taken the `End` that was sent, or is gone; return whether all have."""
        deadline = time.monotonic() + timeout_s
        while self._awaiting_end > 0 and not stop.is_set() and time.monotonic() < deadline:
            if not self._socket.poll(50) and not self._lossless:
                self._socket.send_multipart(self._end)
            self._count_readers()
        return self._awaiting_end <= 0

    def close(self, *, abandon: bool = False) -> None:
        """Close the socket; until the context ends, what is queued still goes to the readers that are there.

        With `lossless` a slow reader has a minute for that, unless `abandon`; otherwise half a second.
        """
        self._socket.close(_LINGER_LOSSLESS_MS if self._lossless and not abandon else _LINGER_MS)

    def _count_readers(self) -> None:
        while self._socket.poll(0):
            joins = self._socket.recv()[:1] == b"\x01"
            self.readers += 1 if joins else -1
            self.joined += joins
            self._awaiting_end -= not joins


@dataclass(frozen=True)
class Received:
    """One message as it came in."""

    topic: str
    message: AnyMessage
    dropped: int
    """Messages of this topic and source lost or skipped right before this one."""


@dataclass
class _Reader:
    topic: Topic
    publisher: str
    socket: zmq.Socket[bytes]
    newest: bool
    epoch: int = 0
    next_seq: int = 0
    pending_drops: int = 0
    received: int = 0
    dropped: int = 0
    malformed: int = 0


class Inbox:
    """Reads any number of topics from any number of publishers, each on a socket of its own.

    With `lossless`, topics that are read `newest` otherwise are read whole.
    """

    def __init__(self, run_folder: Path, *, lossless: bool = False) -> None:
        self._run_folder = run_folder
        self._lossless = lossless
        self._poller = zmq.Poller()
        self._readers: dict[zmq.Socket[bytes], _Reader] = {}

    def subscribe(self, topic: str, publishers: Iterable[str]) -> None:
        """Start reading `topic` of `publishers`, which may come and go."""
        row = TOPICS[topic]
        for publisher in publishers:
            socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
            socket.setsockopt(zmq.RCVHWM, row.high_water_mark)
            socket.setsockopt(zmq.MAXMSGSIZE, _MAX_BYTES[row.plane])
            socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
            socket.setsockopt(zmq.LINGER, 0)
            socket.subscribe(b"")
            socket.connect(ipc_endpoint(self._run_folder, topic, publisher))
            self._poller.register(socket, zmq.POLLIN)
            newest = row.slow is Slow.NEWEST and not self._lossless
            self._readers[socket] = _Reader(row, publisher, socket, newest)

    def counts(self) -> dict[str, ReadCounts]:
        """Return what became of each topic's messages, by `topic.publisher`."""
        return {
            f"{reader.topic.name}.{reader.publisher}": ReadCounts(
                received=reader.received, dropped=reader.dropped, malformed=reader.malformed
            )
            for reader in self._readers.values()
        }

    def receive(self, timeout_s: float) -> list[Received]:
        """Return what has come, after waiting at most `timeout_s` for the first."""
        ready = self._poller.poll(max(0, math.ceil(timeout_s * 1000)))
        return [received for socket, _ in ready for received in self._take(self._readers[socket])]

    def close(self) -> None:
        """Close all sockets."""
        for socket in self._readers:
            socket.close(0)
        self._readers.clear()

    def _take(self, reader: _Reader) -> list[Received]:
        batch: list[tuple[int, bytes]] = []
        while len(batch) < _BATCH or reader.newest:
            try:
                parts = reader.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                epoch, seq, flags, body = unpack(parts)
            except MessageError:
                reader.malformed += 1
                continue
            if epoch != reader.epoch:
                reader.epoch, reader.next_seq = epoch, seq
            elif flags & _LAST and seq < reader.next_seq:
                continue  # repeated for a slower reader
            reader.pending_drops += max(0, seq - reader.next_seq)
            reader.next_seq = seq + 1
            if reader.newest and batch and not batch[-1][0] & _LAST and not flags & _LAST:
                batch.pop()
                reader.pending_drops += 1
            batch.append((flags, body))
        return [r for _, body in batch if (r := self._decode(reader, body)) is not None]

    def _decode(self, reader: _Reader, body: bytes) -> Received | None:
        name = reader.topic.name
        try:
            message = decode(body)
            if reader.topic.type is None or not isinstance(message, reader.topic.type | End):
                raise MessageError(f"{type(message).__name__} on topic {name}")
        except MessageError:
            reader.malformed += 1
            return None
        if isinstance(message, End):
            reader.socket.unsubscribe(b"")
            reader.socket.subscribe(b"")
        dropped, reader.pending_drops = reader.pending_drops, 0
        reader.received += 1
        reader.dropped += dropped
        return Received(name, message, dropped)
