"""Workers that need libraries which emostream does not bring by itself."""

from __future__ import annotations

import importlib.util

from stream.config import Config
from stream.errors import UserError
from workers.table import worker_processes

EXTRAS = {
    "gateway": ("starlette", "uvicorn", "websockets", "prometheus_client"),
    "mqtt": ("paho",),
    "lsl": ("pylsl",),
}
"""By worker, which is also the name of the extra: what it imports."""


class MissingExtraError(UserError):
    """A worker whose libraries are not installed."""


def require_extra(worker: str) -> None:
    """Make sure that the libraries of `worker` are there.

    Raises:
        MissingExtraError: they are not.
    """
    missing = [name for name in EXTRAS.get(worker, ()) if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the worker `{worker}` needs {', '.join(missing)}: pip install 'emostream[{worker}]', or set "
            f"`{worker}.enabled: false`"
        )


def require_extras(config: Config) -> None:
    """Make sure that the libraries of all workers that `config` calls for are there.

    Raises:
        MissingExtraError: they are not.
    """
    for process in worker_processes(config):
        require_extra(process.row.name)
