"""A worker that is forked from a process that keeps its models is stopped, killed and watched like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workers.fork_server import ForkServer

START_S = 60.0
SERVER = """
import os, signal, socket, sys, threading, time
from workers.fork_server import serve_forks

file, *doings = {arguments!r}
if "slow" in doings:
    time.sleep(600)
if "threads" in doings:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
loaded = os.getpid()
serve_forks(socket.socket(fileno=int(sys.argv[1])))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
with open(file, "a") as lives:
    lives.write(f"{{loaded}} {{os.getpid()}}\\n")
time.sleep(600)
"""


@pytest.fixture
def lives(tmp_path: Path) -> Callable[[], list[tuple[int, int]]]:
    """Return a function that tells of every worker there was: the pid that loaded its models, and its own."""

    def read() -> list[tuple[int, int]]:
        file = tmp_path / "lives"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(loaded), int(own)) for loaded, own in map(str.split, lines)]

    return read


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ForkServer]]:
    """Return a function that starts a server that notes every fork of it in a file."""
    started: list[ForkServer] = []

    def make(*doings: str) -> ForkServer:
        code = SERVER.format(arguments=[str(tmp_path / "lives"), *doings])
        command = [sys.executable, "-c", code]
        server = ForkServer(lambda forks: subprocess.Popen([*command, str(forks)], pass_fds=[forks]))
        started.append(server)
        return server

    yield make
    for server in started:
        server.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_worker_that_was_killed_is_forked_again_from_the_same_models(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start()
    server.fork()
    until(lambda: [server.pid] == [own for _, own in lives()])
    assert server.poll() is None
    server.send_signal(signal.SIGKILL)
    assert server.wait(START_S) == -signal.SIGKILL
    assert server.alive
    server.fork()
    until(lambda: len(lives()) == 2)
    (loaded, first), (loaded_again, second) = lives()
    assert loaded == loaded_again
    assert len({loaded, first, second}) == 3
    assert server.pid == second
    assert server.poll() is None


def test_a_signal_reaches_the_worker_and_its_status_comes_back(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start()
    server.fork()
    until(lambda: [server.pid] == [own for _, own in lives()])
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(0.05)
    server.send_signal(signal.SIGTERM)
    assert server.wait(START_S) == 7
    server.send_signal(signal.SIGTERM)  # to nobody, and nobody minds
    assert server.alive


def test_when_the_server_is_killed_so_is_its_worker(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start()
    server.fork()
    until(lambda: [server.pid] == [own for _, own in lives()])
    server.kill()
    assert server.wait(START_S) == -signal.SIGKILL
    assert not server.alive
    (_, own) = lives()[0]
    until(lambda: is_gone(own))


def test_a_server_that_hangs_can_be_ended_with_its_worker(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start()
    server.fork()
    until(lambda: len(lives()) == 1)
    ((loaded, own),) = lives()
    os.kill(loaded, signal.SIGSTOP)
    os.kill(own, signal.SIGKILL)
    assert server.poll() is None, "nobody can say so"
    server.kill()
    assert server.wait(START_S) == -signal.SIGKILL


def test_closing_leaves_nothing_behind(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start()
    server.fork()
    until(lambda: len(lives()) == 1)
    server.close()
    until(lambda: all(is_gone(pid) for pid in lives()[0]))


def test_while_it_loads_a_signal_goes_to_the_server(start: Callable[..., ForkServer]) -> None:
    server = start("slow")
    server.fork()
    assert server.poll() is None
    server.send_signal(signal.SIGTERM)
    assert server.wait(START_S) == -signal.SIGTERM
    assert not server.alive


def test_models_with_threads_are_not_forked_but_used_where_they_are(
    start: Callable[..., ForkServer], lives: Callable[[], list[tuple[int, int]]]
) -> None:
    server = start("threads")
    server.fork()
    until(lambda: len(lives()) == 1)
    (loaded, own) = lives()[0]
    assert loaded == own == server.pid
    server.send_signal(signal.SIGTERM)
    assert server.wait(START_S) == 7
    assert not server.alive
