"""Where a daemon's sockets lie: a folder that only its user may enter."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from stream.errors import UserError


class RunFolderError(UserError):
    """The folder for the sockets cannot be made, or others may enter it."""


def run_folder(name: str) -> Path:
    """Return the folder of the daemon called `name`: what systemd gives, the session's, or one in `/tmp`."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given) / name
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session) / "emostream" / name
    return Path(tempfile.gettempdir()) / f"emostream-{os.getuid()}" / name


def make_private(folder: Path) -> None:
    """Make `folder`, open to its user alone.

    Raises:
        RunFolderError: it cannot be made, belongs to somebody else, or is open to others.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise RunFolderError(
            f"{folder}: cannot be made ({error.strerror}); set XDG_RUNTIME_DIR to a folder of your own"
        ) from error
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise RunFolderError(
            f"{folder}: belongs to somebody else or is open to others; remove it, "
            "or set XDG_RUNTIME_DIR to a folder of your own"
        )
