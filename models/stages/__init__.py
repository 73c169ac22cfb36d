"""From media to features, message by message: the live workers and the offline scorer run these same stages.

A stage takes the messages of one source, in order. `End` is passed on, after whatever was still open.
"""

from __future__ import annotations

from typing import Protocol

from stream.messages import AnyMessage


class Stage(Protocol):
    """One step from media to features."""

    def accept(self, message: AnyMessage, dropped: int) -> list[AnyMessage]:
        """Return what follows from `message`, before which `dropped` others were lost.

        Raises:
            MessageError: the message is not of a type that this stage takes.
        """
