"""The one base of all errors that a user can mend."""

from __future__ import annotations

EXIT_REFUSED = 78
"""Exit status of a worker that was given something unusable (`EX_CONFIG` of sysexits.h)."""

EXIT_RESTART = 75
"""Exit status of a worker that is to be started again (`EX_TEMPFAIL` of sysexits.h)."""


class RestartError(Exception):
    """Ends a worker that is to be started again; the text is its last state."""

    def __init__(self, text: str, *, failed: bool = True) -> None:
        """Say why, and whether that is a failure."""
        super().__init__(text)
        self.failed = failed


class UserError(Exception):
    """Something the user can mend: the text names place and remedy and is shown without a traceback."""
