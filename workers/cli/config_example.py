"""The example configuration, `configs/emostream.yaml`, written from the option's own descriptions."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stream.config import Camera, Config, MediaFile, Microphone, Remote, Source

_WIDTH = 108
_UNBROKEN = "\x00"
"""Stands for a space at which no line ends."""
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_HEADER = """\
# Everything that emostream can be told, with its defaults; leave out what you do not change.
# An example with one source: the first camera and the default microphone, together named "desk".
#
#   emostream config check FILE    every mistake, with its line and what is allowed
#   emostream config schema        JSON Schema, so that your editor completes and checks while you type
#   emostream run --config FILE
"""
_KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
"""The public key that the manual of ZeroMQ has for an example."""
_SOURCES: tuple[tuple[Source, bool], ...] = (
    (Source(name="desk", camera=Camera(device=0), microphone=Microphone()), False),
    (Source(name="talk", file=MediaFile(path=Path("talk.mp4"))), True),
    (Source(name="hall", remote=Remote(endpoint="tcp://192.168.1.20:5558", server_key=_KEY)), True),
)
"""The example sources, and whether each is commented out."""


def example_config() -> str:
    """Return the text of a configuration file that holds every option, described, at its default."""
    schema = Config.model_json_schema()["properties"]
    lines = [_HEADER]
    for name, field in Config.model_fields.items():
        if name == "sources":
            lines += [*_comment(field.description, schema[name], 0), "sources:", *_source_lines(), ""]
        else:
            lines += [*_option(name, field, field.get_default(), schema[name], 0), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _source_lines() -> Iterator[str]:
    for source, commented in _SOURCES:
        lines = list(_section(source, 4))
        first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
        lines[first] = lines[first].replace("    ", "  - ", 1)
        yield from (f"  #{line[1:]}" if commented else line for line in lines)


def _section(section: BaseModel, indent: int) -> Iterator[str]:
    schema = type(section).model_json_schema()["properties"]
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if value is not None or not _is_section(field):
            yield from _option(name, field, value, schema[name], indent)


def _option(name: str, field: FieldInfo, value: Any, schema: dict[str, Any], indent: int) -> Iterator[str]:
    yield from _comment(field.description, schema, indent)
    if isinstance(value, BaseModel):
        yield f"{' ' * indent}{name}:"
        yield from _section(value, indent + 2)
    else:
        yield f"{' ' * indent}{name}: {_scalar(value)}"


def _comment(description: str | None, schema: dict[str, Any], indent: int) -> list[str]:
    text = (description or "").replace("\n", " ")
    allowed = _allowed(schema)
    if allowed:
        text += f" [{allowed}]".replace(" ", _UNBROKEN).replace(_UNBROKEN, " ", 1)
    margin = f"{' ' * indent}# "
    lines = textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _allowed(schema: dict[str, Any]) -> str:
    """Return which values the JSON Schema of an option allows: choices, or a range."""
    for part in (schema, *schema.get("anyOf", ())):
        if "enum" in part:
            return " | ".join(part["enum"])
        limits = [f"{sign} {part[key]:g}" for key, sign in _LIMITS.items() if key in part]
        if limits:
            return ", ".join(limits)
    return ""


def _is_section(field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)


def _scalar(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    return value if isinstance(value, str) and value.replace("-", "").isalnum() else json.dumps(value)
