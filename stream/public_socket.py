"""The socket that subscribers connect to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import zmq

from stream.bus import MAX_FROM_READER_BYTES, bind
from stream.guarded_publisher import GuardedPublisher
from stream.public import PublicMessage, encode_public, public_topic
from stream.topics import TOPICS

_HIGH_WATER_MARK = TOPICS["emotion"].high_water_mark


class PublicSocket:
    """Publishes the public messages; a subscriber that does not keep up loses messages, and only its own.

    Nothing comes in but subscriptions.
    """

    def __init__(self, endpoint: str, encoding: Literal["json", "msgpack"], keys: Path | None = None) -> None:
        """Bind `endpoint`.

        Args:
            endpoint: where subscribers connect.
            encoding: of the messages.
            keys: folder of the keys with which subscribers are admitted; `None` admits all.

        Raises:
            BusError: it is in use or not permitted.
            KeyFileError: the keys cannot be used.
        """
        self._encoding: Literal["json", "msgpack"] = encoding
        self.guarded = None if keys is None else GuardedPublisher(endpoint, keys, _HIGH_WATER_MARK)
        """The socket, where it admits only those in the allow list."""
        self._open: zmq.Socket[bytes] | None = None
        if self.guarded is None:
            self._open = zmq.Context.instance().socket(zmq.PUB)
            self._open.setsockopt(zmq.SNDHWM, _HIGH_WATER_MARK)
            self._open.setsockopt(zmq.LINGER, 500)
            self._open.setsockopt(zmq.MAXMSGSIZE, MAX_FROM_READER_BYTES)
            self._open.setsockopt(zmq.IPV6, int("[" in endpoint))
            bind(self._open, endpoint)

    def send(self, message: PublicMessage) -> None:
        """Publish `message` on its topic."""
        parts = [public_topic(message).encode(), encode_public(message, self._encoding)]
        if self.guarded is not None:
            self.guarded.send(parts)
        elif self._open is not None:
            self._open.send_multipart(parts)

    def close(self) -> None:
        """Close the socket; what is queued is still delivered for half a second."""
        if self.guarded is not None:
            self.guarded.close()
        elif self._open is not None:
            self._open.close()
