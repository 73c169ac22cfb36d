"""The live page in a real browser, fed with messages as a daemon publishes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
import pytest
from playwright.sync_api import Page, expect

from models.extractors.face_geometry import SPEC
from stream.clock import now_ns, wall_time
from stream.public import EmotionMessage, WindowSpan
from stream.windows import NS_PER_S
from tests.browser import check_accessibility, drawn, wait_for
from tests.workers.gateway.serving import TOKEN, ServedGateway
from tests.workers.public_messages import (
    HOP_NS,
    emotion_message,
    evidence,
    health_message,
    lost_camera,
    transcript_message,
)
from workers.gateway.landmarks import FaceMessage, FacePoints

OpenPage = Callable[..., Page]


@pytest.fixture(autouse=True)
def silent_console(complaints: list[str]) -> Iterator[None]:
    """The console complains of nothing, and nothing is asked of other hosts."""
    yield
    assert complaints == []


def at_now(messages: list[EmotionMessage]) -> list[EmotionMessage]:
    """Return windows whose last ends now, as a running daemon's do."""
    shift_ns = now_ns() - messages[-1].time_ns
    return [
        msgspec.structs.replace(
            message,
            time_ns=message.time_ns + shift_ns,
            wall_time=wall_time(message.time_ns + shift_ns),
            window=WindowSpan(
                start_ns=message.window.start_ns + shift_ns, end_ns=message.window.end_ns + shift_ns
            ),
        )
        for message in messages
    ]


def face_message(time_ns: int) -> FaceMessage:
    points = [[(i % 16) / 8 - 1, i / 120 - 1] for i in range(239)]
    face = FacePoints(track=1, scored=True, box=(0.1, 0.1, 0.5, 0.5), rotation=[0.0, 0.4, 0.0], points=points)
    return FaceMessage(source="desk", time_ns=time_ns, faces=[face])


def test_it_shows_what_is_nearest_with_curves_evidence_face_and_words(
    served: ServedGateway, open_page: OpenPage
) -> None:
    assert SPEC.names[-1] == "landmark_476_y"
    served.feed([health_message(), *at_now([emotion_message(seq) for seq in range(300)])])
    page = open_page(served.address)
    expect(page.locator("#nearest")).to_have_text("joy")
    expect(page.locator("#nearest-detail")).to_contain_text("72 % probable; distance 0.64")
    expect(page.locator("#bars tbody tr")).to_have_count(6)
    expect(page.locator("#bars tbody tr").last).to_contain_text("surprise")
    expect(page.locator("#evidence")).to_contain_text("61 %")
    wait_for(page, lambda: drawn(page, ".panel canvas") > 1000)
    page.get_by_role("button", name="Voice", exact=True).click()
    expect(page.locator(".panel")).to_have_count(2)
    (newest,) = at_now([emotion_message(301)])
    served.feed([face_message(newest.time_ns), transcript_message("good morning"), newest])
    expect(page.locator("#face-text")).to_have_text("Face turned right")
    wait_for(page, lambda: drawn(page, "#face canvas") > 200)
    expect(page.locator("#heard li")).to_contain_text("good morning")
    expect(page.locator("#heard time")).to_have_count(1)
    expect(page.locator("#facts")).to_contain_text("24.8 a second")
    check_accessibility(page)


def test_without_evidence_it_says_why_instead_of_showing_zeros(
    served: ServedGateway, open_page: OpenPage
) -> None:
    nothing = emotion_message(1, given=evidence(face=False, voice=False, text=False))
    served.feed([health_message(), *at_now([emotion_message(0), nothing])])
    page = open_page(served.address)
    expect(page.locator("#nearest")).to_have_text("Nothing to go by")
    expect(page.locator("#nearest-detail")).to_contain_text("face: no face in the window")
    expect(page.locator("#evidence")).to_contain_text("Not used: no speech in the window")
    assert "0 %" not in page.locator("#bars tbody").inner_text()


