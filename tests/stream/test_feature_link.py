"""Features from host to host: what is lost is counted, and what is malformed as well; nothing else gets through."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stream.feature_link import FeaturePublisher, FeatureReader
from stream.keys import DAEMON, allow, key_file, make_pair, read_pair
from stream.messages import AnyMessage, End, Face, FaceFeatures, WorkerState, encode
from tests.stream.guarded import free_endpoint


def face(number: int, source: str = "desk") -> FaceFeatures:
    vector = np.full(4, number, np.float32)
    return FaceFeatures(
        source=source,
        time_ns=number,
        spec="face@1",
        through_ns=number,
        faces=[Face(track=1, box=(0.0, 0.0, 1.0, 1.0), vector=vector)],
    )


@pytest.fixture
def link(tmp_path: Path) -> Iterator[tuple[FeaturePublisher, FeatureReader]]:
    """Give both ends, connected."""
    own = make_pair(tmp_path / "near", DAEMON)
    allow(tmp_path / "far", "near", own.public)
    make_pair(tmp_path / "far", DAEMON)
    endpoint = free_endpoint()
    publisher = FeaturePublisher(endpoint, tmp_path / "far")
    server_key = read_pair(key_file(tmp_path / "far", DAEMON)).public
    reader = FeatureReader(endpoint, own, server_key, "desk")
    state = WorkerState(source="", time_ns=0, worker="face", state="ready")
    deadline = time.monotonic() + 60
    while not reader.receive(0.05):
        assert time.monotonic() < deadline
        publisher.send("state", "face", state)
    yield publisher, reader
    reader.close()
    publisher.close()


def receive(reader: FeatureReader, count: int) -> list[AnyMessage]:
    """Return the next `count` messages that are no states, of which several may have been sent while connecting."""
    found: list[AnyMessage] = []
    deadline = time.monotonic() + 60
    while len(found) < count:
        assert time.monotonic() < deadline
        found += [each.message for each in reader.receive(0.05) if each.topic != "state"]
    return found


def test_features_arrive_whole_and_in_order(link: tuple[FeaturePublisher, FeatureReader]) -> None:
    publisher, reader = link
    sent: list[AnyMessage] = [face(number) for number in range(5)]
    sent.append(End(source="desk", time_ns=9, why="end of file"))
    for message in sent:
        publisher.send("face", "desk", message)
    assert [encode(message) for message in receive(reader, 6)] == [encode(message) for message in sent]
    assert (reader.lost, reader.malformed) == (0, 0)


def test_another_source_is_not_received_even_if_its_name_begins_alike(
    link: tuple[FeaturePublisher, FeatureReader],
) -> None:
    publisher, reader = link
    publisher.send("face", "desk2", face(1, "desk2"))
    publisher.send("face", "door", face(2, "door"))
    publisher.send("face", "desk", face(3))
    (message,) = receive(reader, 1)
    assert message.time_ns == 3
    assert reader.malformed == 0


@pytest.mark.parametrize(
    "parts",
    [
        [b"face.desk"],
        [b"face.desk", bytes(23), encode(face(1))],
        [b"face.desk", bytes(24), b"garbage"],
        [b"face.desk", b"\xff" * 24, encode(face(1))],
        [b"face.desk", bytes(24), encode(face(1, "door"))],
        [b"voice.desk", bytes(24), encode(face(1))],
        [b"face.desk", bytes(24), encode(face(1)), b"more"],
    ],
)
def test_what_is_malformed_is_counted_and_dropped(
    link: tuple[FeaturePublisher, FeatureReader], parts: list[bytes]
) -> None:
    publisher, reader = link
    publisher.guarded.send(parts)
    publisher.send("face", "desk", face(7))
    (message,) = receive(reader, 1)
    assert message.time_ns == 7
    assert reader.malformed == 1


def test_what_is_lost_is_counted(link: tuple[FeaturePublisher, FeatureReader]) -> None:
    publisher, reader = link
    publisher.send("face", "desk", face(0))
    receive(reader, 1)
    count, deadline = 3000, time.monotonic() + 60
    while not reader.lost:  # how much the two queues and the system's buffers between them hold differs
        assert time.monotonic() < deadline
        for number in range(count):
            publisher.send("face", "desk", face(number))
            publisher.guarded.send([b"face.desk", bytes(24), bytes(4096)])
        while reader.receive(0.2):
            pass
        publisher.send("face", "desk", face(9))  # a gap shows in what comes after it
        receive(reader, 1)
        count *= 2
