"""MELD: utterances of a television comedy, one of seven emotions each (Poria et al. 2019)."""

from __future__ import annotations

import csv
from pathlib import Path

from models.training.corpora.base import CorpusError, Example, Split, read_content

_CONCEPTS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
_FILES: dict[str, Split] = {
    "train_sent_emo.csv": "train",
    "dev_sent_emo.csv": "validation",
    "test_sent_emo.csv": "test",
}
_CLIPS: dict[str, str] = {
    "train": "train_splits",
    "validation": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
"""The folders that the published archive of each part unpacks to."""


class Meld:
    """The words of MELD with its official splits.

    Args:
        folder: Holds `train_sent_emo.csv`, `dev_sent_emo.csv` and `test_sent_emo.csv` as published.

    Raises:
        CorpusError: A table is missing or malformed.
    """

    name = "meld"
    about = "13,708 utterances of television dialogue, official split (Poria et al. 2019)"
    modality = "text"
    concepts = _CONCEPTS
    multi_label = False
    licence = "GPL-3.0"

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, str] = {}
        self._examples: list[Example] = []
        for name, split in _FILES.items():
            table = folder / name
            if not table.is_file():
                raise CorpusError(f"{table} is missing; put MELD's three *_sent_emo.csv there")
            self._add(table, split)

    def _add(self, table: Path, split: Split) -> None:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            try:
                for row in rows:
                    emotion = row["Emotion"].strip().lower()
                    if emotion not in _CONCEPTS:
                        raise CorpusError(
                            f"{table}:{rows.line_num}: Emotion: {emotion!r} is none of {', '.join(_CONCEPTS)}"
                        )
                    key = f"{split}/dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
                    self._texts[key] = row["Utterance"]
                    self._examples.append(Example(key, split, (emotion,), speaker=row["Speaker"]))
            except (KeyError, AttributeError, UnicodeDecodeError) as error:
                raise CorpusError(f"{table}:{rows.line_num}: not a row of MELD's table: {error!r}") from error

    def examples(self) -> list[Example]:
        """Return all utterances in the order of the tables."""
        return list(self._examples)

    def content(self, key: str) -> bytes:
        """Return the utterance `key` as UTF-8."""
        return self._texts[key].encode()


class MeldClips(Meld):
    """The clips of MELD: their sound, or the face that they show.

    A scene may show several faces and hold laughter from the tape: what is found first counts.

    Args:
        folder: Holds MELD's tables and, beside them, the folders of clips `dia0_utt0.mp4` as published:
            `train_splits`, `dev_splits_complete`, `output_repeated_splits_test`.
        modality: `voice` or `face`.

    Raises:
        CorpusError: A table or all folders of clips are missing.
    """

    about = "13,708 clips of television dialogue, official split (Poria et al. 2019)"

    def __init__(self, folder: Path, modality: str) -> None:
        super().__init__(folder)
        self.name = f"meld-{modality}"
        self.modality = modality
        self._folder = folder
        if not any((folder / clips).is_dir() for clips in _CLIPS.values()):
            raise CorpusError(f"{folder} has no folder of clips; put {', '.join(_CLIPS.values())} there")

    def content(self, key: str) -> bytes:
        """Return the video file `key`.

        Raises:
            CorpusError: It cannot be read.
        """
        split, clip = key.split("/")
        return read_content(self._folder / _CLIPS[split] / f"{clip}.mp4")
