"""The connection to an MQTT broker: made again whenever it breaks, with a will that says when it is gone."""

from __future__ import annotations

import ssl
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from stream.config import MqttSection
from stream.errors import UserError

_KEEP_ALIVE_S = 10
_LONGEST_PAUSE_S = 30
_MOST_QUEUED = 100
_CLOSE_TIMEOUT_S = 1.0

Handler = Callable[[str, bytes], None]


class BrokerError(UserError):
    """The password or the certificate for the broker cannot be used."""


class Broker:
    """Publishes on one broker; while it is away nothing is kept but what is retained."""

    def __init__(self, section: MqttSection, status: str) -> None:
        """Begin to connect; `status` is the topic that says whether this daemon is there.

        Raises:
            BrokerError: the password or the certificate cannot be used.
        """
        self.address = f"{section.host}:{section.port}"
        self.problem: str | None = f"{self.address} has not answered yet"
        """Why nothing is published; `None` when all is well."""
        self.published = 0
        self.dropped = 0
        """Scores that were not sent because the broker was away."""
        self._status = status
        self._retained: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._subscriptions: dict[str, Handler] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(_MOST_QUEUED)
        self._client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
        self._client.will_set(status, b"offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_connect_fail = self._failed
        self._client.on_message = self._received
        if section.username is not None:
            self._client.username_pw_set(section.username, _password(section.password_file))
        if section.tls:
            try:
                context = ssl.create_default_context(cafile=section.tls_ca)
            except (OSError, ssl.SSLError) as error:
                raise BrokerError(f"mqtt.tls_ca: {section.tls_ca} cannot be used: {error}") from error
            self._client.tls_set_context(context)
        self._client.connect_async(section.host, section.port, _KEEP_ALIVE_S)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish; what is retained is sent again whenever the broker comes back, and not twice the same."""
        content = payload.encode() if isinstance(payload, str) else payload
        if retain:
            with self._lock:
                if self._retained.get(topic) == content:
                    return
                self._retained[topic] = content
        if self.problem is None:
            self._client.publish(topic, content, qos=int(retain), retain=retain)
            self.published += 1
        elif not retain:
            self.dropped += 1

    def forget(self, topic: str) -> None:
        """Take back what is retained on a topic."""
        with self._lock:
            self._retained.pop(topic, None)
        self._client.publish(topic, b"", qos=1, retain=True)

    def subscribe(self, pattern: str, handler: Handler) -> None:
        """Have `handler` called with topic and content of what comes; on a thread of the connection."""
        with self._lock:
            self._subscriptions = {**self._subscriptions, pattern: handler}
            connected = self.problem is None
        if connected:
            self._client.subscribe(pattern, qos=1)

    def close(self) -> None:
        """Say that the daemon is gone, and leave."""
        if self.problem is None:
            self._client.publish(self._status, b"offline", qos=1, retain=True).wait_for_publish(
                _CLOSE_TIMEOUT_S
            )
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self, client: paho.Client, _: Any, flags: paho.ConnectFlags, code: ReasonCode, __: Properties | None
    ) -> None:
        if code.is_failure:
            self.problem = f"{self.address} refuses the connection: {code}"
            return
        client.publish(self._status, b"online", qos=1, retain=True)
        with self._lock:
            self.problem = None
            for pattern in self._subscriptions:
                client.subscribe(pattern, qos=1)
            for topic, content in self._retained.items():
                client.publish(topic, content, qos=1, retain=True)

    def _disconnected(
        self,
        client: paho.Client,
        _: Any,
        flags: paho.DisconnectFlags,
        code: ReasonCode,
        __: Properties | None,
    ) -> None:
        if code.is_failure and self.problem is None:
            self.problem = f"{self.address} is gone: {code}; trying again"

    def _failed(self, client: paho.Client, _: Any) -> None:
        self.problem = f"{self.address} does not answer; trying again"

    def _received(self, client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        for pattern, handler in self._subscriptions.items():
            if paho.topic_matches_sub(pattern, message.topic):
                handler(message.topic, bytes(message.payload))


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise BrokerError(f"mqtt.password_file: {path} is open to others; run `chmod 600 {path}`")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(f"mqtt.password_file: {path} cannot be read: {error}") from error
