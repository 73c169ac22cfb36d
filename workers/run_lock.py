"""Keeps two daemons of one name apart: they would take each other's sockets without an error."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import IO

from stream.config import Config
from stream.errors import UserError
from stream.run_folder import make_private


class AlreadyRunningError(UserError):
    """Another daemon of the same name runs on this host."""


@contextlib.contextmanager
def run_lock(config: Config, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of the run folder: a supervisor alone, workers that have none `shared` among them.

    Raises:
        AlreadyRunningError: a daemon of this name runs.
        RunFolderError: the run folder cannot be made, or others may enter it.
    """
    folder = config.run_folder
    make_private(folder)
    with (folder / "lock").open("w") as lock:
        if not _try(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            raise AlreadyRunningError(
                f"emostream `{config.name}` is running already (its lock: {folder / 'lock'}); stop it, "
                "or give this one another `name` and `stream.endpoint`"
            )
        yield


def is_running(config: Config) -> bool:
    """Return whether a daemon of this name runs on this host."""
    path = config.run_folder / "lock"
    if not path.is_file():
        return False
    with path.open() as lock:
        return not _try(lock, fcntl.LOCK_EX)


def _try(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
