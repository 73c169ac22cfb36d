"""Putting together windows of which every modality comes from another corpus: by their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.bundle_manifest import MODALITIES
from models.training.datasets import Dataset
from stream.messages import Int64Array


def shared_concepts(datasets: Mapping[str, Dataset]) -> list[str]:
    """Return the concepts that the dataset of every modality has."""
    first, *others = (datasets[name].concepts for name in MODALITIES)
    return [concept for concept in first if all(concept in other for other in others)]


def single_labels(dataset: Dataset, concepts: Sequence[str]) -> Int64Array:
    """Return `[n]`: the place of the one label among `concepts` that an example has; -1 without one."""
    targets = dataset.targets[:, [dataset.concepts.index(concept) for concept in concepts]]
    return np.where(targets.sum(axis=1) == 1, targets.argmax(axis=1), -1)


def common_labels(own: Mapping[str, Int64Array]) -> list[int]:
    """Return, in order, the labels of which every modality has an example; `own` as of `single_labels`."""
    return sorted(set.intersection(*(set(labels[labels >= 0].tolist()) for labels in own.values())))


def drawn_examples(own: Int64Array, labels: Int64Array, random: np.random.Generator) -> Int64Array:
    """Return, for each of `labels`, the row of an example that has it, drawn at random."""
    drawn = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        wanted = labels == label
        drawn[wanted] = random.choice(np.flatnonzero(own == label), size=int(wanted.sum()))
    return drawn
