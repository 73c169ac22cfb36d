"""Small IEMOCAP and CMU-MOSEI files in the formats they are published in, and a GloVe file of their words.

In the made corpora an emotion shows in all three sequences: its word is said, and a direction of its own is
added to voice and face. Noise hides it now and then.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from models.training.corpora import iemocap, mosei
from models.training.corpora.sequences import SEQUENCES

Array = np.ndarray[Any, Any]

PARTS = ("train", "valid", "test")
DIMS = {"text": 300, "audio": 74, "vision": 35}
WORDS = {"excited": "exciting", "surprised": "surprising", "frustrated": "frustrating"}
"""What the published recipe says instead of an emotion."""
_NAMES = sorted({*iemocap.EMOTIONS, *iemocap.LOW_RESOURCE_EMOTIONS, *mosei.EMOTIONS})


def dump(path: Path, value: object) -> None:
    path.write_bytes(pickle.dumps(value, 2))


def write_iemocap_file(folder: Path, parts: Mapping[str, Mapping[str, object]]) -> None:
    dump(folder / "iemocap_data.pkl", {part: dict(entries) for part, entries in parts.items()})


def write_low_resource_files(folder: Path, part: str, made: Mapping[str, Array], labels: Array) -> None:
    for stem, name in (("text", "text"), ("covarep", "audio"), ("facet", "vision")):
        dump(folder / f"{stem}_{part}.p", made[name])
    dump(folder / f"y_{part}.p", labels)


def write_mosei_files(folder: Path, part: str, made: Mapping[str, Array], strength: Array) -> None:
    named = {f"text_{part}_emb": made["text"], f"audio_{part}": made["audio"]}
    for name, array in (named | {f"video_{part}": made["vision"], f"ey_{part}": strength}).items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file["d1"] = array


def word_vectors() -> dict[str, Array]:
    """Return a vector for the word of every emotion, about as long as those of GloVe."""
    random = np.random.default_rng(840)
    words = [WORDS.get(name, name) for name in _NAMES]
    return {word: np.round(0.4 * random.standard_normal(300), 4) for word in words}


def write_glove(folder: Path) -> Path:
    """Write `glove.840B.300d.zip` with those words only, and return it."""
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in vector)}\n" for word, vector in word_vectors().items()]
    path = folder / "glove.840B.300d.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.840B.300d.txt", "".join(lines))
    return path


def features(labels: Array, emotions: Sequence[str], steps: int, seed: int) -> dict[str, Array]:
    """Return sequences `[N, steps, D]` in which the emotions of `labels` `[N, C]` show."""
    random = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    for name in SEQUENCES:
        values = random.standard_normal((len(labels), steps, DIMS[name])) * (0.2 if name == "text" else 0.5)
        for i, emotion in enumerate(emotions):
            shown = word_vectors()[WORDS.get(emotion, emotion)]
            if name != "text":
                direction = np.random.default_rng([_NAMES.index(emotion), DIMS[name]])
                shown = direction.standard_normal(DIMS[name])
            values += np.asarray(labels, float)[:, i, None, None] * shown
        made[name] = values.astype(np.float32)
    made["audio"][0, :2, 3] = -np.inf
    return made


def write_mosei(folder: Path, counts: Sequence[int]) -> None:
    """Write parts of so many examples, three in ten of which have each emotion."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (part, count) in enumerate(zip(PARTS, counts, strict=True)):
        labels = np.random.default_rng([1, seed]).random((count, len(mosei.EMOTIONS))) < 0.3
        write_mosei_files(folder, part, features(labels, mosei.EMOTIONS, 20, seed), labels * (2 / 3))


def write_iemocap(folder: Path, counts: Sequence[int]) -> None:
    """Write parts of so many examples, each with one of four emotions, and as many low-resource ones."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    for seed, (part, count) in enumerate(zip(PARTS, counts, strict=True)):
        labels = np.arange(count)[:, None] % 4 == np.arange(4)
        parts[part] = features(labels, iemocap.EMOTIONS, 20, seed) | {
            "labels": np.stack((~labels, labels), axis=-1).astype(np.int64)
        }
        rare = np.arange(count)[:, None] % 9 == np.arange(9)
        columns = np.concatenate([np.ones((count, 1)), rare, np.ones((count, 1))], axis=1)
        made = features(rare, iemocap.LOW_RESOURCE_EMOTIONS, 21, seed + 10)
        write_low_resource_files(folder, part, made, columns)
    write_iemocap_file(folder, parts)
