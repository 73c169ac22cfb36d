"""The cache folder: where fetched assets and things derived from them lie."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from stream.errors import UserError


class CacheError(UserError):
    """The cache folder cannot be used; the message names it and the remedy."""


def cache_folder() -> Path:
    """Return the cache folder: `EMOSTREAM_CACHE` if set, else the user's cache folder. May not exist."""
    chosen = os.environ.get("EMOSTREAM_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("emostream")


@contextmanager
def writing_cache() -> Iterator[Path]:
    """Give the cache folder, created if missing, and say what to do when it cannot be written.

    Raises:
        CacheError: a write inside the block failed.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as error:
        raise CacheError(
            f"cannot write to the cache folder {folder}: {error.strerror} ({error.filename}); "
            "set EMOSTREAM_CACHE to a folder you can write to that has room"
        ) from error


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the cache's lock called `name`; waits while another process holds it."""
    with writing_cache() as folder:
        path = folder / "locks" / name
        path.parent.mkdir(exist_ok=True)
        file = path.open("w")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
