"""How training goes, for TensorBoard."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter


class EventLog:
    """Writes the loss and the validation score of every epoch to event files, closed at the end of the block.

    Every start of a training has a folder of its own, so one that was stopped and went on is two runs in
    TensorBoard, the second from the epoch where it went on.

    Attributes:
        folder: Of this start's event files; beside it are those of earlier ones.
    """

    def __init__(self, folder: Path, recipe: str) -> None:
        """Open the event files of a start of training `recipe`, in a new folder somewhere under `folder`."""
        self.folder = folder / recipe / datetime.now().strftime("%Y-%m-%d %H.%M.%S")
        self._writer = SummaryWriter(str(self.folder))

    def epoch(self, fitted: str, number: int, loss: float, score: float) -> None:
        """Take what came of epoch `number` from 1 of what is `fitted`: its mean loss and validation score."""
        self._writer.add_scalar(f"{fitted}/loss", loss, number)
        self._writer.add_scalar(f"{fitted}/validation score", score, number)
        self._writer.flush()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.close()
