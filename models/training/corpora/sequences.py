"""Corpora that come as extracted features: aligned sequences of three modalities, no media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from models.training.corpora.base import CorpusError, Split
from stream.messages import Float32Array

SequenceName: TypeAlias = Literal["text", "audio", "vision"]
SEQUENCES: tuple[SequenceName, ...] = ("text", "audio", "vision")
"""The modalities, in the order in which everything lists them."""

FILE_SPLITS: Mapping[Split, str] = {"train": "train", "validation": "valid", "test": "test"}
"""What the public files call each part."""


@dataclass(frozen=True)
class SequenceCorpus:
    """One part of a corpus of utterances, multi-label.

    Attributes:
        name: As it stands in recipes and reports.
        about: What it holds and who made it, in one line.
        licence: What it may be used for.
        split: Which part this is.
        emotions: What the columns of `labels` are, in the words that the paper embeds (`happy`, not `joy`).
        text: Word vectors, `[N, T, 300]`.
        audio: COVAREP features, `[N, T, Da]`.
        vision: Facet features of the face, `[N, T, Dv]`.
        labels: Whether each emotion is there, `[N, C]`.

    Raises:
        CorpusError: The arrays do not fit together.
    """

    name: str
    about: str
    licence: str
    split: Split
    emotions: tuple[str, ...]
    text: Float32Array
    audio: Float32Array
    vision: Float32Array
    labels: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        shapes = {name: getattr(self, name).shape for name in ("text", "audio", "vision", "labels")}
        if len({shape[0] for shape in shapes.values()}) > 1 or shapes["labels"][1:] != (len(self.emotions),):
            raise CorpusError(
                f"{self.name}: what was read as {self.split} does not fit {len(self.emotions)} emotions or "
                f"together: {shapes}; fetch its files again, from one source"
            )

    def __len__(self) -> int:
        return len(self.labels)


def read_sequence(values: object, place: str) -> Float32Array:
    """Return features `[N, T, D]` read from a file, as float32.

    Args:
        values: What the file holds.
        place: File and entry, for errors.

    Raises:
        CorpusError: It is not such an array, or holds values that are not finite.
    """
    array = read_numbers(values, place, ndim=3).astype(np.float32)
    if not np.isfinite(array).all():
        raise CorpusError(f"{place} holds values that are not finite; fetch the file again")
    return array


def read_audio(values: object, place: str) -> Float32Array:
    """Return what `read_sequence` does, with 0 for `-inf`, the logarithm that COVAREP takes of nothing."""
    numbers = read_numbers(values, place, ndim=3)
    return read_sequence(np.where(np.isneginf(numbers), 0, numbers), place)


def read_numbers(values: object, place: str, *, ndim: int) -> npt.NDArray[Any]:
    """Return `values` if they are an array of numbers with `ndim` axes.

    Raises:
        CorpusError: They are something else.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf" and values.ndim == ndim:
        return np.asarray(values)
    found = f"{values.dtype}{list(values.shape)}" if isinstance(values, np.ndarray) else type(values).__name__
    raise CorpusError(f"{place} should be an array of numbers with {ndim} axes, not {found}")


def require_file(path: Path, what: str) -> Path:
    """Return `path`.

    Raises:
        CorpusError: There is no such file; the message says that `what` belongs there.
    """
    if not path.is_file():
        raise CorpusError(f"{path} is missing; put {what} there")
    return path
