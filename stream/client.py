"""Subscribing to a running daemon from any Python program, blocking or async.

```python
from stream import subscribe

with subscribe() as messages:
    for message in messages:
        print(message.source, message.emotions)
```
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import zmq

from stream.errors import UserError
from stream.keys import KeyPair, is_public_key, read_pair
from stream.messages import MessageError
from stream.public import (
    MAX_BYTES,
    EmotionMessage,
    HealthMessage,
    PublicMessage,
    TranscriptMessage,
    decode_public,
)

if TYPE_CHECKING:
    import zmq.asyncio

DEFAULT_ENDPOINT = "tcp://127.0.0.1:5557"
M = TypeVar("M", bound=PublicMessage)
_PREFIXES: dict[type[PublicMessage], str] = {
    EmotionMessage: "emotion.",
    TranscriptMessage: "transcript.",
    HealthMessage: "health",
}


class NoMessageError(TimeoutError):
    """Nothing came for as long as the subscriber was ready to wait."""


class NoServerKeyError(UserError):
    """A subscriber with keys must know the daemon's."""


@dataclass(frozen=True)
class Gap:
    """Messages that were published but never arrived here."""

    topic: str
    after_seq: int
    missed: int


class Subscription(Generic[M]):
    """An iterator over messages, and an async one; it connects again by itself when the daemon restarts."""

    def __init__(
        self,
        kinds: tuple[type[PublicMessage], ...],
        endpoint: str,
        source: str | None,
        timeout_s: float | None,
        on_gap: Callable[[Gap], None] | None,
        *,
        keys: tuple[KeyPair, str] | None = None,
    ) -> None:
        self._keys = keys
        self._prefixes = [_PREFIXES[kind] + (source or "") * (kind is not HealthMessage) for kind in kinds]
        self._endpoint = endpoint
        self._source = source
        self._timeout_ms = -1 if timeout_s is None else round(timeout_s * 1000)
        self._timeout_s = timeout_s
        self._on_gap = on_gap
        self._last_seq: dict[str, int] = {}
        self._socket: zmq.Socket[bytes] | None = None
        self._async_socket: zmq.asyncio.Socket | None = None
        self.missed = 0
        """Messages that were published but never arrived, in all."""
        self.malformed = 0
        """Messages that could not be read, in all."""

    def __enter__(self) -> Subscription[M]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[M]:
        return self

    def __next__(self) -> M:
        """Return the next message.

        Raises:
            NoMessageError: none came within `timeout_s`.
        """
        if self._socket is None:
            self._socket = zmq.Context.instance().socket(zmq.SUB)
            self._connect(self._socket)
        while True:
            if not self._socket.poll(self._timeout_ms):
                raise self._nothing_came()
            message = self._take(self._socket.recv_multipart())
            if message is not None:
                return message

    def __aiter__(self) -> AsyncIterator[M]:
        return self

    async def __anext__(self) -> M:
        """Return the next message.

        Raises:
            NoMessageError: none came within `timeout_s`.
        """
        if self._async_socket is None:
            # Every worker imports this module, and would pay for what few clients use.
            from zmq.asyncio import Context  # noqa: PLC0415

            self._async_socket = Context.instance().socket(zmq.SUB)
            self._connect(self._async_socket)
        while True:
            if not await self._async_socket.poll(self._timeout_ms):
                raise self._nothing_came()
            message = self._take(await self._async_socket.recv_multipart())
            if message is not None:
                return message

    def close(self) -> None:
        """Stop listening."""
        for socket in (self._socket, self._async_socket):
            if socket is not None:
                socket.close(0)
        self._socket = self._async_socket = None

    def _connect(self, socket: zmq.Socket[bytes] | zmq.asyncio.Socket) -> None:
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        socket.setsockopt(zmq.RECONNECT_IVL, 100)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        socket.setsockopt(zmq.IPV6, int("[" in self._endpoint))
        if self._keys is not None:
            own, server = self._keys
            socket.setsockopt(zmq.CURVE_PUBLICKEY, own.public.encode())
            socket.setsockopt(zmq.CURVE_SECRETKEY, own.secret.encode())
            socket.setsockopt(zmq.CURVE_SERVERKEY, server.encode())
        for prefix in self._prefixes:
            socket.setsockopt(zmq.SUBSCRIBE, prefix.encode())
        socket.connect(self._endpoint)

    def _nothing_came(self) -> NoMessageError:
        admitted = ", and does it allow this key" if self._keys else ""
        return NoMessageError(
            f"nothing came from {self._endpoint} for {self._timeout_s:g} s: is `emostream run` running, "
            f"and does its `stream.endpoint` say the same{admitted}?"
        )

    def _take(self, parts: list[bytes]) -> M | None:
        """Return the message in `parts`, or `None` if it is malformed or of another source."""
        try:
            if len(parts) != 2:
                raise MessageError(f"{len(parts)} parts instead of two")
            topic = parts[0].decode()
            message = decode_public(topic, parts[1])
        except (MessageError, UnicodeDecodeError):
            self.malformed += 1
            return None
        if self._source is not None and getattr(message, "source", self._source) != self._source:
            return None
        last = self._last_seq.get(topic)
        self._last_seq[topic] = message.seq
        if last is not None and message.seq > last + 1:
            gap = Gap(topic, last, message.seq - last - 1)
            self.missed += gap.missed
            if self._on_gap is not None:
                self._on_gap(gap)
        return message  # type: ignore[return-value]  # the socket's topic filter lets only kinds of M through


