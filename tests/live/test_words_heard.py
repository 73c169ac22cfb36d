"""The words that a real transcriber hears, on the page while they are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.ports import free_port
from tests.workers.daemon import running_daemon

SAID = "best of times"
"""The first words of the recording are: it was the best of times, it was the worst of times."""


def test_words_are_on_the_page_while_they_are_said(
    open_page: Callable[..., Page],
    complaints: list[str],
    asset: Callable[[str], Path],
    short_folder: Path,
    long_speech: Path,
) -> None:
    port = free_port()
    config = f"""\
sources: [{{name: clip, file: {{path: '{long_speech}'}}}}]
transcript: {{engine: whisper}}
gateway: {{enabled: true, port: {port}}}
"""
    asset("whisper-tiny-en"), asset("minilm-l6")
    with running_daemon(short_folder, config) as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions))
        page = open_page(f"http://127.0.0.1:{port}/")
        heard = page.locator("#heard li", has_text=SAID).first
        expect(heard).to_be_visible()
        expect(heard.locator("time")).to_be_visible()
        assert complaints == []
