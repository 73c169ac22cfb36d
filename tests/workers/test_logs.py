"""What a worker logs can be read by people on a terminal and by programs anywhere else."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys

PROGRAM = """
from workers.logs import set_up_logs
log = set_up_logs("face-desk", "info")
log.debug("too fine")
log.info("ready")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("crashed")
"""
COMMAND = [sys.executable, "-c", PROGRAM]


def to_a_pipe(prelude: str = "") -> list[str]:
    """Return what the program writes into a pipe; `prelude` sees that pipe as file descriptor 2."""
    command = [sys.executable, "-c", prelude + PROGRAM]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr.splitlines()


def test_elsewhere_each_event_is_one_line_of_json() -> None:
    ready, crashed = map(json.loads, to_a_pipe())
    assert (ready["worker"], ready["level"], ready["message"]) == ("face-desk", "info", "ready")
    assert (crashed["level"], crashed["message"]) == ("error", "crashed")
    assert crashed["traceback"].splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_in_the_journal_each_line_has_its_severity_too() -> None:
    connected = "import os; s = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}'"
    ready, crashed = to_a_pipe(connected)
    assert (ready[:3], crashed[:3]) == ("<6>", "<3>")
    assert json.loads(crashed[3:])["message"] == "crashed"


def test_a_stream_that_was_redirected_since_is_not_the_journal() -> None:
    assert to_a_pipe("import os; os.environ['JOURNAL_STREAM'] = '8:1'")[0][0] == "{"


def test_on_a_terminal_lines_are_for_people() -> None:
    ours, theirs = pty.openpty()
    subprocess.run(COMMAND, stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal ends whose other side is closed
        while piece := os.read(ours, 65_536):
            shown += piece
    os.close(ours)
    first, *_, last = shown.decode().splitlines()
    assert first.endswith(" INFO    face-desk: ready")
    assert last == "ZeroDivisionError: division by zero"
