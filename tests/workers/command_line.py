"""Runs `emostream` as a user does, and stands in for a daemon's public stream."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from stream.public import PublicMessage, encode_public, public_topic

EMOSTREAM = [sys.executable, "-m", "workers.cli.main"]
_ENVIRONMENT = {"COLUMNS": "200", "NO_COLOR": "1"}


@dataclass
class Outcome:
    """What became of a command."""

    status: int
    out: str
    err: str


def emostream(
    *arguments: str,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    timeout_s: float = 240,
) -> Outcome:
    """Run `emostream` with `arguments` in `folder`, without a terminal, to its end."""
    done = subprocess.run(
        [*EMOSTREAM, *arguments],
        cwd=folder,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def start_emostream(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `emostream` with `arguments`, without a terminal."""
    return subprocess.Popen(
        [*EMOSTREAM, *arguments],
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 240) -> Outcome:
    """Wait for the end of a command."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Outcome(process.returncode, out, err)


@dataclass
class PublicStream:
    """A publisher of public messages on a loopback port of its own."""

    endpoint: str = field(init=False)

    def __post_init__(self) -> None:
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.endpoint = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"

    def wait_for_subscriber(self, topics: int = 1, timeout_s: float = 240) -> None:
        """Wait until somebody has subscribed to `topics` topics."""
        deadline = time.monotonic() + timeout_s
        while topics:
            assert time.monotonic() < deadline, "nobody subscribed"
            if self._socket.poll(100) and self._socket.recv().startswith(b"\x01"):
                topics -= 1

    def publish(self, messages: Iterable[PublicMessage], encoding: str = "json") -> None:
        """Publish `messages`."""
        for message in messages:
            assert encoding in ("json", "msgpack")
            body = encode_public(message, "json" if encoding == "json" else "msgpack")
            self._socket.send_multipart([public_topic(message).encode(), body])

    def close(self) -> None:
        """Stop publishing."""
        self._socket.close(0)


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    return os.environ | _ENVIRONMENT | (extra or {})
