"""RAVDESS speech: acted English, eight emotions (Livingstone & Russo 2018)."""

from __future__ import annotations

from pathlib import Path

from models.training.corpora.base import ClipFolder, CorpusError, Example, Split

_CONCEPTS = ("neutral", "calm", "joy", "sadness", "anger", "fear", "disgust", "surprise")
_FIELDS = 7
_VALIDATION_ACTORS = {15, 16}
_FIRST_TEST_ACTOR = 17


class Ravdess(ClipFolder):
    """The speech clips, split by actor: 1-14 train, 15-16 validation, 17 and on test.

    Args:
        folder: Holds the clips `03-01-EE-II-SS-RR-AA.flac` (EE emotion from 01, AA actor, women even).

    Raises:
        CorpusError: There are none.
    """

    name = "ravdess"
    about = (
        "1,200 clips of acted English speech; actors 1-14 train, 15-16 validation, 17-20 test "
        "(Livingstone & Russo 2018)"
    )
    modality = "voice"
    concepts = _CONCEPTS
    multi_label = False
    licence = "CC BY-NC-SA 4.0"

    def __init__(self, folder: Path) -> None:
        examples = [_example(path) for path in sorted(folder.glob("03-01-*.flac"))]
        if not examples:
            raise CorpusError(f"{folder} holds no clips 03-01-*.flac; put the RAVDESS speech clips there")
        super().__init__(folder, examples)


def _example(path: Path) -> Example:
    fields = path.stem.split("-")
    try:
        if len(fields) != _FIELDS:
            raise ValueError("not seven fields")
        concept = _CONCEPTS[int(fields[2]) - 1]
        actor = int(fields[6])
    except (ValueError, IndexError) as error:
        raise CorpusError(f"{path}: not a RAVDESS name (03-01-EE-II-SS-RR-AA.flac)") from error
    split: Split = "train"
    if actor in _VALIDATION_ACTORS:
        split = "validation"
    elif actor >= _FIRST_TEST_ACTOR:
        split = "test"
    sex = "male" if actor % 2 else "female"
    return Example(path.name, split, (concept,), speaker=f"actor{actor:02d}", sex=sex)
