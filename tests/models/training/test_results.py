"""The results of a test part, against scikit-learn's and against what can be counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score, roc_auc_score

from models.training.corpora import Example
from models.training.results import Scored, results

NAMES = ("joy", "anger", "fear")


def part(count: int, *, several: bool, sexes: tuple[str, ...] = ("",)) -> Scored:
    """Return a part on which scores say something, but not everything."""
    random = np.random.default_rng(1)
    labels = np.arange(count) % len(NAMES)
    truth = labels[:, None] == np.arange(len(NAMES))
    if several:
        truth |= random.random(truth.shape) < 0.3
    probability = (0.35 * truth + 0.6 * random.random(truth.shape)).astype(np.float32)
    examples = [
        Example(f"{i}", "test", (NAMES[label],), speaker=f"actor{i % 8}", sex=sexes[i % len(sexes)])
        for i, label in enumerate(labels)
    ]
    thresholds = np.array([0.4, 0.5, 0.6], np.float32) if several else None
    return Scored(NAMES, truth, probability, thresholds, examples)


def test_one_label_each() -> None:
    scored = part(120, several=False)
    truth, chosen = scored.truth.argmax(axis=1), scored.probability.argmax(axis=1)
    found = results(scored)
    assert (found["examples"], found["labels"], found["resampled"]) == (120, "one", "speaker")
    assert found["accuracy"] == pytest.approx((truth == chosen).mean(), abs=1e-4)
    assert found["uar"] == pytest.approx(balanced_accuracy_score(truth, chosen), abs=1e-4)
    assert found["macro_f1"] == pytest.approx(f1_score(truth, chosen, average="macro"), abs=1e-4)
    assert found["weighted_f1"] == pytest.approx(f1_score(truth, chosen, average="weighted"), abs=1e-4)
    joy = found["emotions"]["joy"]
    assert joy["weighted_accuracy"] == pytest.approx(
        balanced_accuracy_score(truth == 0, chosen == 0), abs=1e-4
    )
    assert joy["auc"] == pytest.approx(roc_auc_score(truth == 0, scored.probability[:, 0]), abs=1e-4)
    assert found["confusion"][0][0] == joy["recall"] * joy["examples"]


def test_several_labels_each_with_its_threshold() -> None:
    scored = part(120, several=True)
    assert scored.thresholds is not None
    decided = scored.probability >= scored.thresholds
    found = results(scored)
    assert found["labels"] == "several"
    assert found["accuracy"] == pytest.approx((decided == scored.truth).mean(), abs=1e-4)
    assert found["macro_f1"] == pytest.approx(f1_score(scored.truth, decided, average="macro"), abs=1e-4)
    assert found["uar"] == pytest.approx(recall_score(scored.truth, decided, average="macro"), abs=1e-4)
    assert found["auc"] == pytest.approx(roc_auc_score(scored.truth, scored.probability), abs=1e-4)
    assert np.sum(found["confusion"]) == scored.truth.sum(), "each label of an example counts"


def test_every_figure_has_an_interval_around_it() -> None:
    found = results(part(300, several=False))
    for figure in ("accuracy", "uar", "weighted_accuracy", "macro_f1", "weighted_f1", "auc"):
        low, high = found["intervals"][figure]
        assert low < found[figure] < high, figure
    assert set(found["intervals"]) == {"accuracy", "uar", "weighted_accuracy", "macro_f1", "weighted_f1", "auc", "ece", "top_ece"}  # fmt: skip


def test_the_reliability_diagram_gives_the_calibration_error() -> None:
    found = results(part(120, several=False))
    surest, share, count = np.array(found["reliability"]).T
    assert count.sum() == 360
    assert found["ece"] == pytest.approx((np.abs(surest - share) * count).sum() / 360, abs=1e-3)


def test_women_and_men_are_measured_apart_where_it_is_known_who_is_who() -> None:
    whole = part(120, several=False, sexes=("female", "male"))
    found = results(whole)["groups"]
    assert {who: (each["examples"], each["speakers"]) for who, each in found.items()} == {"female": (60, 4), "male": (60, 4)}  # fmt: skip
    women = results(Scored(NAMES, whole.truth[::2], whole.probability[::2], None, whole.examples[::2]))
    assert (found["female"]["uar"], found["female"]["intervals"]) == (women["uar"], women["intervals"])
    assert "groups" not in results(part(120, several=False))


def test_an_emotion_that_nothing_shows_has_no_figures_of_its_own() -> None:
    whole = part(120, several=False)
    kept = np.flatnonzero(~whole.truth[:, 2])
    scored = Scored(
        NAMES, whole.truth[kept], whole.probability[kept], None, [whole.examples[int(i)] for i in kept]
    )
    found = results(scored)
    fear = found["emotions"]["fear"]
    assert (fear["examples"], fear["recall"], fear["auc"]) == (0, None, None)
    assert found["uar"] is not None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
