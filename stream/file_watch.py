"""Files that are read again when they change while the daemon runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from stream.errors import UserError

T = TypeVar("T")


class FileWatch(Generic[T]):
    """Keeps what `load` made of a file up to date; a bad edit changes nothing but `error`."""

    def __init__(self, path: Path | Callable[[], Path], load: Callable[[Path], T]) -> None:
        """Load the file for the first time.

        Args:
            path: the file, or what tells which file it is now.
            load: what to make of it.

        Raises:
            UserError: it cannot be used.
        """
        self._path = path if callable(path) else lambda: path
        self._load = load
        self._seen = self._signature()
        self.current = load(self._path())
        self.error: str | None = None

    def poll(self, *, force: bool = False) -> bool:
        """Load the file again if it changed, or by `force`; return whether it was read."""
        signature = self._signature()
        if signature == self._seen and not force:
            return False
        self._seen = signature
        try:
            self.current = self._load(self._path())
            self.error = None
        except UserError as error:
            self.error = str(error)
        return True

    def _signature(self) -> tuple[Path, int, int, int] | None:
        path = self._path()
        try:
            status = path.stat()
        except OSError:
            return None
        return (path, status.st_mtime_ns, status.st_size, status.st_ino)
