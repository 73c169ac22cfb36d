"""The log of workers that a command runs for itself, out of the way of what it shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.cli.common import err

_LINES_SHOWN = 8


@contextmanager
def logging_to(log: Path) -> Iterator[None]:
    """Send this process's own log to `log`: on standard error it would tear the view."""
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(levelname)s supervisor: %(message)s"))
    logger = logging.getLogger("emostream")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def show_complaints(log: Path) -> None:
    """Print what the workers complained of."""
    complaints: dict[str, list[str]] = {}
    for line in log.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event["message"].startswith("failed: "):
            complaints.setdefault(event["message"].removeprefix("failed: "), []).append(event["worker"])
    for message, workers in list(complaints.items())[-_LINES_SHOWN:]:
        err.print(f"{', '.join(dict.fromkeys(workers))}: {message}", soft_wrap=True, markup=False)
    err.print(f"the whole log: {log}", soft_wrap=True)
