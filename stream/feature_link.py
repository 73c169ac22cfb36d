"""Features from host to host: tcp, always with CURVE, and never anything of the media plane.

A message is three parts: `topic.source`, a header (publisher epoch, sequence number of the topic and source,
when it was sent on the publisher's capture clock; big-endian), and the body as on the bus.
"""

from __future__ import annotations

import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import zmq

from stream.clock import now_ns
from stream.guarded_publisher import GuardedPublisher
from stream.keys import KeyPair
from stream.messages import AnyMessage, End, MessageError, decode, encode
from stream.topics import TOPICS, Plane

_HEADER = struct.Struct(">QQq")
_HIGH_WATER_MARK = 2000
_MAX_BYTES = 1 << 20
_RECONNECT_MS = 100
_BATCH = 64
_MAX_NUMBER = 1 << 61
_MAX_NAMES = 1000


class FeaturePublisher:
    """Publishes features for other hosts."""

    def __init__(self, endpoint: str, keys: Path) -> None:
        """Bind `endpoint`, for the hosts in the allow list in the folder `keys`.

        Raises:
            BusError: it is in use or not permitted.
            KeyFileError: the keys cannot be used.
        """
        self.guarded = GuardedPublisher(endpoint, keys, _HIGH_WATER_MARK)
        self._epoch = time.time_ns()
        self._seq: Counter[str] = Counter()

    def send(self, topic: str, publisher: str, message: AnyMessage) -> None:
        """Publish what `publisher`, a source or a worker, says on `topic`.

        Raises:
            ValueError: the topic is not of the feature plane, so it must not leave this host.
        """
        if TOPICS[topic].plane is not Plane.FEATURE:
            raise ValueError(f"{topic} must not leave this host")
        name = f"{topic}.{publisher}"
        header = _HEADER.pack(self._epoch, self._seq[name], now_ns())
        self._seq[name] += 1
        self.guarded.send([name.encode(), header, encode(message)])

    def close(self) -> None:
        """Close the socket; what is queued is still delivered for half a second."""
        self.guarded.close()


@dataclass(frozen=True)
class LinkedMessage:
    """One message from another host."""

    topic: str
    publisher: str
    """Source, or worker for `state`, as it is called there."""
    message: AnyMessage
    epoch: int
    """Changes when the publisher restarts, and with it perhaps its clock."""
    seq: int
    sent_ns: int
    """When it was sent, on the capture clock there."""


class FeatureReader:
    """Reads what one host publishes of one source, and what its workers say of themselves."""

    def __init__(self, endpoint: str, own: KeyPair, server_key: str, source: str) -> None:
        self._endpoint = endpoint
        self._own = own
        self._server_key = server_key
        self._source = source
        self._expected: dict[str, tuple[int, int]] = {}
        self._socket: zmq.Socket[bytes] | None = None
        self.lost = 0
        """Messages that were published but never arrived."""
        self.malformed = 0
        """Messages that could not be read."""
        self.connect()

    def connect(self) -> None:
        """Connect, or do so anew: a refused client does not try again by itself."""
        self.close()
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, _HIGH_WATER_MARK)
        socket.setsockopt(zmq.MAXMSGSIZE, _MAX_BYTES)
        socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.IPV6, int("[" in self._endpoint))
        socket.curve_publickey = self._own.public.encode()
        socket.curve_secretkey = self._own.secret.encode()
        socket.curve_serverkey = self._server_key.encode()
        for topic, row in TOPICS.items():
            if row.plane is Plane.FEATURE:
                socket.subscribe(f"{topic}." if topic == "state" else f"{topic}.{self._source}")
        socket.connect(self._endpoint)
        self._socket = socket

    def receive(self, timeout_s: float) -> list[LinkedMessage]:
        """Return what has come, after waiting at most `timeout_s` for the first."""
        assert self._socket is not None
        found: list[LinkedMessage] = []
        if not self._socket.poll(max(0, round(timeout_s * 1000))):
            return found
        for _ in range(_BATCH):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                message = unpack_linked(parts)
            except MessageError:
                self.malformed += 1
                continue
            if message.topic == "state" or message.publisher == self._source:
                self._note(message)
                found.append(message)
        return found

    def close(self) -> None:
        """Stop reading."""
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None

    def _note(self, message: LinkedMessage) -> None:
        """Count what was lost right before `message`."""
        name = f"{message.topic}.{message.publisher}"
        epoch, expected = self._expected.get(name, (message.epoch, message.seq))
        if epoch == message.epoch:
            self.lost += max(0, message.seq - expected)
        if name in self._expected or len(self._expected) < _MAX_NAMES:
            self._expected[name] = (message.epoch, message.seq + 1)


def unpack_linked(parts: list[bytes]) -> LinkedMessage:
    """Return the message in `parts`.

    Raises:
        MessageError: it is none, or none of the feature plane.
    """
    if len(parts) != 3 or len(parts[1]) != _HEADER.size or len(parts[0]) > 100:
        raise MessageError("not three parts with a header")
    name = parts[0].decode("ascii", "replace")
    topic, _, publisher = name.partition(".")
    row = TOPICS.get(topic)
    if row is None or row.plane is not Plane.FEATURE or row.type is None:
        raise MessageError(f"{topic} is not a topic of the feature plane")
    epoch, seq, sent_ns = _HEADER.unpack(parts[1])
    if max(seq, abs(sent_ns)) > _MAX_NUMBER:
        raise MessageError("a number or a time out of range")
    message = decode(parts[2])
    if not isinstance(message, row.type | End) or (topic != "state" and message.source != publisher):
        raise MessageError(f"{type(message).__name__} of {message.source} on {name}")
    return LinkedMessage(topic, publisher, message, epoch, seq, sent_ns)
