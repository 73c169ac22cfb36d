"""What is left out of training is not there in any way, and fits are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.training.corpora import CorpusError
from models.training.datasets import Clips, Dataset
from models.training.fit import cosines
from models.training.leave_out import fit_without, without
from models.training.metrics import roc_aucs
from models.training.preparation import Preparation
from models.training.recipe import load_recipe
from models.training.words import ConceptWords
from tests.models.training.rated_words import Hashed, lexicon
from tests.models.training.test_fit import dataset

LIVE = Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml"
WORDS = {"joy": ["joy", "happy"], "anger": ["anger"], "fear": ["fear"]}


def comments(labels: str) -> Dataset:
    """Return examples with labels such as `joy+love anger joy`, each holding its number."""
    each = [label.split("+") for label in labels.split()]
    names = tuple(dict.fromkeys(name for own in each for name in own))
    targets = np.array([[name in own for name in names] for own in each], np.float32)
    values = np.arange(len(each), dtype=np.float32)[:, None, None]
    return Dataset(
        windows=Clips([(values, np.ones((len(each), 1), np.float32))]),
        concepts=names,
        targets=targets,
        allowed=np.ones_like(targets, np.bool_),
        corpora={"mine": np.arange(0, len(each), 2), "yours": np.arange(1, len(each), 2)},
        multi_label=True,
    )


def numbers(part: Dataset, rows: np.ndarray[Any, Any] | None = None) -> list[int]:
    rows = np.arange(len(part.windows)) if rows is None else rows
    return [int(number) for number in part.windows.windows(rows)[0][:, 0, 0]]


def test_examples_and_column_of_the_word_are_gone() -> None:
    left = without(comments("anger joy fear joy+fear anger fear"), "joy")
    assert left.concepts == ("anger", "fear")
    assert numbers(left) == [0, 2, 4, 5]
    assert left.targets.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    assert {name: numbers(left, rows) for name, rows in left.corpora.items()} == {
        "mine": [0, 2, 4],
        "yours": [5],
    }


def test_what_no_example_carries_any_more_goes_with_it() -> None:
    left = without(comments("anger joy+love fear joy+pride anger+pride"), "joy")
    assert left.concepts == ("anger", "fear", "pride"), "love was a kind of joy only"


def test_a_corpus_with_nothing_left_is_gone() -> None:
    assert set(without(comments("anger joy fear joy"), "joy").corpora) == {"mine"}


def test_a_share_keeps_some_of_the_examples_and_the_column() -> None:
    whole = comments("anger " + "joy " * 200 + "fear")
    few = without(whole, "joy", 0.01)
    assert few.targets[:, few.concepts.index("joy")].sum() == 2
    assert numbers(few) == numbers(without(whole, "joy", 0.01)), "the same ones each time"
    assert without(comments("anger joy fear"), "joy", 0.01).targets.sum() == 3, "at least one"


def test_nothing_to_tell_apart_is_an_error() -> None:
    with pytest.raises(CorpusError, match="joy cannot be left out: fewer than two emotions remain"):
        without(comments("anger joy"), "joy")


def preparation() -> Preparation:
    recipe = load_recipe(LIVE)
    branch = recipe.branch("text").model_copy(update={"epochs": 30, "batch": 16, "width": 16, "patience": 30, "zero_shot_epochs": 8})  # fmt: skip
    recipe = recipe.model_copy(update={"words": WORDS, "branches": {**recipe.branches, "text": branch}})
    nothing: Any = None  # what only the corpora on disk would need
    return Preparation(recipe, nothing, Hashed(), ConceptWords(Hashed(), WORDS), lexicon(), nothing)


def wide(count: int, seed: int) -> Dataset:
    """Return windows as wide as the space, whose mean says which concept they are labelled with."""
    narrow = dataset(count, seed)
    values, mask = narrow.windows.windows(np.arange(count))
    padded = np.concatenate([values, np.zeros_like(values)], axis=2)
    return Dataset(Clips([(padded, mask)]), narrow.concepts, narrow.targets, narrow.allowed, narrow.corpora, multi_label=False)  # fmt: skip


def test_fits_learn_the_rest_and_are_kept(tmp_path: Path) -> None:
    base, data = preparation(), {"train": wide(300, 0), "validation": wide(90, 1)}
    test, epochs = wide(90, 2), []

    def fit(concept: str, share: float = 0.0) -> np.ndarray[Any, Any]:
        scorer = fit_without(
            base,
            "text",
            data,
            concept,
            share=share,
            folder=tmp_path,
            report=lambda *told: epochs.append(told),
        )
        return cosines(scorer, test, base.words.first(test.concepts))

    once = fit("fear")
    assert len(epochs) == 8, "as many as the recipe gives to fits that leave a word out"
    others = test.targets[:, 2] == 0
    assert min(roc_aucs(test.targets[others, :2] > 0, once[others, :2])) > 0.8, "the rest is learned"
    np.testing.assert_array_equal(fit("fear"), once)
    assert len(epochs) == 8, "it is fitted once"
    assert not list(tmp_path.rglob("text.pt")), "checkpoints go when the fit is done"

    assert not np.array_equal(fit("fear", share=0.5), once)
    assert roc_aucs(test.targets > 0, fit("fear", share=0.5))[2] > 0.8
    assert len(epochs) == 16
    data["train"] = wide(300, 3)
    assert not np.array_equal(fit("fear"), once), "other data is fitted anew"


def test_a_fit_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    base, data = preparation(), {"train": wide(90, 0), "validation": wide(30, 1)}
    epochs = []

    def stop(*told: float) -> None:
        epochs.append(told)
        if len(epochs) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_without(base, "text", data, "joy", folder=tmp_path, report=stop)
    fit_without(base, "text", data, "joy", folder=tmp_path, report=stop)
    assert [epoch for epoch, _, _ in epochs] == list(range(1, 9))
