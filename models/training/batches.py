"""Which examples of an epoch are learned from together."""

from __future__ import annotations

import numpy as np

from stream.messages import Int64Array

_SORTED_TOGETHER = 32  # batches; within so many, examples are sorted by length


def drawn_batches(
    rows: Int64Array, lengths: Int64Array, size: int, random: np.random.Generator
) -> list[Int64Array]:
    """Return all `rows` in random batches of `size`, the last one smaller.

    A batch is as wide as its longest example, so those of like length come together: of short texts among
    long ones most would be padding.

    Args:
        rows: What is learned from in this epoch; a row may occur several times.
        lengths: Steps of every example there is, by row.
        size: Of a batch.
        random: Draws the order.
    """
    order = random.permutation(rows)
    stretch = size * _SORTED_TOGETHER
    alike = [
        part[np.argsort(lengths[part], kind="stable")]
        for part in (order[start : start + stretch] for start in range(0, len(order), stretch))
    ]
    batches = [part[start : start + size] for part in alike for start in range(0, len(part), size)]
    return [batches[i] for i in random.permutation(len(batches))]
