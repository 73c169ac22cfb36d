"""GoEmotions: Reddit comments, 27 emotions and neutral (Demszky et al. 2020), with their Ekman grouping."""

from __future__ import annotations

from pathlib import Path

from models.training.corpora.base import CorpusError, Example, Split

EKMAN: dict[str, tuple[str, ...]] = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism", "relief", "pride",
        "admiration", "desire", "caring",
    ),
    "neutral": ("neutral",),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
}  # fmt: skip
"""The authors' grouping of the 28 labels."""

_GROUP_OF = {label: group for group, labels in EKMAN.items() for label in labels}
_FILES: dict[str, Split] = {"train.tsv": "train", "dev.tsv": "validation", "test.tsv": "test"}
_COLUMNS = 3


class GoEmotions:
    """GoEmotions with its official splits.

    A comment is labelled with the groups of its labels and, where a label is finer than its group, with the
    label too: `gratitude` gives `joy` and `gratitude`.

    Args:
        folder: Holds `labels.txt` and `train.tsv`, `dev.tsv`, `test.tsv` (text, label numbers, id).

    Raises:
        CorpusError: A file is missing or malformed.
    """

    name = "goemotions"
    about = "54,263 Reddit comments, official split (Demszky et al. 2020)"
    modality = "text"
    concepts = (*EKMAN, *(label for label in _GROUP_OF if label not in EKMAN))
    multi_label = True
    licence = "Apache-2.0"
    labels = tuple(_GROUP_OF)
    """The corpus's own 28 labels."""

    def __init__(self, folder: Path) -> None:
        for name in ("labels.txt", *_FILES):
            if not (folder / name).is_file():
                raise CorpusError(f"{folder / name} is missing; put GoEmotions' files there")
        labels = (folder / "labels.txt").read_text(encoding="utf-8").split()
        self._examples: list[Example] = []
        self._texts: dict[str, str] = {}
        self._labels: dict[str, frozenset[str]] = {}
        for name, split in _FILES.items():
            lines = (folder / name).read_text(encoding="utf-8").split("\n")
            for number, line in enumerate(lines, 1):
                if line:
                    self._add(folder / name, number, line.split("\t"), labels, split)

    def _add(self, path: Path, number: int, columns: list[str], labels: list[str], split: Split) -> None:
        try:
            if len(columns) != _COLUMNS:
                raise ValueError(f"{len(columns)} columns")
            text, numbers, id_ = columns
            found = [labels[int(index)] for index in numbers.split(",")]
            concepts = {_GROUP_OF[label] for label in found} | set(found)
        except (ValueError, IndexError, KeyError) as error:
            raise CorpusError(f"{path}:{number}: not text, label numbers and id: {error!r}") from error
        key = f"{split}/{id_}"
        self._texts[key] = text
        self._labels[key] = frozenset(found)
        self._examples.append(Example(key, split, tuple(c for c in self.concepts if c in concepts)))

    def examples(self) -> list[Example]:
        """Return all comments in the order of the files."""
        return list(self._examples)

    def labelled(self, key: str) -> frozenset[str]:
        """Return the comment's own labels, before they are grouped."""
        return self._labels[key]

    def content(self, key: str) -> bytes:
        """Return the comment `key` as UTF-8."""
        return self._texts[key].encode()
