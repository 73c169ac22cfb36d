"""Only those in the allow list receive anything; everybody else is refused, counted, and learns nothing."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
import zmq

from stream import EmotionMessage, NoMessageError, subscribe
from stream.bus import BusError
from stream.client import NoServerKeyError
from stream.guarded_publisher import GuardedPublisher
from stream.keys import ALLOWED, KeyFileError, allow, key_file, read_pair, revoke
from stream.public_socket import PublicSocket
from tests.stream.guarded import SECRET, Guarded, drain, free_endpoint
from tests.workers.public_messages import emotion_message

ZMTP_GREETING_BYTES = 64


@pytest.fixture
def guarded(tmp_path):
    guarded = Guarded(tmp_path / "keys")
    yield guarded
    guarded.close()


def test_a_client_in_the_list_receives(guarded):
    laptop = guarded.client("laptop")
    guarded.publish_until(lambda: laptop.poll(0))
    assert laptop.recv_multipart() == [b"topic", SECRET]
    assert guarded.publisher.refused == 0


@pytest.mark.parametrize("stranger", ["not in the list", "without a key", "another daemon's key"])
def test_a_stranger_receives_nothing_and_is_counted(guarded, stranger):
    laptop = guarded.client("laptop")
    guarded.publish_until(lambda: laptop.poll(0))
    if stranger == "not in the list":
        client = guarded.client("stranger")
    elif stranger == "without a key":
        client = guarded.client(None)
    else:
        client = guarded.client("laptop", server_key=zmq.curve_keypair()[0].decode())
    guarded.publish_until(lambda: guarded.publisher.refused >= 1)
    for _ in range(5):
        guarded.publisher.send([b"topic", SECRET])
    assert not client.poll(200)
    assert laptop.poll(0)


def test_a_plain_peer_is_told_nothing(guarded):
    """What is sent, byte by byte, to one that claims to be an old-fashioned subscriber."""
    laptop = guarded.client("laptop")
    host, port = guarded.endpoint.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.settimeout(0.3)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + bytes(32)
        raw.sendall(greeting + b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB\x00\x01\x01")
        guarded.publish_until(lambda: laptop.poll(0))
        heard = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            while block := raw.recv(4096):
                heard += block
    assert len(heard) <= ZMTP_GREETING_BYTES


def test_what_passes_on_the_wire_cannot_be_read(guarded):
    host, port = guarded.endpoint.removeprefix("tcp://").split(":")
    passed = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        phone = guarded.client("phone", endpoint=f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        near, _ = listener.accept()
        with near, socket.create_connection((host, int(port))) as far:
            near.setblocking(False)
            far.setblocking(False)

            def pass_on() -> int:
                nonlocal passed
                for source, target in ((near, far), (far, near)):
                    with contextlib.suppress(BlockingIOError):
                        block = source.recv(65536)
                        target.sendall(block)
                        passed += block
                return int(phone.poll(0))

            guarded.publish_until(pass_on)
    assert phone.recv_multipart() == [b"topic", SECRET]
    assert len(passed) > 500
    assert SECRET not in passed
    assert b"topic" not in passed


def test_a_revoked_client_stops_receiving_and_the_others_go_on(guarded):
    laptop, phone = guarded.client("laptop"), guarded.client("phone")
    guarded.publish_until(lambda: laptop.poll(0) and phone.poll(0))
    revoke(guarded.folder, "phone")
    guarded.publish_until(lambda: guarded.publisher.refused >= 1)  # it knocks again, in vain
    drain(phone)
    drain(laptop)
    guarded.publish_until(lambda: laptop.poll(0))
    assert not phone.poll(200)


def test_a_revoked_client_that_did_not_read_gets_nothing_of_what_is_published_after(guarded):
    laptop, phone = guarded.client("laptop"), guarded.client("phone")
    guarded.publish_until(lambda: laptop.poll(0) and phone.poll(0))
    for _ in range(3000):
        guarded.publisher.send([b"topic", bytes(4096)])
    revoke(guarded.folder, "phone")
    assert guarded.publisher.poll()
    guarded.publisher.send([b"topic", b"after"])
    late = []
    while phone.poll(300):
        late.append(phone.recv_multipart()[1])
    assert late
    assert b"after" not in late
    drain(laptop)
    guarded.publish_until(lambda: laptop.poll(0) and guarded.publisher.refused >= 1)


def test_a_client_that_is_allowed_later_gets_in_when_it_connects_again(guarded):
    guarded.client("stranger")
    guarded.publish_until(lambda: guarded.publisher.refused >= 1)
    allow(guarded.folder, "stranger", read_pair(key_file(guarded.folder, "stranger")).public)
    guarded.publisher.poll()
    stranger = guarded.client("stranger")
    guarded.publish_until(lambda: stranger.poll(0))


def test_a_broken_allow_list_changes_nothing_but_the_error(guarded):
    laptop = guarded.client("laptop")
    guarded.publish_until(lambda: laptop.poll(0))
    (guarded.folder / ALLOWED).write_text("nonsense\n")
    guarded.publish_until(lambda: guarded.publisher.error is not None)
    assert "allowed_keys:1: not a client" in (guarded.publisher.error or "")
    drain(laptop)
    guarded.publish_until(lambda: laptop.poll(0))


def test_a_client_can_do_nothing_but_subscribe(guarded):
    laptop = guarded.client("laptop")
    chatty = guarded.client("phone", kind=zmq.XSUB)
    chatty.send(b"\x01")
    for _ in range(100):
        chatty.send(b"no subscription at all")
    chatty.send(b"\x01" + bytes(100_000))  # longer than anything a client may send: it is cut off
    guarded.publish_until(lambda: laptop.poll(0))
    assert laptop.recv_multipart() == [b"topic", SECRET]


def test_an_endpoint_in_use_and_missing_keys_are_clear_errors(guarded, tmp_path):
    with pytest.raises(BusError, match="is in use"):
        GuardedPublisher(guarded.endpoint, guarded.folder, 10)
    with pytest.raises(KeyFileError, match="does not exist"):
        GuardedPublisher(free_endpoint(), tmp_path / "nothing", 10)


def test_subscribe_takes_keys(guarded):
    own = key_file(guarded.folder, "laptop")
    public = PublicSocket(endpoint := free_endpoint(), "json", guarded.folder)
    message: EmotionMessage | None = None
    with (
        contextlib.closing(public),
        subscribe(endpoint=endpoint, timeout_s=0.05, key=own, server_key=guarded.server_key) as messages,
    ):
        deadline = time.monotonic() + 60
        while message is None and time.monotonic() < deadline:
            public.send(emotion_message(7))
            with contextlib.suppress(NoMessageError):
                message = next(messages)
    assert message is not None
    assert message.seq == 7


@pytest.mark.parametrize("missing", ["key", "server_key"])
def test_one_key_of_two_is_refused(guarded, missing):
    keys = {"key": key_file(guarded.folder, "laptop"), "server_key": guarded.server_key} | {missing: None}
    with pytest.raises(NoServerKeyError, match="needs both"):
        subscribe(endpoint=guarded.endpoint, **keys)
