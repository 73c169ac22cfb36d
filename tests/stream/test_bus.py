"""The bus: newest wins or everything queues, nothing is lost unseen, and garbage harms nobody."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import zmq

from stream.bus import BusError, Inbox, Publisher, Received
from stream.messages import End, Frame, Pcm
from stream.topics import TOPICS, ipc_endpoint

NEVER = threading.Event()


def frame(number, side=2):
    image = np.full((side, side, 3), number, np.uint8)
    return Frame(source="desk", time_ns=number, next_ns=number + 1, image=image)


def pcm(number):
    return Pcm(source="desk", time_ns=number, samples=np.zeros(800, np.int16))


def pair(run_folder, topic, *, lossless=False):
    publisher = Publisher(run_folder, topic, "desk", lossless=lossless)
    inbox = Inbox(run_folder, lossless=lossless)
    inbox.subscribe(topic, ["desk"])
    assert publisher.wait_for_readers(1, NEVER, timeout_s=20)
    return publisher, inbox


def batches_until_end(inbox) -> list[list[Received]]:
    batches: list[list[Received]] = []
    while not batches or not isinstance(batches[-1][-1].message, End):
        batch = inbox.receive(20)
        assert batch, "nothing came for 20 s"
        batches.append(batch)
    return batches


def receive_until_end(inbox) -> list[Received]:
    return [received for batch in batches_until_end(inbox) for received in batch]


def end(time_ns):
    return End(source="desk", time_ns=time_ns, why="end of file")


@pytest.fixture
def newest(run_folder):
    publisher, inbox = pair(run_folder, "frame")
    yield publisher, inbox
    publisher.close()
    inbox.close()


@pytest.fixture
def queued(run_folder):
    publisher, inbox = pair(run_folder, "pcm")
    yield publisher, inbox
    publisher.close()
    inbox.close()


def test_a_slow_reader_of_frames_gets_the_newest_and_counts_the_rest(newest):
    publisher, inbox = newest
    for number in range(5):
        publisher.send(frame(number))
    publisher.send(end(5))
    time.sleep(0.2)
    batches = batches_until_end(inbox)
    frames = [[r for r in batch if isinstance(r.message, Frame)] for batch in batches]
    assert max(map(len, frames)) == 1, "never an old one together with a newer one"
    received = [r for batch in frames for r in batch]
    assert received[-1].message.time_ns == 4
    dropped = sum(r.dropped for r in received)
    assert len(received) + dropped == 5
    assert inbox.counts()["frame.desk"].dropped == dropped


@pytest.mark.parametrize(("lossless", "count"), [(True, 31), (False, 2)])
def test_a_publisher_that_ends_stays_until_a_slow_reader_has_the_end(run_folder, lossless, count):
    publisher, inbox = pair(run_folder, "frame", lossless=lossless)

    def publish():
        for number in range(30):
            publisher.send(frame(number, side=800))  # more than all queues on the way hold
        publisher.send(end(30))
        taken.append(publisher.await_end(NEVER))
        publisher.close()

    taken: list[bool] = []
    thread = threading.Thread(target=publish)
    thread.start()
    time.sleep(1)
    received = receive_until_end(inbox)
    inbox.close()
    thread.join()
    assert taken == [True]
    assert len(received) >= count
    assert len(received) + sum(r.dropped for r in received) == 31


def test_the_last_frame_is_not_skipped_for_the_end(newest):
    publisher, inbox = newest
    publisher.send(frame(1))
    publisher.send(end(2))
    time.sleep(0.2)
    assert [type(r.message).__name__ for r in receive_until_end(inbox)] == ["Frame", "End"]


def test_audio_queues(queued):
    publisher, inbox = queued
    for number in range(200):
        publisher.send(pcm(number))
    publisher.send(end(200))
    received = receive_until_end(inbox)
    assert [r.message.time_ns for r in received[:-1]] == list(range(200))
    assert inbox.counts()["pcm.desk"].dropped == 0


def test_beyond_the_high_water_mark_every_lost_message_is_counted(queued):
    publisher, inbox = queued
    count = 20 * TOPICS["pcm"].high_water_mark
    for number in range(count):
        publisher.send(pcm(number))
    publisher.send(end(count))
    thread = threading.Thread(target=publisher.await_end, args=(NEVER,))
    thread.start()
    received = receive_until_end(inbox)
    thread.join()
    counts = inbox.counts()["pcm.desk"]
    assert counts.received + counts.dropped == count + 1
    assert counts.dropped > 0
    assert sum(r.dropped for r in received) == counts.dropped


def test_lossless_waits_for_the_slowest_reader(run_folder):
    publisher, inbox = pair(run_folder, "frame", lossless=True)

    def publish():
        for number in range(300):
            publisher.send(frame(number % 256))
        publisher.send(end(300))

    thread = threading.Thread(target=publish)
    thread.start()
    time.sleep(0.3)
    received = receive_until_end(inbox)
    thread.join()
    assert len(received) == 301
    assert inbox.counts()["frame.desk"].dropped == 0
    publisher.close()
    inbox.close()


def test_a_publisher_that_comes_back_is_heard_again_and_its_new_numbers_are_no_gap(run_folder):
    publisher, inbox = pair(run_folder, "pcm")
    for number in range(3):
        publisher.send(pcm(number))
    times_ns: list[int] = []
    while 2 not in times_ns:
        batch = inbox.receive(20)
        assert batch, "nothing came for 20 s"
        times_ns += [received.message.time_ns for received in batch]
    publisher.close()
    publisher = Publisher(run_folder, "pcm", "desk")
    deadline = time.monotonic() + 20
    while 9 not in times_ns and time.monotonic() < deadline:
        publisher.send(pcm(9))
        times_ns += [received.message.time_ns for received in inbox.receive(0.05)]
    assert 9 in times_ns
    assert inbox.counts()["pcm.desk"].dropped == 0, (
        "what was sent before it joined again is no drop of its own"
    )
    publisher.close()
    inbox.close()


def test_readers_that_leave_are_no_longer_waited_for(run_folder):
    publisher, inbox = pair(run_folder, "pcm")
    inbox.close()
    deadline = time.monotonic() + 20
    while publisher.readers and time.monotonic() < deadline:
        publisher.wait_for_readers(1, NEVER, timeout_s=0.1)
    assert publisher.readers == 0
    publisher.close()


@pytest.mark.parametrize(
    "parts", [[b""], [b"short", b"x"], [bytes(17), b"\xc1"], [bytes(17), b"x", b"y"], [b"a" * 17, b""]]
)
def test_garbage_is_counted_and_dropped(run_folder, parts):
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
    socket.bind(ipc_endpoint(run_folder, "pcm", "desk"))
    inbox = Inbox(run_folder)
    inbox.subscribe("pcm", ["desk"])
    socket.recv()
    socket.send_multipart(parts)
    assert inbox.receive(60) == []
    assert inbox.counts()["pcm.desk"].malformed == 1
    socket.close(0)
    inbox.close()


def test_a_message_of_another_topic_is_refused(queued):
    publisher, inbox = queued
    publisher.send(frame(1))
    assert inbox.receive(60) == []
    assert inbox.counts()["pcm.desk"].malformed == 1


def test_a_path_too_long_for_a_socket_names_the_remedy(run_folder):
    with pytest.raises(ValueError, match="XDG_RUNTIME_DIR"):
        ipc_endpoint(run_folder / ("x" * 100), "pcm", "desk")


def test_a_port_in_use_is_one_clear_error(run_folder):
    from stream.public_socket import PublicSocket

    first: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
    port = first.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(BusError, match=rf"127.0.0.1:{port} is in use.*stream.endpoint"):
        PublicSocket(f"tcp://127.0.0.1:{port}", "json")
    first.close(0)
