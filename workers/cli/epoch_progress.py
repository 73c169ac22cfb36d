"""How far training is, in the terminal and for whoever else listens."""

from __future__ import annotations

from collections.abc import Callable

from rich.markup import escape
from rich.progress import Progress, TaskID

from models.training.recipe import Recipe
from models.training.sequences.recipe import SequenceRecipe

EpochListener = Callable[[str, int, float, float], None]
"""Called after an epoch with what is fitted, the epoch from 1, its mean loss and its validation score."""


class EpochProgress:
    """Prints what begins and every epoch, moves a bar for each fit, and passes epochs on to a listener."""

    def __init__(self, bars: Progress, recipe: Recipe | SequenceRecipe, listener: EpochListener) -> None:
        self._bars = bars
        self._recipe = recipe
        self._listener = listener
        self._tasks: dict[str, TaskID] = {}

    def stage(self, text: str) -> None:
        """Take what begins."""
        self._bars.print(f"{escape(text)} ...", soft_wrap=True)

    def epoch(self, fitted: str, number: int, loss: float, score: float) -> None:
        """Take what came of an epoch; see `EpochListener`."""
        if fitted not in self._tasks:
            self._tasks[fitted] = self._bars.add_task(fitted, total=_epochs(self._recipe, fitted))
        self._bars.update(self._tasks[fitted], completed=number)
        self._bars.print(f"  {fitted} epoch {number}: loss {loss:.3f}, validation {score:.3f}")
        self._listener(fitted, number, loss, score)


def _epochs(recipe: Recipe | SequenceRecipe, fitted: str) -> int:
    """Return for how many epochs something is fitted at most."""
    if isinstance(recipe, Recipe):
        return recipe.branch(fitted.split(maxsplit=1)[0]).epochs
    tuning = recipe.unseen.fine_tuning if recipe.unseen else None
    return tuning.epochs if tuning and fitted == "fine-tuning" else recipe.training.epochs
