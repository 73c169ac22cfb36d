"""What the bus adds between a feature and who reads it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import typer
import zmq

from models.demo_clip import demo_clip
from stream.bus import Inbox
from stream.clock import now_ns
from stream.run_folder import run_folder
from workers.bench.player import Player
from workers.bench.recorded import recorded
from workers.bench.recording import FEATURE_TOPICS, Recording
from workers.bench.tables import out, print_machine, table
from workers.bench.timing import percentile
from workers.cli.common import file_config

_START_TIMEOUT_S = 120.0
_QUIET_S = 0.5
_BYTES, _RATE_HZ = 2200, 25


def bus(
    sources: Annotated[int, typer.Option(help="How many are replayed at once.")] = 1,
    seconds: Annotated[float, typer.Option(help="For how long.")] = 20.0,
    file: Annotated[Path | None, typer.Option(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """Measure what the bus adds between a feature and who reads it.

    Replays recorded features in real time to a process that does nothing but read and decode them. The time
    is from before a message is encoded to after it was decoded there. The last row is what ZeroMQ takes on
    this machine for as many bytes as a face, with nothing of ours around it.

      python -m workers.bench bus
    """
    print_machine()
    clip = demo_clip() if file is None else file
    config = file_config(clip)
    found = table(f"{sources} source(s), {seconds:g} s", "topic", "messages", "p50 ms", "p99 ms", "most ms")
    measured = cross(recorded(file, config), sources, seconds)
    measured[f"ZeroMQ alone, {_BYTES} bytes"] = cross_alone(seconds)
    for topic, taken in measured.items():
        numbers = (percentile(taken, 50), percentile(taken, 99), max(taken))
        found.add_row(topic, str(len(taken)), *(f"{number:.2f}" for number in numbers))
    out.print(found)


def cross(recording: Recording, sources: int, seconds: float) -> dict[str, list[float]]:
    """Return, by topic, how many milliseconds each message took from one process to another."""
    folder = run_folder(f"bench-{os.getpid()}")
    names = [f"s{number}" for number in range(sources)]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        player = Player(recording, folder, names)
        stack.callback(player.close)
        reader = context.Process(target=_read, args=(folder, names, theirs), daemon=True)
        reader.start()
        stack.callback(reader.join, 5)
        deadline_ns = now_ns() + round(_START_TIMEOUT_S * 1e9)
        player.wait_for_reader(lambda: reader.is_alive() and now_ns() < deadline_ns)
        player.play(seconds)
        ours.send("enough")
        received = ours.recv()
    taken: dict[str, list[float]] = defaultdict(list)
    for (topic, name), times_ns in received.items():
        sent_ns = player.began_ns(topic, name)
        taken[topic] += [(there - here) / 1e6 for here, there in zip(sent_ns, times_ns, strict=False)]
    return {topic: taken[topic] for topic in FEATURE_TOPICS if taken[topic]}


def cross_alone(seconds: float) -> list[float]:
    """Return how many milliseconds bare messages took from one process to another, 25 of them a second."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with (
        tempfile.TemporaryDirectory(prefix="emostream-") as folder,
        zmq.Context() as transport,
        transport.socket(zmq.XPUB) as publisher,
    ):
        endpoint = f"ipc://{folder}/alone"
        publisher.bind(endpoint)
        reader = context.Process(target=_read_alone, args=(endpoint, theirs), daemon=True)
        reader.start()
        publisher.poll(round(_START_TIMEOUT_S * 1000))  # for its subscription
        body = bytes(_BYTES)
        for _ in range(round(seconds * _RATE_HZ)):
            time.sleep(1 / _RATE_HZ)
            publisher.send_multipart([b"%d" % now_ns(), body])
        publisher.send_multipart([b"", b""])
        taken: list[float] = ours.recv()
        reader.join(5)
    return taken


def _read_alone(endpoint: str, pipe: Connection) -> None:
    taken = []
    with zmq.Context() as transport, transport.socket(zmq.SUB) as subscriber:
        subscriber.subscribe(b"")
        subscriber.connect(endpoint)
        while sent := subscriber.recv_multipart()[0]:
            taken.append((now_ns() - int(sent)) / 1e6)
    pipe.send(taken)


def _read(folder: Path, names: list[str], pipe: Connection) -> None:
    """Read until told to stop, and all that comes; then say when each was decoded, by topic and source."""
    inbox = Inbox(folder)
    for topic in FEATURE_TOPICS:
        inbox.subscribe(topic, names)
    received: dict[tuple[str, str], list[int]] = defaultdict(list)
    quiet = False
    while not quiet or not pipe.poll():
        batch = inbox.receive(_QUIET_S)
        quiet = not batch
        for each in batch:
            received[each.topic, each.message.source].append(now_ns())
    pipe.send(dict(received))
    inbox.close()
