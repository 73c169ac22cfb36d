"""Measures against scikit-learn's, or against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)

from models.training import metrics

labels = arrays.arrays(np.int64, 30, elements=st.integers(0, 3))
flags = arrays.arrays(np.bool_, (20, 3))


@given(truth=labels, predicted=labels)
@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label was found")
def test_single_labels(truth, predicted) -> None:
    assert metrics.accuracy(truth, predicted) == pytest.approx(accuracy_score(truth, predicted))
    recall = metrics.unweighted_average_recall(truth, predicted, 4)
    assert recall == pytest.approx(balanced_accuracy_score(truth, predicted))
    counts = confusion_matrix(truth, predicted, labels=range(4))
    np.testing.assert_array_equal(metrics.confusion(truth, predicted, 4), counts)


@given(truth=flags, predicted=flags)
def test_several_labels(truth, predicted) -> None:
    assert metrics.macro_f1(truth, predicted) == pytest.approx(
        f1_score(truth, predicted, average="macro", zero_division=0)
    )


@given(truth=flags, predicted=flags)
def test_each_emotion_present_or_not(truth, predicted) -> None:
    columns = list(zip(truth.T, predicted.T, strict=True))
    assert metrics.accuracies(truth, predicted) == pytest.approx([accuracy_score(*pair) for pair in columns])
    f1 = [f1_score(*pair, average="weighted", zero_division=0) for pair in columns]
    assert metrics.class_weighted_f1_scores(truth, predicted) == pytest.approx(f1)
    weighted = [balanced_accuracy_score(*pair) if len(set(pair[0])) == 2 else np.nan for pair in columns]
    assert metrics.weighted_accuracies(truth, predicted) == pytest.approx(weighted, nan_ok=True)


@given(truth=flags, scores=arrays.arrays(np.float32, (20, 3), elements=st.sampled_from([0, 0.25, 0.5, 1])))
def test_area_under_the_roc_curve_with_equal_scores(truth, scores) -> None:
    expected = [
        roc_auc_score(*pair) if len(set(pair[0])) == 2 else np.nan
        for pair in zip(truth.T, scores.T, strict=True)
    ]
    assert metrics.roc_aucs(truth, scores) == pytest.approx(expected, nan_ok=True)


@given(
    truth=flags, scores=arrays.arrays(np.float32, (20, 3), elements=st.floats(0, 1, width=32), unique=True)
)
def test_no_threshold_is_better_than_the_best(truth, scores) -> None:
    best = metrics.best_thresholds(truth, scores)
    chosen = np.array(metrics.f1_scores(truth, scores >= best))
    for threshold in np.unique(scores):
        assert (chosen >= np.array(metrics.f1_scores(truth, scores >= threshold)) - 1e-9).all()


def test_calibration_error() -> None:
    truth = np.array([True, True, False, False])
    assert metrics.calibration_error(truth, truth.astype(np.float32)) == 0
    assert metrics.calibration_error(truth, np.full(4, 0.5, np.float32)) == 0
    assert metrics.calibration_error(truth, np.full(4, 0.9, np.float32)) == pytest.approx(0.4)
    assert metrics.calibration_error(truth, 1 - truth.astype(np.float32)) == 1
