"""CREMA-D: acted English speech, six emotions (Cao et al. 2014)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from models.training.corpora.base import ClipFolder, CorpusError, Example, Split

_CONCEPTS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "joy",
    "NEU": "neutral",
    "SAD": "sadness",
}
_NAME = re.compile(r"(?P<actor>\d{4})_[A-Z]{3}_(?P<emotion>[A-Z]{3})_[A-Z]{1,2}")
_FOLDER = "AudioWAV"
_DEMOGRAPHICS = "VideoDemographics.csv"
_FIRST_VALIDATION_ACTOR = 1073
_FIRST_TEST_ACTOR = 1082


class CremaD(ClipFolder):
    """The clips, split by actor: 1001-1072 train, 1073-1081 validation, 1082-1091 test.

    The label is the emotion that the actor was asked for, which the file is named by.

    Args:
        folder: Holds `AudioWAV` with the clips `1001_DFA_ANG_XX.wav`: actor, sentence, emotion, level; and
            maybe `VideoDemographics.csv`, which tells who is a woman and who a man.

    Raises:
        CorpusError: There are no clips, one is named otherwise, or the table is malformed.
    """

    name = "crema_d"
    about = (
        "7,442 clips of acted English speech by 91 people; actors 1001-1072 train, 1073-1081 validation, "
        "1082-1091 test (Cao et al. 2014)"
    )
    modality = "voice"
    concepts = tuple(_CONCEPTS.values())
    multi_label = False
    licence = "Open Database License 1.0"

    def __init__(self, folder: Path) -> None:
        clips = folder / _FOLDER
        sexes = _sexes(folder / _DEMOGRAPHICS)
        examples = [_example(path, sexes) for path in sorted(clips.glob("*.wav"))]
        if not examples:
            raise CorpusError(f"{clips} holds no clips *.wav; put CREMA-D's folder {_FOLDER} there")
        super().__init__(clips, examples)


def _sexes(table: Path) -> dict[str, str]:
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return {row["ActorID"]: row["Sex"].lower() for row in rows}
        except (KeyError, AttributeError, UnicodeDecodeError) as error:
            raise CorpusError(
                f"{table}:{rows.line_num}: not a row with ActorID and Sex: {error!r}; fetch CREMA-D again"
            ) from error


def _example(path: Path, sexes: Mapping[str, str]) -> Example:
    name = _NAME.fullmatch(path.stem)
    if name is None or name["emotion"] not in _CONCEPTS:
        raise CorpusError(
            f"{path}: not a CREMA-D name (1001_DFA_ANG_XX.wav, emotions {', '.join(_CONCEPTS)}); remove it"
        )
    split: Split = "train"
    if int(name["actor"]) >= _FIRST_TEST_ACTOR:
        split = "test"
    elif int(name["actor"]) >= _FIRST_VALIDATION_ACTOR:
        split = "validation"
    return Example(
        path.name,
        split,
        (_CONCEPTS[name["emotion"]],),
        speaker=f"actor{name['actor']}",
        sex=sexes.get(name["actor"], ""),
    )
