"""Intervals against what statistics says of simple cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.training.bootstrap import bootstrap, interval, resampling
from models.training.metrics import roc_aucs
from models.training.rank_scores import RankedScores


def mean_of(values):
    return lambda rows: {"mean": float(values[rows].mean())}


def test_the_interval_of_a_share_is_that_of_the_binomial_distribution() -> None:
    right = np.arange(400) % 4 > 0
    low, high = interval(bootstrap(mean_of(right), resampling([""] * 400))["mean"])
    deviation = np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - 1.96 * deviation, 0.75 + 1.96 * deviation), abs=0.01)


def test_the_same_figures_give_the_same_interval_again() -> None:
    values = np.random.default_rng(0).random(50)
    once, again = (bootstrap(mean_of(values), resampling([""] * 50))["mean"] for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(
    ("speakers", "unit"),
    [
        ([f"actor{i % 10}" for i in range(40)], "speaker"),
        ([f"actor{i % 4}" for i in range(40)], "example"),
        (["", *(f"actor{i % 10}" for i in range(39))], "example"),
        ([f"line {i}" for i in range(40)], "example"),
    ],
    ids=["ten speakers", "no more than a handful", "not all are named", "each heard once"],
)
def test_whole_speakers_are_drawn_where_there_are_enough(speakers, unit) -> None:
    drawn = resampling(speakers)
    assert drawn.unit == unit
    assert sorted(np.concatenate(drawn.groups)) == list(range(40))


def test_drawing_speakers_tells_more_doubt_where_speakers_differ() -> None:
    speakers = np.repeat([f"actor{i}" for i in range(10)], 30)
    right = np.repeat([True, False], 150)  # half of the speakers are always understood, the others never
    wide, narrow = (
        np.subtract(*interval(bootstrap(mean_of(right), resampling(own))["mean"])[::-1])
        for own in (speakers.tolist(), [""] * 300)
    )
    assert wide > 3 * narrow


def test_what_a_draw_cannot_tell_is_left_out_of_the_interval() -> None:
    assert interval(np.array([np.nan, 1.0, 1.0, np.nan])) == (1, 1)
    assert np.isnan(interval(np.array([np.nan, np.nan]))).all()


@given(
    truth=arrays.arrays(np.bool_, (12, 3)),
    scores=arrays.arrays(np.float32, (12, 3), elements=st.sampled_from([0, 0.25, 0.5, 1])),
    rows=arrays.arrays(np.int64, 12, elements=st.integers(0, 11)),
)
def test_areas_of_a_resample_need_no_sorting(truth, scores, rows) -> None:
    expected = roc_aucs(truth[rows], scores[rows])
    assert RankedScores(truth, scores).aucs(rows).tolist() == pytest.approx(expected, nan_ok=True)
