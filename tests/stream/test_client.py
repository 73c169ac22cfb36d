"""Subscribers get typed messages, hear of gaps, and come back after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import zmq

from stream import EmotionMessage, HealthMessage, NoMessageError, subscribe
from stream.client import Gap
from stream.public import EmotionScore, Evidence, Latency, WindowSpan, encode_public
from stream.public_socket import PublicSocket


def emotion(seq, model="live@1", *, source="desk"):
    return EmotionMessage(
        source=source,
        seq=seq,
        time_ns=1,
        wall_time="2026-11-22T10:00:03.250Z",
        window=WindowSpan(start_ns=0, end_ns=1),
        vocabulary="ekman@5c1e",
        model=model,
        backend="onnxruntime",
        degraded=None,
        emotions=[
            EmotionScore(name="joy", distance=0.3, probability=0.7, smoothed=0.6, by_modality={"face": 0.3})
        ],
        evidence={"face": Evidence(used=True, coverage=1.0, age_ms=3.0)},
        latency_ms=Latency(capture_to_score=3.0, inference=1.0),
    )


def health(seq):
    return HealthMessage(
        name="emostream",
        seq=seq,
        time_ns=1,
        wall_time="2026-11-22T10:00:03.250Z",
        version="0",
        vocabulary="ekman@5c1e",
        vocabulary_error=None,
        degraded=None,
        sources=[],
        workers=[],
        topics=[],
    )


@pytest.fixture(params=["json", "msgpack"])
def daemon(request, run_folder):
    """A public socket that repeats what the test gives it until somebody has heard it."""
    endpoint = f"ipc://{run_folder}/public"
    socket = PublicSocket(endpoint, request.param)
    messages: list[EmotionMessage | HealthMessage] = []
    stop = threading.Event()

    def publish():
        while not stop.wait(0.02):
            for message in messages:
                socket.send(message)

    thread = threading.Thread(target=publish)
    thread.start()
    yield endpoint, messages
    stop.set()
    thread.join()
    socket.close()


def test_messages_arrive_typed_whatever_the_encoding(daemon):
    endpoint, messages = daemon
    messages.append(emotion(0))
    with subscribe(endpoint=endpoint, timeout_s=20) as stream:
        assert next(stream) == emotion(0)


def test_async_works_the_same(daemon):
    endpoint, messages = daemon
    messages.append(emotion(0))

    async def first():
        with subscribe(endpoint=endpoint, timeout_s=20) as stream:
            async for message in stream:
                return message

    assert asyncio.run(first()) == emotion(0)


def test_only_the_kinds_and_the_source_asked_for_come(daemon):
    endpoint, messages = daemon
    messages += [emotion(0, source="desk2"), health(0), emotion(0, source="desk")]
    with subscribe(EmotionMessage, endpoint=endpoint, source="desk", timeout_s=20) as stream:
        assert {next(stream).source for _ in range(5)} == {"desk"}
    with subscribe(HealthMessage, endpoint=endpoint, timeout_s=20) as stream:
        assert isinstance(next(stream), HealthMessage)


def first_message(stream, socket, message):
    """Send `message` until it comes, so that whatever follows comes too; return it."""
    came = threading.Event()

    def repeat():
        while not came.wait(0.02):
            socket.send(message)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        return next(stream)
    finally:
        came.set()
        thread.join()


def test_a_gap_is_reported_by_its_size(run_folder):
    endpoint = f"ipc://{run_folder}/public"
    socket = PublicSocket(endpoint, "json")
    gaps: list[Gap] = []
    with subscribe(endpoint=endpoint, timeout_s=20, on_gap=gaps.append) as stream:
        first_message(stream, socket, emotion(4))
        for seq in (5, 9, 0, 1):
            socket.send(emotion(seq))
        seqs = [4]
        while seqs[-1] != 1:
            seqs.append(next(stream).seq)
        assert sorted(set(seqs), key=seqs.index) == [4, 5, 9, 0, 1]
        assert gaps == [Gap("emotion.desk", 5, 3)], "counting from 0 again is a restart, not a gap"
        assert stream.missed == 3
    socket.close()


def test_a_subscriber_that_stops_reading_loses_what_it_counts_and_costs_the_others_nothing(run_folder):
    endpoint = f"ipc://{run_folder}/public"
    socket = PublicSocket(endpoint, "json")
    long = "x" * 2000
    last = 6000
    with (
        subscribe(endpoint=endpoint, timeout_s=20) as stopped,
        subscribe(endpoint=endpoint, timeout_s=20) as reader,
    ):
        first_message(stopped, socket, emotion(0, long))
        first_message(reader, socket, emotion(0, long))
        for seq in range(1, last):
            socket.send(emotion(seq, long))
            if seq % 100 == 0:
                while next(reader).seq < seq:
                    pass
        assert reader.missed == 0
        received, seq = 0, 0
        with contextlib.suppress(NoMessageError):
            while seq < last - 1:
                socket.send(emotion(last - 1, long))  # the gap at the end shows once something comes after it
                message = next(stopped)
                received += message.seq > seq
                seq = message.seq
        assert seq == last - 1
        assert stopped.missed == last - 1 - received > 0
    socket.close()


def test_it_connects_again_when_the_daemon_restarts(run_folder):
    endpoint = f"ipc://{run_folder}/public"
    with subscribe(endpoint=endpoint, timeout_s=0.1) as stream:
        for _ in range(2):
            socket = PublicSocket(endpoint, "json")
            message = None
            deadline = time.monotonic() + 20
            while message is None and time.monotonic() < deadline:
                socket.send(emotion(0))
                try:
                    message = next(stream)
                except NoMessageError:
                    continue
            assert message == emotion(0)
            socket.close()
            while True:
                try:
                    next(stream)
                except NoMessageError:
                    break


def test_silence_names_the_remedy(run_folder):
    with (
        subscribe(endpoint=f"ipc://{run_folder}/nobody", timeout_s=0.05) as stream,
        pytest.raises(NoMessageError, match="emostream run"),
    ):
        next(stream)


def test_garbage_is_counted_and_skipped(run_folder):
    endpoint = f"ipc://{run_folder}/public"
    garbage = [(b"emotion.desk", data) for data in (b"{", b"\xc1", b'{"source": 7}', b"", b"[" * 5000)]
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
    socket.bind(endpoint)
    with subscribe(endpoint=endpoint, timeout_s=20) as stream, ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, stream)
        assert socket.poll(20_000), "nobody subscribed"
        for parts in (*garbage, [b"emotion.desk"]):
            socket.send_multipart(parts)
        socket.send_multipart([b"emotion.desk", encode_public(emotion(0), "json")])
        assert coming.result() == emotion(0)
        assert stream.malformed == 6
    socket.close(0)
