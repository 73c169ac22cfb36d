"""FER2013: 48×48 grey faces from the web (Goodfellow et al. 2013), as a zip with an `index.csv`."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from models.training.corpora.base import CorpusError, Example, Split

_CONCEPTS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "joy",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
_SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}


class Fer2013:
    """FER2013 with its official train, validation (public test) and test (private test) parts.

    Args:
        archive: The zip; its `index.csv` has the columns `path`, `label`, `split`.

    Raises:
        CorpusError: The zip is missing or holds no such index.
    """

    name = "fer2013"
    about = "34,034 faces from the web, 48×48 grey, official split (Goodfellow et al. 2013)"
    modality = "face"
    concepts = tuple(_CONCEPTS.values())
    multi_label = False
    licence = "unclear; research use only"

    def __init__(self, archive: Path) -> None:
        if not archive.is_file():
            raise CorpusError(f"{archive} is missing; put FER2013 there as a zip with an index.csv")
        try:
            self._zip = zipfile.ZipFile(archive)
            index = self._zip.read("index.csv").decode()
            self._examples = [
                Example(row["path"], _SPLITS[row["split"]], (_CONCEPTS[row["label"]],))
                for row in csv.DictReader(io.StringIO(index))
            ]
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
            raise CorpusError(
                f"{archive} is not FER2013 with an index.csv of path, label, split: {error!r}"
            ) from error
        self._archive = archive

    def examples(self) -> list[Example]:
        """Return all examples in the order of the index."""
        return list(self._examples)

    def content(self, key: str) -> bytes:
        """Return the image file `key`.

        Raises:
            CorpusError: The zip does not hold it, or it is damaged.
        """
        try:
            return self._zip.read(key)
        except (KeyError, zipfile.BadZipFile) as error:
            raise CorpusError(
                f"{self._archive}: cannot read {key}: {error}; fetch the corpus again"
            ) from error
