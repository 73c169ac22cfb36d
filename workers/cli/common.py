"""What several commands share: consoles, options, and how the configuration is found."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from stream.client import DEFAULT_ENDPOINT
from stream.config import Config, config_folder, vocabulary_path
from stream.errors import UserError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file. By default ./emostream.yaml, ~/.config/emostream/emostream.yaml, or the "
        "one that comes with emostream.",
        show_default=False,
    ),
]
EndpointOption = Annotated[
    str, typer.Option("--endpoint", "-e", help="The daemon's `stream.endpoint`.", metavar="ENDPOINT")
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", help="File of your keys, for a daemon with `stream.curve`.", show_default=False),
]
ServerKeyOption = Annotated[
    str | None,
    typer.Option("--server-key", help="That daemon's public key.", metavar="KEY", show_default=False),
]
SourceOption = Annotated[str | None, typer.Option("--source", "-s", help="Only this source.", metavar="NAME")]
VocabularyOption = Annotated[
    str | None,
    typer.Option("--vocabulary", "-v", help="Name or file of another vocabulary.", metavar="NAME_OR_FILE"),
]

__all__ = [
    "DEFAULT_ENDPOINT",
    "ConfigOption",
    "EndpointOption",
    "KeyOption",
    "ServerKeyOption",
    "SourceOption",
    "VocabularyOption",
    "check_endpoint",
    "err",
    "file_config",
    "find_config",
    "interrupt_on_signals",
    "out",
]


def check_endpoint(endpoint: str) -> None:
    """Refuse what is no endpoint.

    Raises:
        UserError: `endpoint` is neither `tcp://HOST:PORT` nor `ipc://PATH`.
    """
    if not re.fullmatch(r"tcp://[^\s/]+:\d{1,5}|ipc://\S+", endpoint):
        raise UserError(f"{endpoint}: not an endpoint; give tcp://HOST:PORT or ipc://PATH")


def find_config(given: Path | None) -> Path:
    """Return the configuration file to use: the one given, else the first that exists."""
    if given is not None:
        return given
    places = (Path("emostream.yaml"), Path.home() / ".config" / "emostream" / "emostream.yaml")
    return next((place for place in places if place.is_file()), config_folder() / "emostream.yaml")


def file_config(path: Path, base: Config | None = None, *, source: str = "", **changes: Any) -> Config:
    """Return a configuration whose only source is the media file `path`.

    Args:
        path: video, audio, or both.
        base: where all else comes from; by default every option has its default.
        source: name of the source; by default that of the file.
        changes: top-level options to replace; `None` leaves one as it is.

    Raises:
        UserError: a value is not allowed.
    """
    options = base.model_dump(mode="json") if base else {}
    options["sources"] = [{"name": source or _source_name(path), "file": {"path": str(path.absolute())}}]
    for name, value in changes.items():
        if isinstance(value, dict):
            options[name] = options.get(name, {}) | {k: v for k, v in value.items() if v is not None}
        elif value is not None:
            options[name] = value
    options["vocabulary"] = str(vocabulary_path(options.get("vocabulary", "ekman"), Path.cwd()))
    try:
        return Config.model_validate(options)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise UserError("; ".join(problems)) from error


def interrupt_on_signals() -> None:
    """Have SIGTERM and SIGHUP end the command as Ctrl-C does, after its clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _source_name(path: Path) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:32] or "file"
