"""The command line as a whole: help, errors, start-up."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.workers.command_line import emostream
from workers.cli.main import COMMANDS, main

SUBCOMMANDS = [
    *[["vocabulary", name] for name in ("check", "list")],
    *[["config", name] for name in ("check", "schema", "show", "example")],
]


def test_help_names_every_command_and_where_to_start() -> None:
    outcome = emostream("--help")
    assert outcome.status == 0
    assert "emostream demo" in outcome.out
    for command in COMMANDS:
        assert command.name in outcome.out
        assert command.summary in outcome.out


@pytest.mark.parametrize("words", [[command.name] for command in COMMANDS] + SUBCOMMANDS, ids=" ".join)
def test_every_command_explains_itself(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "Usage: emostream" in shown
    assert "xample" in shown or "Commands" in shown or words[-1] == "list"


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, json\n"
        "from workers.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "zmq", "onnxruntime", "cv2", "av", "mediapipe", "torch"}
    assert not heavy & set(json.loads(done.stderr))


def test_an_error_is_one_message_without_a_traceback() -> None:
    outcome = emostream("config", "check", "/nowhere/emostream.yaml")
    assert outcome.status == 2
    assert outcome.err == "error: /nowhere/emostream.yaml: cannot be read: No such file or directory\n"


def test_an_unknown_command_is_refused() -> None:
    outcome = emostream("dance")
    assert outcome.status == 2
    assert "No such command 'dance'" in outcome.err


def test_version() -> None:
    assert emostream("--version").out.startswith("emostream 0.")
