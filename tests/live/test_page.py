"""The page of a real daemon that plays a clip: curves, a word added, a worker that dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import psutil
import pytest
from playwright.sync_api import Page, expect

from stream import EmotionMessage
from tests.browser import check_accessibility, drawn, wait_for
from tests.live.conftest import LiveDaemon
from tests.workers.daemon import Daemon


@pytest.fixture
def page(live: LiveDaemon, open_page: Callable[..., Page], complaints: list[str]) -> Iterator[Page]:
    yield open_page(f"http://127.0.0.1:{live.port}/")
    assert complaints == []


def picture(page: Page, canvas: str) -> str:
    """Return what a canvas shows, as a data URL."""
    url: str = page.locator(canvas).first.evaluate("c => c.toDataURL()")
    return url


def test_curves_and_the_face_are_live(page: Page, live: LiveDaemon) -> None:
    expect(page.locator("#state")).to_have_text("Running")
    expect(page.locator("#evidence tbody tr").first).not_to_have_class("off")
    expect(page.locator("#face-text")).to_contain_text("Face ")
    wait_for(page, lambda: drawn(page, "#face canvas") > 500)
    before = picture(page, ".panel canvas")
    wait_for(page, lambda: picture(page, ".panel canvas") != before)
    check_accessibility(page)


def test_a_word_added_on_the_page_is_in_the_stream_within_two_hops(page: Page, live: LiveDaemon) -> None:
    page.get_by_label("Add a word or phrase").fill("left out")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#bars tbody tr")).to_have_count(7)
    expect(page.locator("#bars tbody tr").last).to_contain_text("left out")
    expect(page.locator("#unsaved")).to_contain_text("Tried out")
    draft = (live.daemon.run_folder / "vocabulary.yaml").stat()
    live.daemon.wait_until(lambda: any(map(has_it, live.daemon.emotions)))
    changed = next(filter(has_it, live.daemon.emotions))
    before = [m for m in live.daemon.emotions if m.seq < changed.seq]
    late = [m for m in before[-10:] if to_wall_ns(m.time_ns) > draft.st_ctime_ns]
    assert len(late) <= 2, "windows that were scored without it after it was written"
    assert all(b.seq == a.seq + 1 for a, b in pairwise(live.daemon.emotions))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#hint")).to_contain_text("Saved to")
    assert "left out" in (live.daemon.folder / "words.yaml").read_text()


def has_it(message: EmotionMessage) -> bool:
    return bool(message.emotions) and message.emotions[-1].name == "left out"


def to_wall_ns(time_ns: int) -> int:
    return time_ns + time.time_ns() - time.monotonic_ns()


@contextmanager
def successor_held_back(daemon: Daemon, worker: str) -> Iterator[None]:
    """Kill a worker; the one that is started in its place gets no further than that until the end of the block."""
    killed = daemon.workers()[worker].pid
    os.kill(killed, signal.SIGKILL)
    successor: list[psutil.Process] = []

    def is_there() -> bool:
        successor[:] = [
            each for name, each in daemon.workers().items() if name == worker and each.pid != killed
        ]
        return bool(successor)

    daemon.wait_until(is_there)
    successor[0].suspend()
    try:
        yield
    finally:
        successor[0].resume()


def test_a_killed_worker_shows_and_recovers(page: Page, live: LiveDaemon) -> None:
    expect(page.locator("#state")).to_have_text("Running")
    problem = page.locator("#problems", has_text="The worker face of clip stopped and is being started again")
    with successor_held_back(live.daemon, "face-clip"):
        expect(problem).to_be_visible()
    expect(page.locator("#problems")).to_be_empty()
    expect(page.locator("#facts .wrong", has_text="restarts")).to_contain_text("1")
    expect(page.locator("#state")).to_have_text("Running")


def test_the_gateway_itself_may_die_and_the_page_comes_back(
    page: Page, live: LiveDaemon, complaints: list[str]
) -> None:
    expect(page.locator("#state")).to_have_text("Running")
    scored = len(live.daemon.emotions)
    supervisor = psutil.Process(live.daemon.process.pid)
    supervisor.suspend()  # it would start another gateway at once
    try:
        os.kill(live.daemon.workers()["gateway"].pid, signal.SIGKILL)
        expect(page.locator("#problems")).to_contain_text("The connection to emostream is lost; trying again")
    finally:
        supervisor.resume()
    expect(page.locator("#state")).to_have_text("Running")
    live.daemon.wait_until(lambda: len(live.daemon.emotions) > scored + 10)
    assert live.daemon.missed == 0
    # The browser itself reports every connection that is refused, breaks off, or ends before an answer.
    complaints[:] = [each for each in complaints if "net::ERR_" not in each and "WebSocket" not in each]
