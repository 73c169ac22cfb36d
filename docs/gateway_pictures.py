"""Makes the pictures of the page in gateway.md: `python docs/gateway_pictures.py`, with Chromium installed.

Plays the demo clip through the whole daemon and photographs the page in a real browser.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from models.demo_clip import demo_clip
from stream import subscribe
from stream.config import Config
from workers.cli.common import file_config
from workers.supervisor import Supervisor

FOLDER = Path(__file__).parent
WATCHED_S = 10
SETTLED_MS = 1500
PICTURES = (
    ("gateway-dark.png", 1440, 900, "dark"),
    ("gateway-phone.png", 390, 844, "light"),
)


def main() -> None:
    """Write every picture beside this file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = f"pictures-{os.getpid()}"
    config = file_config(
        demo_clip(),
        source="demo",
        name=name,
        stream={"publish_transcript": True},
        gateway={"enabled": True, "port": port},
    )
    endpoint = f"ipc://{config.run_folder / 'public'}"
    config = config.model_copy(update={"stream": config.stream.model_copy(update={"endpoint": endpoint})})
    supervisor = Supervisor(config)
    stop = threading.Event()
    supervisor.start()
    thread = threading.Thread(target=look_after, args=(supervisor, stop))
    thread.start()
    try:
        photograph(config)
    finally:
        stop.set()
        thread.join()
        supervisor.stop()
        shutil.rmtree(config.run_folder, ignore_errors=True)


def look_after(supervisor: Supervisor, stop: threading.Event) -> None:
    """Keep the workers running until `stop` is set."""
    while not stop.is_set() and supervisor.step():
        pass


def photograph(config: Config) -> None:
    """Photograph the page in every size, once the clip has played for a while."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with subscribe(endpoint=config.stream.endpoint) as messages:
            next(messages)
        time.sleep(WATCHED_S)
        for file, width, height, scheme in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(config.gateway.address)
            page.locator("#nearest.weak, #nearest:not(.nothing)").wait_for()
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=FOLDER / file)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
