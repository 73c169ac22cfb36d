"""What `evaluate --zero-shot` and `--few-shot` do; the only part of it that needs PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import Progress, TaskID

from models.embeddings import EmbeddingSpace
from models.training.recipe import Recipe, load_recipe
from models.training.results import Metrics
from models.training.scoring import BundleScores
from models.training.transfer import Transfer, TransferReports
from stream.config import config_folder
from stream.errors import UserError

_ALL = "all"


class LeavingOut:
    """Fits that leave emotions out, with progress bars.

    Args:
        scores: Those of the bundle.
        space: Its embedding space.
        recipe: How it was trained; `None` for the one of its name that comes with emostream.
        folder: Where fits are kept.
        modalities: Which to fit.
        bars: Where progress is shown.

    Raises:
        UserError: There is no recipe, or it is another bundle's.
    """

    def __init__(
        self,
        scores: BundleScores,
        space: EmbeddingSpace,
        recipe: Path | None,
        folder: Path,
        *,
        modalities: Sequence[str],
        bars: Progress,
    ) -> None:
        self._scores = scores
        self._modalities = modalities
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        reports = TransferReports(self._fits, self._epoch)
        self._transfer = Transfer(scores, _recipe(recipe, scores.bundle.name), space, folder, reports)

    def results(self, written: Sequence[str], share: float = 0.0) -> Metrics:
        """Return the results of each modality.

        Args:
            written: Emotions, maybe several joined by commas, or `all`.
            share: How much of their training examples stays, 0..1.

        Raises:
            UserError: There is no such emotion.
        """
        words = [word.strip().lower() for each in written for word in each.split(",") if word.strip()]
        words = [] if _ALL in words else words
        for word in words:
            self._check(word)
        found = {modality: self._transfer.results(modality, words, share) for modality in self._modalities}
        return {modality: part for modality, part in found.items() if part is not None}

    def _check(self, word: str) -> None:
        known = dict.fromkeys(
            concept for modality in self._modalities for concept in self._transfer.known(modality)
        )
        if word in known:
            return
        meant = [concept for concept, several in self._scores.bundle.words.items() if word in several]
        hint = f"; it is a word of {meant[0]}" if meant else ""
        raise UserError(
            f"no corpus of {', '.join(self._modalities)} here has the emotion {word!r}{hint}; "
            f"there are {', '.join(known)}, or {_ALL}"
        )

    def _fits(self, modality: str, done: int, total: int) -> None:
        if modality not in self._tasks:
            self._tasks[modality] = self._bars.add_task(f"{modality}: words left out")
        self._bars.update(self._tasks[modality], completed=done, total=total)

    def _epoch(self, label: str, number: int, loss: float, score: float) -> None:
        self._bars.print(f"  {escape(label)} epoch {number}: loss {loss:.3f}, validation {score:.3f}")


def _recipe(given: Path | None, name: str) -> Recipe:
    path = given or config_folder() / "training" / f"{name}.yaml"
    if given is None and not path.is_file():
        raise UserError(f"no recipe called {name} comes with emostream; name the bundle's own with --recipe")
    return load_recipe(path)
