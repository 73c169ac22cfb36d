"""`emostream keys`: from nothing to a subscriber that is admitted, and out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.errors import UserError
from stream.keys import ALLOWED, is_public_key, read_allowed, read_pair
from workers.cli.main import build_app

Keys = Callable[..., str]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "emostream.yaml"
    path.write_text(
        "sources: [{name: desk, camera: {device: 0}}]\nkeys: keys\n"
        "stream: {curve: true, endpoint: 'tcp://0.0.0.0:5557'}\n"
    )
    return path


@pytest.fixture
def keys(config: Path) -> Keys:
    """Give a function that runs `emostream keys` and returns what it prints."""

    def run(command: str, *arguments: str, of: str = "keys") -> str:
        given = [of, command, *arguments] + (["--config", str(config)] if of == "keys" else [str(config)])
        result = CliRunner().invoke(build_app(of), given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_a_client_is_admitted_and_revoked(keys: Keys, config: Path) -> None:
    daemon, laptop = (keys("new", *name).splitlines()[0] for name in ((), ("laptop",)))
    assert is_public_key(daemon)
    keys("allow", "laptop", laptop)
    listed = keys("list")
    assert daemon in listed
    assert re.search(rf"^\s*laptop\s+{re.escape(laptop)}", listed, re.MULTILINE)
    folder = config.parent / "keys"
    assert read_allowed(folder / ALLOWED) == {"laptop": laptop}
    assert read_pair(folder / "laptop.key").public == laptop
    keys("revoke", "laptop")
    assert laptop not in keys("list")


def test_a_key_is_printed_as_it_is(keys: Keys) -> None:
    key = "0:x:[" * 8
    keys("allow", "laptop", key)
    assert key in keys("list")


def test_the_secret_half_is_never_printed(keys: Keys, config: Path) -> None:
    printed = keys("new") + keys("new", "laptop") + keys("list")
    for name in ("daemon", "laptop"):
        assert read_pair(config.parent / "keys" / f"{name}.key").secret not in printed


def test_a_configuration_whose_keys_are_missing_is_refused_with_the_command_that_makes_them(
    keys: Keys,
) -> None:
    with pytest.raises(
        UserError, match=r"daemon.key does not exist; make it with `emostream keys new daemon`"
    ):
        keys("check", of="config")
    keys("new")
    with pytest.raises(UserError, match="allowed_keys does not exist; admit the first client with"):
        keys("check", of="config")
    keys("allow", "laptop", keys("new", "laptop").splitlines()[0])
    assert "tcp://0.0.0.0:5557, CURVE" in keys("check", of="config")
