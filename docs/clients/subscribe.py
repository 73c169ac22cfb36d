"""Prints what an emostream daemon publishes; plain pyzmq, nothing of emostream itself.

    pip install pyzmq             (and msgspec, for a daemon with `stream.format: msgpack`)
    python subscribe.py --endpoint tcp://127.0.0.1:5557 --count 20
    python subscribe.py --endpoint tcp://HOST:5557 --key laptop.key --server-key KEY     (stream.curve: true)

The messages are described in docs/protocol.md.
"""
# ruff: noqa: T201

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import zmq


def decode(body: bytes) -> dict[str, Any]:
    """Return a message; its first byte tells JSON from MessagePack."""
    if body[:1] == b"{":
        return dict(json.loads(body))
    import msgspec  # noqa: PLC0415 - not needed for JSON; any MessagePack library will do

    return dict(msgspec.msgpack.decode(body))


def describe(message: dict[str, Any]) -> str:
    """Return the nearest emotion and what speaks for it, or why there is no score."""
    evidence = message["evidence"].items()
    if not message["emotions"]:
        return "no evidence: " + "; ".join(f"{name}: {item['why']}" for name, item in evidence)
    nearest = min(message["emotions"], key=lambda emotion: emotion["distance"])
    used = ", ".join(name for name, item in evidence if item["used"])
    return f"{nearest['name']} at distance {nearest['distance']:.2f}, from {used}"


def main() -> None:
    """Print a line a message."""
    parser = argparse.ArgumentParser(description="Print what an emostream daemon publishes.")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5557", help="its `stream.endpoint`")
    parser.add_argument("--key", type=Path, help="file of your pair of keys, from `emostream keys new NAME`")
    parser.add_argument("--server-key", help="the daemon's public key, from `emostream keys list`")
    parser.add_argument("--count", type=int, help="stop after so many messages")
    options = parser.parse_args()

    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.subscribe("emotion.")
    if options.key:
        pair = json.loads(options.key.read_text())
        socket.curve_publickey, socket.curve_secretkey = pair["public"].encode(), pair["secret"].encode()
        socket.curve_serverkey = options.server_key.encode()
    socket.connect(options.endpoint)
    last_seq: dict[str, int] = {}
    for _ in itertools.repeat(None) if options.count is None else range(options.count):
        _topic, body = socket.recv_multipart()
        message = decode(body)
        source, seq = message["source"], message["seq"]
        missed = seq - last_seq.get(source, seq - 1) - 1
        if missed > 0:  # a smaller seq than the last one is a restart, not a gap
            print(f"{source}: {missed} messages missed before seq {seq}")
        last_seq[source] = seq
        print(f"{source}: {describe(message)}", flush=True)


if __name__ == "__main__":
    main()
