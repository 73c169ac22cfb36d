"""IEMOCAP: acted and improvised dialogue (Busso et al. 2008), as features in two public pickled formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.training.corpora.base import CorpusError, Split
from models.training.corpora.safe_pickle import load_arrays
from models.training.corpora.sequences import (
    FILE_SPLITS,
    SequenceCorpus,
    read_audio,
    read_numbers,
    read_sequence,
    require_file,
)

EMOTIONS = ("neutral", "happy", "sad", "angry")
LOW_RESOURCE_EMOTIONS = (
    "angry",
    "excited",
    "fear",
    "sad",
    "surprised",
    "frustrated",
    "happy",
    "neutral",
    "disgust",
)

_LICENCE = "agreement with USC SAIL; research use only"
_READERS: Mapping[str, Callable[[object, str], npt.NDArray[Any]]] = {
    "text": read_sequence,
    "audio": read_audio,
    "vision": read_sequence,
    "labels": partial(read_numbers, ndim=3),
}


def load_iemocap(folder: Path, split: Split) -> SequenceCorpus:
    """Return the utterances of the four common emotions, from `iemocap_data.pkl`.

    The pickle holds a dict of part (`train`, `valid`, `test`) to a dict of `text` `[N, 20, 300]`, `audio`
    `[N, 20, 74]`, `vision` `[N, 20, 35]` and `labels` `[N, 4, 2]`, the last axis being absent, present.

    Raises:
        CorpusError: The file is missing or of another format.
    """
    path = require_file(folder / "iemocap_data.pkl", "the preprocessed IEMOCAP")
    part = FILE_SPLITS[split]
    place = f"{path}: {part}"
    entries = _entry(load_arrays(path), part, str(path))
    text, audio, vision, labels = (
        read(_entry(entries, name, place), f"{place}: {name}") for name, read in _READERS.items()
    )
    if labels.shape[1:] != (len(EMOTIONS), 2):
        raise CorpusError(f"{place}: labels are {labels.shape}, not [N, {len(EMOTIONS)}, 2]")
    return SequenceCorpus(
        name="iemocap",
        about="IEMOCAP, dialogue of ten actors in four emotions, aligned features (Busso et al. 2008)",
        licence=_LICENCE,
        split=split,
        emotions=EMOTIONS,
        text=text,
        audio=audio,
        vision=vision,
        labels=labels.argmax(axis=-1).astype(np.bool_),
    )


def load_iemocap_low_resource(folder: Path, split: Split) -> SequenceCorpus:
    """Return the utterances of nine emotions, some of them rare, from four `.p` files.

    `text_{part}.p`, `covarep_{part}.p` and `facet_{part}.p` hold `[N, 21, D]`, of which the last step is
    dropped; `y_{part}.p` holds `[N, 10 or more]`, of which columns 1 to 9 are the emotions, present if not 0.

    Raises:
        CorpusError: A file is missing or of another format.
    """
    part = FILE_SPLITS[split]
    columns = read_numbers(*_load(folder / f"y_{part}.p"), ndim=2)
    return SequenceCorpus(
        name="iemocap-low-resource",
        about="IEMOCAP, dialogue of ten actors in nine emotions, aligned features (Busso et al. 2008)",
        licence=_LICENCE,
        split=split,
        emotions=LOW_RESOURCE_EMOTIONS,
        text=read_sequence(*_load(folder / f"text_{part}.p"))[:, :-1],
        audio=read_audio(*_load(folder / f"covarep_{part}.p"))[:, :-1],
        vision=read_sequence(*_load(folder / f"facet_{part}.p"))[:, :-1],
        labels=columns[:, 1 : 1 + len(LOW_RESOURCE_EMOTIONS)] != 0,
    )


def _load(path: Path) -> tuple[object, str]:
    """Return what a low-resource file holds, and its name for errors."""
    return load_arrays(require_file(path, "the low-resource files of IEMOCAP")), str(path)


def _entry(mapping: object, name: str, place: str) -> object:
    if not isinstance(mapping, dict) or name not in mapping:
        raise CorpusError(f"{place} has no entry {name!r}; it is not the preprocessed IEMOCAP")
    return mapping[name]
