"""The words that a real transcriber hears, on the page while they are said."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from models.media import read_audio
from tests.clips import write_clip
from tests.ports import free_port
from tests.workers.daemon import running_daemon

SAID = "best of times"
"""The first words of the recording are: it was the best of times, it was the worst of times."""


def test_words_are_on_the_page_while_they_are_said(
    open_page: Callable[..., Page], complaints: list[str], asset: Callable[[str], Path]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="emo-", dir="/tmp"))  # short enough for sockets
    speech = write_clip(folder / "speech.wav", samples=np.tile(read_audio(asset("two-cities")), 12))
    port = free_port()
    config = f"""\
sources: [{{name: clip, file: {{path: '{speech}'}}}}]
transcript: {{engine: whisper}}
gateway: {{enabled: true, port: {port}}}
"""
    asset("whisper-tiny-en"), asset("minilm-l6")
    with running_daemon(folder, config) as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions))
        page = open_page(f"http://127.0.0.1:{port}/")
        heard = page.locator("#heard li", has_text=SAID).first
        expect(heard).to_be_visible()
        expect(heard.locator("time")).to_be_visible()
        assert complaints == []
    shutil.rmtree(folder, ignore_errors=True)