@overload
def subscribe(
    *,
    endpoint: str = ...,
    source: str | None = ...,
    timeout_s: float | None = ...,
    on_gap: Callable[[Gap], None] | None = ...,
    key: Path | str | None = ...,
    server_key: str | None = ...,
) -> Subscription[EmotionMessage]: ...
@overload
def subscribe(
    kind: type[M],
    /,
    *,
    endpoint: str = ...,
    source: str | None = ...,
    timeout_s: float | None = ...,
    on_gap: Callable[[Gap], None] | None = ...,
    key: Path | str | None = ...,
    server_key: str | None = ...,
) -> Subscription[M]: ...
@overload
def subscribe(
    *kinds: type[PublicMessage],
    endpoint: str = ...,
    source: str | None = ...,
    timeout_s: float | None = ...,
    on_gap: Callable[[Gap], None] | None = ...,
    key: Path | str | None = ...,
    server_key: str | None = ...,
) -> Subscription[PublicMessage]: ...
def subscribe(
    *kinds: type[Any],
    endpoint: str = DEFAULT_ENDPOINT,
    source: str | None = None,
    timeout_s: float | None = None,
    on_gap: Callable[[Gap], None] | None = None,
    key: Path | str | None = None,
    server_key: str | None = None,
) -> Subscription[Any]:
    """Subscribe to a daemon's public stream; close it, or use it in a `with` block.

    Args:
        kinds: message types wanted: `EmotionMessage` (the default), `TranscriptMessage`, `HealthMessage`.
        endpoint: `stream.endpoint` of the daemon.
        source: only messages of this source.
        timeout_s: raise `NoMessageError` when nothing comes for this long; `None` waits for ever.
        on_gap: called with each `Gap`; `Subscription.missed` counts them in any case.
        key: file of this subscriber's pair of keys, for a daemon with `stream.curve: true`.
        server_key: that daemon's public key, which `emostream keys list` shows.

    Raises:
        KeyFileError: the pair cannot be used.
        NoServerKeyError: only one of `key` and `server_key` is given, or the latter is no key.
    """
    keys = _client_keys(key, server_key)
    return Subscription(kinds or (EmotionMessage,), endpoint, source, timeout_s, on_gap, keys=keys)


def _client_keys(key: Path | str | None, server_key: str | None) -> tuple[KeyPair, str] | None:
    if key is None and server_key is None:
        return None
    if key is None or server_key is None or not is_public_key(server_key):
        raise NoServerKeyError(
            "a stream with CURVE needs both the file of your own pair (`emostream keys new NAME`) and the "
            "daemon's public key (`emostream keys list` on its host)"
        )
    return read_pair(Path(key)), server_key
