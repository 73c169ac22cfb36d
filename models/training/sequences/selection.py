"""Parts of a sequence corpus by emotion: without one, with few examples of one, with one from elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from models.training.corpora import CorpusError
from models.training.corpora.sequences import SEQUENCES, SequenceCorpus
from models.training.metrics import BoolArray
from stream.messages import Int64Array


def column(part: SequenceCorpus, emotion: str) -> int:
    """Return which column of the labels an emotion is.

    Raises:
        CorpusError: The corpus does not label it.
    """
    if emotion not in part.emotions:
        raise CorpusError(f"{part.name} does not label {emotion!r}; choose among {', '.join(part.emotions)}")
    return part.emotions.index(emotion)


def without(part: SequenceCorpus, emotion: str) -> SequenceCorpus:
    """Return the part without the examples of an emotion, and without its column."""
    index = column(part, emotion)
    rest = _rows(part, np.flatnonzero(~part.labels[:, index]))
    return replace(
        rest,
        emotions=part.emotions[:index] + part.emotions[index + 1 :],
        labels=np.delete(rest.labels, index, axis=1),
    )


def with_few(part: SequenceCorpus, emotion: str, fraction: float, seed: int) -> SequenceCorpus:
    """Return the part with a share of the examples of an emotion, rounded up, and all others."""
    labelled = part.labels[:, column(part, emotion)]
    return _rows(part, np.sort(np.append(np.flatnonzero(~labelled), _few(part, emotion, fraction, seed))))


def few_with_and_without(part: SequenceCorpus, emotion: str, fraction: float, seed: int) -> SequenceCorpus:
    """Return a share of the examples of an emotion, rounded up, and as many others."""
    few = _few(part, emotion, fraction, seed)
    others = np.flatnonzero(~part.labels[:, column(part, emotion)])
    drawn = np.random.default_rng([seed, 1]).permutation(others)[: len(few)]
    return _rows(part, np.sort(np.append(few, drawn)))


def with_emotion(part: SequenceCorpus, other: SequenceCorpus, emotion: str) -> SequenceCorpus:
    """Return the part and all examples of an emotion in another corpus, with a further column for it.

    What was in the part has not that emotion; what was added has no other.

    Raises:
        CorpusError: The part has that emotion already, or the features of the other have another size.
    """
    if emotion in part.emotions:
        raise CorpusError(f"{part.name} has {emotion!r} itself; name one that only {other.name} has")
    added = _rows(other, np.flatnonzero(other.labels[:, column(other, emotion)]))
    for name in SEQUENCES:
        shapes = [getattr(each, name).shape[1:] for each in (part, added)]
        if shapes[0] != shapes[1]:
            raise CorpusError(
                f"{name} features of {part.name} are {shapes[0]}, those of {other.name} {shapes[1]}; "
                "fetch both from one source"
            )
    labels = np.zeros((len(part) + len(added), len(part.emotions) + 1), np.bool_)
    labels[: len(part), :-1] = part.labels
    labels[len(part) :, -1] = True
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name), getattr(added, name)]) for name in SEQUENCES
    }
    return replace(part, emotions=(*part.emotions, emotion), labels=labels, **joined)


def _few(part: SequenceCorpus, emotion: str, fraction: float, seed: int) -> Int64Array:
    labelled: BoolArray = part.labels[:, column(part, emotion)]
    own = np.flatnonzero(labelled)
    count = math.ceil(fraction * len(own))
    return np.sort(np.random.default_rng([seed, 0]).permutation(own)[:count])


def _rows(part: SequenceCorpus, rows: Int64Array) -> SequenceCorpus:
    features: dict[str, Any] = {name: getattr(part, name)[rows] for name in SEQUENCES}
    return replace(part, labels=part.labels[rows], **features)