def test_what_is_wrong_is_said_in_plain_words(served: ServedGateway, open_page: OpenPage) -> None:
    degraded = msgspec.structs.replace(health_message(workers=(lost_camera(),)), degraded="the GPU was lost")
    served.feed(at_now([emotion_message(0)]))
    page = open_page(served.address)
    problems = page.locator("#problems")
    with served.going_on(degraded):
        expect(problems).to_contain_text(
            "The worker camera of desk has lost its device, and looks for it: unplugged"
        )
        expect(problems).to_contain_text("Degraded: the GPU was lost")
        check_accessibility(page)
    with served.going_on(health_message(1)):
        expect(problems).to_be_empty()
    expect(problems).to_contain_text("No scores come: the inference worker does not answer")


def test_several_sources_are_chosen_between(served: ServedGateway, open_page: OpenPage) -> None:
    door = [emotion_message(n, source="door", smoothed={"joy": 0.1, "fear": 0.9}) for n in range(20)]
    desk = [emotion_message(n) for n in range(20)]
    served.feed([health_message(sources=("desk", "door")), *at_now(desk), *at_now(door)])
    page = open_page(served.address)
    page.get_by_role("button", name="door").click()
    expect(page.locator("#nearest")).to_have_text("fear")
    expect(page.get_by_role("button", name="door")).to_have_attribute("aria-pressed", "true")


def test_it_pauses_and_scrolls_back_with_the_keyboard(served: ServedGateway, open_page: OpenPage) -> None:
    past = [emotion_message(seq, smoothed={"joy": 0.1, "fear": 0.9}) for seq in range(200)]
    served.feed([health_message(), *at_now([*past, *(emotion_message(seq) for seq in range(200, 240))])])
    page = open_page(served.address)
    expect(page.locator("#nearest")).to_have_text("joy")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#nearest")).to_have_text("fear")
    expect(page.locator("#moment")).to_contain_text("5 s ago")
    page.keyboard.press("End")
    expect(page.locator("#moment")).to_have_text("live")
    page.keyboard.press("Space")
    served.feed(at_now([emotion_message(500, smoothed={"joy": 0.1, "anger": 0.9})]))
    expect(page.locator("#pause")).to_have_text("Go live")
    expect(page.locator("#nearest")).to_have_text("joy")
    page.keyboard.press("Space")
    expect(page.locator("#nearest")).to_have_text("anger")


@pytest.mark.parametrize("dark", [True, False])
def test_on_a_phone_everything_is_there_without_scrolling_sideways(
    served: ServedGateway, open_page: OpenPage, dark: bool
) -> None:
    served.feed([health_message(), *at_now([emotion_message(seq) for seq in range(100)])])
    page = open_page(served.address, width=360, height=740, dark=dark)
    expect(page.locator("#nearest")).to_have_text("joy")
    assert page.locator("html").get_attribute("data-theme") == ("dark" if dark else "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("Now", "Distance over time", "Words heard", "Evidence", "Face"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    check_accessibility(page)


def test_it_asks_for_the_token_once(
    guarded: ServedGateway, open_page: OpenPage, complaints: list[str]
) -> None:
    guarded.feed([health_message(), *at_now([emotion_message(0)])])
    page = open_page(guarded.address)
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(page)
    page.get_by_role("textbox", name="Token").fill("a wrong one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("this is not the token")
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#nearest")).to_have_text("joy")
    # The browser itself reports every answer with this status.
    complaints[:] = [each for each in complaints if "401 (Unauthorized)" not in each]


def test_before_the_first_message_it_says_that_it_waits(served: ServedGateway, open_page: OpenPage) -> None:
    page = open_page(served.address)
    expect(page.locator("#state")).to_have_text(re.compile("Connected|No answer"))
    expect(page.locator("#nearest")).to_have_text("Waiting for the first window")
    served.feed([health_message(), *at_now([emotion_message(0)])])
    expect(page.locator("#nearest")).to_have_text("joy")


def test_long_vocabularies_and_words_from_outside_are_shown_as_text(
    served: ServedGateway, open_page: OpenPage
) -> None:
    smoothed = {f"feeling number {n}": n / 60 for n in range(40)} | {"<img src=x onerror=alert(1)>": 0.9}
    served.feed([health_message(), *at_now([emotion_message(0, smoothed=smoothed)])])
    page = open_page(served.address)
    expect(page.locator("#nearest")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#bars tbody tr")).to_have_count(41)
    assert HOP_NS < NS_PER_S
    check_accessibility(page)
