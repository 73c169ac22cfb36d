"""An epoch's batches hold every example once, those of like length together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.training.batches import drawn_batches


@given(rows=st.lists(st.integers(0, 50), max_size=200), size=st.integers(1, 40), seed=st.integers(0, 9))
def test_every_row_is_in_one_batch(rows: list[int], size: int, seed: int) -> None:
    lengths = np.random.default_rng(seed).integers(1, 48, size=51)
    batches = drawn_batches(np.array(rows, np.int64), lengths, size, np.random.default_rng(seed))
    assert sorted(int(row) for batch in batches for row in batch) == sorted(rows)
    assert all(0 < len(batch) <= size for batch in batches)


def test_examples_of_like_length_come_together_in_an_order_that_can_be_repeated() -> None:
    rows, lengths = np.arange(640), np.random.default_rng(0).integers(1, 48, size=640)
    batches, again, other = (
        drawn_batches(rows, lengths, 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    padded = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    assert padded < 1.1 * lengths.sum()
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]
    assert [batch.tolist() for batch in batches] != [batch.tolist() for batch in other]
