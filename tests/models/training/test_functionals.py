"""Statistics of a window: those of its evidence, wherever in the window that lies."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.functionals import functionals, functionals_size

DIM = 3


@settings(max_examples=30)
@given(evidence=st.integers(0, 12), padding=st.integers(1, 9))
def test_they_are_finite_and_know_nothing_of_what_is_masked(evidence: int, padding: int) -> None:
    torch.manual_seed(evidence)
    bins, steps = torch.randn(1, 12, DIM), torch.arange(12) < evidence
    mask = steps.float()[None]
    found = functionals(bins, mask)
    assert found.shape == (1, functionals_size(DIM))
    assert found.isfinite().all()
    other = torch.where(steps[None, :, None], bins, torch.full_like(bins, 5))
    torch.testing.assert_close(functionals(other, mask), found)
    longer = torch.nn.functional.pad(bins, (0, 0, padding, 0)), torch.nn.functional.pad(mask, (padding, 0))
    torch.testing.assert_close(functionals(*longer)[:, :-1], found[:, :-1])


def test_they_are_what_they_are_called() -> None:
    bins = torch.tensor([[[1.0], [3.0], [2.0], [2.0]]])
    found = functionals(bins, torch.ones(1, 4))[0]
    mean, std, skewness, highest, lowest, fast = found[:6].tolist()
    assert (mean, highest, lowest) == (2, 3, 1)
    assert abs(std - 0.7072) < 1e-3
    assert abs(skewness) < 1e-6
    assert fast == 1  # |2|, |1|, |0|
