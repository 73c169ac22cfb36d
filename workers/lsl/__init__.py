"""LSL worker: the scores of each source as a stream of the Lab Streaming Layer, as LabRecorder stores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.config import Config
from stream.errors import UserError
from stream.public import EmotionMessage
from workers.lsl.scope import limit_scope
from workers.own_stream import own_messages
from workers.runtime import Worker

if TYPE_CHECKING:
    from workers.lsl.outlets import Outlets


class LslError(UserError):
    """The library of the Lab Streaming Layer cannot be loaded."""


def main(worker: Worker) -> None:
    """Hand on every window until the daemon ends.

    Raises:
        LslError: liblsl is not there.
    """
    outlets = open_outlets(worker.config)
    worker.subscribe()
    for message in own_messages(worker, EmotionMessage):
        worker.running()
        if isinstance(message, EmotionMessage):
            outlets.push(message)
            worker.counters["samples"] += 1


def open_outlets(config: Config) -> Outlets:
    """Load liblsl and return the outlets, none of which is open yet.

    Raises:
        LslError: liblsl is not there.
    """
    limit_scope(config)
    try:
        # It reads its settings, and looks for its native library, when it is imported.
        from workers.lsl.outlets import Outlets  # noqa: PLC0415
    except (ImportError, RuntimeError, OSError) as error:
        raise LslError(
            f"the worker `lsl` finds no liblsl: {str(error).splitlines()[0]} Install it (its releases have "
            "packages for aarch64 as well), or name it with PYLSL_LIB=/path/to/liblsl.so"
        ) from error
    return Outlets(config)
