"""Logs: readable lines on a terminal, one JSON line an event elsewhere. Words heard are never logged."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import TextIO


class _ReadableFormatter(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)-7s {process}: %(message)s", "%H:%M:%S")


class _JsonFormatter(logging.Formatter):
    def __init__(self, process: str, *, journal: bool) -> None:
        super().__init__()
        self._process = process
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created)),
            "level": record.levelname.lower(),
            "worker": self._process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return f"{_priority(record.levelno) if self._journal else ''}{json.dumps(event)}"


def _priority(level: int) -> str:
    """Return the prefix by which the journal knows how severe a line is: sd-daemon(3)."""
    severities = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
    return f"<{next(priority for least, priority in severities if level >= least)}>"


def _is_journal(stream: TextIO) -> bool:
    """Return whether `stream` leads to the journal: systemd.exec(5), JOURNAL_STREAM."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def set_up_logs(process: str, level: str) -> logging.Logger:
    """Send this process's logs to standard error and return its logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _ReadableFormatter(process)
        if sys.stderr.isatty()
        else _JsonFormatter(process, journal=_is_journal(sys.stderr))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel("WARNING")
    logger = logging.getLogger("emostream")
    logger.setLevel(level.upper())
    return logger
