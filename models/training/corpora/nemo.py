"""nEMO: acted Polish speech, six emotions (Christop 2024)."""

from __future__ import annotations

import csv
from pathlib import Path

from models.training.corpora.base import ClipFolder, CorpusError, Example, Split

_CONCEPTS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "joy",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}
_SPLITS: dict[str, Split] = {"TP0": "validation", "KD0": "test", "WR0": "test"}


class Nemo(ClipFolder):
    """The clips, split by speaker.

    Tests are on the last woman and the last man, by name, who recorded all six emotions; validation is on the
    last of the others.

    Args:
        folder: Holds `data.tsv` (with `file_id`, `emotion`, `speaker_id`, maybe `gender`) and the clips as
            Opus.

    Raises:
        CorpusError: The table is missing or malformed.
    """

    name = "nemo"
    about = "4,481 clips of acted Polish speech by nine people, split by speaker (Christop 2024)"
    modality = "voice"
    concepts = tuple(_CONCEPTS.values())
    multi_label = False
    licence = "CC BY-NC-SA 4.0"

    def __init__(self, folder: Path) -> None:
        table = folder / "data.tsv"
        if not table.is_file():
            raise CorpusError(f"{table} is missing; put nEMO there (data.tsv and the clips as .opus)")
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        try:
            examples = sorted(
                (
                    Example(
                        Path(row["file_id"]).stem + ".opus",
                        _SPLITS.get(row["speaker_id"].strip(), "train"),
                        (_CONCEPTS[row["emotion"]],),
                        speaker=row["speaker_id"].strip(),
                        sex=row.get("gender") or "",
                    )
                    for row in rows
                ),
                key=lambda example: example.key,
            )
        except KeyError as error:
            raise CorpusError(
                f"{table}: unknown column or emotion {error}; it is not nEMO's table"
            ) from error
        super().__init__(folder, examples)
