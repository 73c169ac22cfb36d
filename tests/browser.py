"""A real browser, the windows that tests open in it, and what they look for there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

_PATIENCE_MS = 120_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a running Chromium; skip the test where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (package chromium)")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], timeout=_PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Give what the page's console complains of; must be empty at the end of a test."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Give a function that opens an address in a window of its own; the console must stay silent."""
    contexts = []

    def go(address: str, *, width: int = 1440, height: int = 900, dark: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(address) else complaints.append(r.url))
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()


def drawn(page: Page, canvas: str) -> int:
    """Return how many pixels of a canvas are not empty."""
    count: int = page.locator(canvas).first.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 == 3 && v).length"
    )
    return count


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until something holds that the page has no word for."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def check_accessibility(page: Page) -> None:
    """Fail with what axe finds wrong."""
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []
