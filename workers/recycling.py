"""Ends a worker whose native library has come to hold too much memory; its successor starts with little.

Only the end of a process gives back all that a library has taken, so the worker is not patched up but started
anew, at a moment when nothing is open that would be lost with it.
"""

from __future__ import annotations

from collections.abc import Callable

import psutil

from stream.clock import now_ns
from stream.errors import RestartError, UserError
from stream.windows import NS_PER_S

_MB = 1_000_000
_GROWTH_MB = 500
"""What a worker may take beyond its loaded models where no ceiling is configured."""


class MemoryCeilingError(UserError):
    """A ceiling that the loaded models alone reach."""


class Recycling:
    """Watches this process's resident memory.

    Args:
        option: Name of the option that sets the ceiling, for messages.
        ceiling_mb: Resident memory in MB; by default 500 more than now.
        at_rest: Whether the process could end now without losing anything that is open.

    Raises:
        MemoryCeilingError: this process has reached the ceiling already.
    """

    def __init__(
        self, option: str, ceiling_mb: int | None, at_rest: Callable[[], bool] = lambda: True
    ) -> None:
        self._process = psutil.Process()
        self._at_rest = at_rest
        self._due_ns = 0
        loaded_mb = self._rss_mb()
        self._ceiling_mb = loaded_mb + _GROWTH_MB if ceiling_mb is None else ceiling_mb
        self._over_mb: int | None = None
        if loaded_mb >= self._ceiling_mb:
            raise MemoryCeilingError(
                f"{option} = {ceiling_mb}: the models alone take {loaded_mb} MB here; "
                f"set it to {loaded_mb + _GROWTH_MB} or more, or leave it out"
            )

    def check(self) -> None:
        """Look at the memory, once a second at most; call it between two pieces of work.

        Raises:
            RestartError: it is over the ceiling, and nothing is open.
        """
        if now_ns() >= self._due_ns:
            self._due_ns = now_ns() + NS_PER_S
            rss_mb = self._rss_mb()
            self._over_mb = rss_mb if rss_mb >= self._ceiling_mb else None
        if self._over_mb is not None and self._at_rest():
            raise RestartError(
                f"holds {self._over_mb} MB, its ceiling is {self._ceiling_mb} MB", failed=False
            )

    def _rss_mb(self) -> int:
        return int(self._process.memory_info().rss // _MB)
