"""CMU-MOSEI: opinions of people on video (Zadeh et al. 2018), as features in a public HDF5 format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.training.corpora.base import CorpusError, Split
from models.training.corpora.sequences import (
    FILE_SPLITS,
    SequenceCorpus,
    read_audio,
    read_numbers,
    read_sequence,
    require_file,
)

EMOTIONS = ("anger", "disgust", "fear", "happy", "sad", "surprise")

_DATASET = "d1"


def load_mosei(folder: Path, split: Split) -> SequenceCorpus:
    """Return the utterances of one part, from four files that each hold a dataset `d1`.

    `text_{part}_emb.h5`, `audio_{part}.h5` and `video_{part}.h5` hold `[N, T, D]` (part: `train`, `valid`,
    `test`), `ey_{part}.h5` the strength of each emotion `[N, 6]`, present above 0.

    Raises:
        CorpusError: A file is missing or of another format.
    """
    part = FILE_SPLITS[split]
    return SequenceCorpus(
        name="mosei",
        about="CMU-MOSEI, opinions on video in six emotions, aligned features (Zadeh et al. 2018)",
        licence="CMU-MultimodalSDK terms; research use only",
        split=split,
        emotions=EMOTIONS,
        text=read_sequence(*_load(folder / f"text_{part}_emb.h5")),
        audio=read_audio(*_load(folder / f"audio_{part}.h5")),
        vision=read_sequence(*_load(folder / f"video_{part}.h5")),
        labels=read_numbers(*_load(folder / f"ey_{part}.h5"), ndim=2) > 0,
    )


def _load(path: Path) -> tuple[object, str]:
    """Return what the dataset of a file holds, and its place for errors."""
    import h5py  # noqa: PLC0415 - of the extra `train`, which programs that only name the corpus do without

    require_file(path, "the preprocessed CMU-MOSEI")
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file[_DATASET]), f"{path}: {_DATASET}"
    except (OSError, KeyError) as error:
        raise CorpusError(
            f"{path}: cannot read the HDF5 dataset {_DATASET!r}: {error}; fetch it again"
        ) from error
