"""A publisher that admits only the clients of an allow list: CURVE (rfc.zeromq.org/spec/26) with ZAP.

ZAP asks once, when a client connects. So when a key leaves the list the endpoint is bound anew, which ends
every connection; the clients that may stay come back by themselves and see a gap.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

from stream.bus import MAX_FROM_READER_BYTES, bind
from stream.errors import UserError
from stream.file_watch import FileWatch
from stream.keys import ALLOWED, DAEMON, key_file, read_allowed, read_pair

_DOMAIN = "emostream"
_LINGER_MS = 500
_REBIND_TIMEOUT_S = 15.0
_HANDSHAKE_MS = 5000
_REFUSALS = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class GuardedPublisher:
    """A PUB socket on `endpoint` for the clients whose keys are in `keys / "allowed_keys"`.

    The allow list is read again when it changes; a bad edit changes nothing but `error`. Call `poll` about
    once a second, and `close` in any case.
    """

    def __init__(self, endpoint: str, keys: Path, high_water_mark: int) -> None:
        """Bind `endpoint`.

        Raises:
            BusError: it is in use or not permitted.
            KeyFileError: the daemon's pair or the allow list cannot be used.
        """
        self._endpoint = endpoint
        pair = read_pair(key_file(keys, DAEMON))
        self._own = pair.public
        self._allowed = FileWatch(keys / ALLOWED, lambda path: frozenset(read_allowed(path).values()))
        self.refused = 0
        """Connections that were not admitted: without a key, with a wrong one, with one not in the list."""
        # A context has one authenticator; this one is of no concern to the other sockets of the process.
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve_callback(_DOMAIN, self)
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.SNDHWM, high_water_mark)
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_FROM_READER_BYTES)
        self._socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        self._socket.setsockopt(zmq.IPV6, int("[" in endpoint))
        self._socket.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN.encode())
        self._socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without an authenticator nobody gets in
        self._socket.curve_server = True
        self._socket.curve_secretkey = pair.secret.encode()
        try:
            bind(self._socket, endpoint)
        except UserError:
            self.close()
            raise
        self._monitor = self._socket.get_monitor_socket(_REFUSALS)

    @property
    def error(self) -> str | None:
        """Why the allow list as it is now is not in use."""
        return self._allowed.error

    def callback(self, domain: str, key: bytes) -> bool:
        """Return whether the client with the public key `key` is admitted; the authenticator asks this."""
        # The daemon's own workers, which hand the stream on, show its own key.
        return key.decode() == self._own or key.decode() in self._allowed.current

    def send(self, parts: Sequence[bytes]) -> None:
        """Publish a message; a client that does not keep up loses it."""
        self._socket.send_multipart(parts)

    def poll(self) -> bool:
        """Count refusals and read the allow list again; return whether it changed."""
        while self._monitor.poll(0):
            recv_monitor_message(self._monitor)
            self.refused += 1
        before = self._allowed.current
        if not self._allowed.poll() or self._allowed.current == before:
            return False
        if before - self._allowed.current:
            self._bind_anew()
        return True

    def close(self) -> None:
        """Close the socket; what is queued is still delivered for half a second."""
        if self._context.closed:
            return
        if not self._socket.closed:
            self._socket.disable_monitor()
            self._monitor.close(0)
            self._socket.close()
        self._authenticator.stop()
        self._context.term()

    def _bind_anew(self) -> None:
        # Nothing that is queued goes to a client that has to leave.
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.unbind(self._socket.getsockopt_string(zmq.LAST_ENDPOINT))
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        deadline = time.monotonic() + _REBIND_TIMEOUT_S
        while True:
            try:
                self._socket.bind(self._endpoint)
                return
            except zmq.ZMQError as error:  # the old listener goes in a thread of ZeroMQ's
                if error.errno != zmq.EADDRINUSE or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
