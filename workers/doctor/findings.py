"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It will work, but not well; or something is missing that this configuration does not need."""
    FAIL = "fail"
    """Something that the configuration needs does not work."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    area: str
    """`system`, `configuration`, `daemon`, `devices` or `models`."""
    name: str
    status: Status
    detail: str
    remedy: str = ""
    """What to do about it; empty where all is well."""
