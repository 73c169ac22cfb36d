"""What a service of the machine does not see by itself."""

from __future__ import annotations

from pathlib import Path

_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


def in_home(path: Path) -> bool:
    """Return whether `ProtectHome=` hides `path`."""
    return any(path.absolute().is_relative_to(home) for home in _HOMES)
