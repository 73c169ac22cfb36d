"""A branch fitted as its recipe says, but without an emotion: none of its examples, words or labels."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models.training import (
    affect,
    batches,
    branch_fit,
    branches,
    datasets,
    early_stopping,
    fit,
    functionals,
    network,
    normalization,
    pooling,
    preparation,
    speakers,
    vectors,
    words,
)
from models.training.branch_fit import fit_branch, fit_identity
from models.training.corpora import CorpusError, Split
from models.training.datasets import Dataset, Windows, WindowSource
from models.training.network import ModalityScorer
from models.training.preparation import Preparation
from models.training.recipe import Recipe
from models.training.words import ConceptWords
from stream.messages import Int64Array

_DECISIVE_CODE = (
    affect, batches, branch_fit, branches, datasets, early_stopping, fit, functionals, network, normalization,
    pooling, preparation, speakers, vectors, words,
)  # fmt: skip
"""What is fitted and how: a change here makes earlier fits another thing."""
_PROBED = 64  # windows by which data is recognised

EpochReport = Callable[[int, float, float], None]
"""Called after an epoch with its number from 1, its mean loss and its validation score."""


class Subset:
    """Some of the windows of a source."""

    def __init__(self, source: WindowSource, rows: Int64Array) -> None:
        self._source = source
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def lengths(self) -> Int64Array:
        """Return `[n]`, those of the source."""
        return self._source.lengths()[self._rows]

    def windows(self, indices: Int64Array) -> Windows:
        """Return the windows of these examples as they are."""
        return self._source.windows(self._rows[indices])

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return the windows of these examples, varied at random."""
        return self._source.augmented(self._rows[indices], random)


def without(dataset: Dataset, concept: str, share: float = 0.0, seed: int = 0) -> Dataset:
    """Return a dataset without the examples that carry `concept`, and without what no example carries then.

    Where an emotion is a group of others (`joy` of `amusement` and `gratitude`), these go with it: with no
    example left, their column would only teach that they never are.

    Args:
        dataset: From any split.
        concept: One of its concepts.
        share: How much of the examples that carry it stays, 0..1; if any, at least one.
        seed: Of the draw of those.
    """
    carrying = dataset.targets[:, dataset.concepts.index(concept)] > 0
    keep = ~carrying
    if share and carrying.any():
        own = np.flatnonzero(carrying)
        count = max(1, round(share * len(own)))
        keep[np.random.default_rng(seed).choice(own, size=count, replace=False)] = True
    rows = np.flatnonzero(keep)
    columns = np.flatnonzero(dataset.targets[rows].any(axis=0))
    if len(columns) < 2:
        raise CorpusError(f"{concept} cannot be left out: fewer than two emotions remain to learn from")
    place = np.cumsum(keep) - 1
    corpora = {name: place[own[keep[own]]] for name, own in dataset.corpora.items()}
    return replace(
        dataset,
        windows=Subset(dataset.windows, rows),
        concepts=tuple(dataset.concepts[i] for i in columns),
        targets=dataset.targets[rows][:, columns],
        allowed=dataset.allowed[rows][:, columns],
        corpora={name: own for name, own in corpora.items() if len(own)},
        examples=tuple(dataset.examples[i] for i in rows) if dataset.examples else (),
    )


@dataclass(frozen=True)
class _Given(Preparation):
    """A preparation whose data is given."""

    given: Mapping[str, Dataset]

    def dataset(self, modality: str, split: Split, *, learned_from: bool = False) -> Dataset:
        """Return what was given for `split`."""
        return self.given[split]


def fit_without(
    base: Preparation,
    modality: str,
    data: Mapping[str, Dataset],
    concept: str,
    *,
    share: float = 0.0,
    folder: Path,
    report: EpochReport,
) -> ModalityScorer:
    """Return the scorer of one modality fitted without `concept`, or with a share of its training examples.

    What the recipe's `affect` says of the word stays: it is knowledge of the word, not an example (Lampert et
    al. 2009).

    It is fitted once: `folder` keeps it, under a name that changes with the recipe, the data and the code.
    Stopped at any time, it goes on from the last epoch.

    Args:
        base: What the bundle itself was trained on.
        modality: One of `MODALITIES`.
        data: The `train` and `validation` parts with everything in them.
        concept: What is left out.
        share: How much of its training examples stays, 0..1; its words stay too then.
        folder: Where fits lie.
        report: Told of every epoch.

    Raises:
        CorpusError: Too little is left without it.
    """
    recipe_without = _recipe_without(base.recipe, modality, None if share else concept)
    given = {
        "train": without(data["train"], concept, share, base.recipe.seed),
        "validation": without(data["validation"], concept),
    }
    partial = _Given(
        recipe_without,
        base.loader,
        base.space,
        ConceptWords(base.space, recipe_without.words),
        base.lexicon,
        base.prior,
        given,
    )
    own = folder / f"{modality}-{concept}-{_identity(partial, modality, concept, share)}"
    kept = own / "scorer.pt"
    if kept.is_file():
        scorer = partial.scorer(modality, None)
        scorer.load_state_dict(torch.load(kept, weights_only=True))
        return scorer
    scorer, _ = fit_branch(
        partial,
        modality,
        given["validation"],
        own,
        lambda _, epoch, loss, score: report(epoch, loss, score),
        device=torch.device("cpu"),
    )
    unfinished = kept.with_suffix(".partial")
    torch.save(scorer.state_dict(), unfinished)
    unfinished.replace(kept)
    (own / f"{modality}.pt").unlink()
    return scorer


def _recipe_without(whole: Recipe, modality: str, concept: str | None) -> Recipe:
    """Return the recipe without the words of `concept`, with the epochs of fits that leave a word out."""
    branch = whole.branch(modality)
    shorter = branch.model_copy(update={"epochs": branch.zero_shot_epochs or branch.epochs})
    return whole.model_copy(
        update={
            "words": {name: several for name, several in whole.words.items() if name != concept},
            "branches": {**whole.branches, modality: shorter},
        }
    )


def _identity(partial: _Given, modality: str, concept: str, share: float) -> str:
    train, validation = partial.given["train"], partial.given["validation"]
    found = hashlib.sha256(fit_identity(partial, modality, train, validation).encode())
    found.update(f"{concept} {share}".encode())
    for module in _DECISIVE_CODE:
        found.update(inspect.getsource(module).encode())
    for dataset in (train, validation):
        count = len(dataset.windows)
        probed = np.unique(np.linspace(0, count - 1, min(count, _PROBED)).astype(np.int64))
        for array in (dataset.targets, *dataset.windows.windows(probed)):
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]
