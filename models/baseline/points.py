"""Neutral points, and the file in which `emostream calibrate` keeps them: numbers, for its user alone."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import platformdirs
from pydantic import Field
from ruamel.yaml import YAML

from models.bundle import Bundle
from stream.config import BaselineSection, Name
from stream.errors import UserError
from stream.messages import Float32Array
from stream.yaml_file import Section, YamlFileError, load_yaml

_HEADER = """\
# Neutral points of faces and voices, written by `emostream calibrate`: how near each was to the model's words
# when its owner was at rest. Delete the file, or a source in it, and it is forgotten.
"""
_DIGITS = 5


class NeutralPointsError(UserError):
    """A file of neutral points that cannot be read or written; the message names it and the remedy."""


@dataclass(frozen=True)
class NeutralPoint:
    """What a person's face or voice gives at rest.

    Attributes:
        cosines: `[W]`, the mean cosine to each of `Bundle.phrases`.
        seconds: Seconds of evidence that it comes from.
    """

    cosines: Float32Array
    seconds: float


@dataclass(frozen=True)
class KeptPoints:
    """What was read from a file.

    Attributes:
        points: By source, then by `face` and `voice`.
        other_model: The model that the file was written for, where that is another; no points then.
    """

    points: Mapping[str, Mapping[str, NeutralPoint]] = field(default_factory=dict)
    other_model: str | None = None


class _Point(Section):
    seconds: float = Field(gt=0, allow_inf_nan=False)
    cosines: dict[str, float]


class _File(Section):
    model: str
    sha256: str
    sources: dict[Name, dict[Literal["face", "voice"], _Point]]


def points_file(settings: BaselineSection) -> Path:
    """Return the file that the configuration names, or the one in the user's state folder."""
    return settings.points or platformdirs.user_state_path("emostream") / "neutral.yaml"


def read_points(path: Path, bundle: Bundle) -> KeptPoints:
    """Read the neutral points in `path`, none where there is no such file.

    Raises:
        NeutralPointsError: It is not a file of neutral points.
    """
    file = _read(path)
    if file is None:
        return KeptPoints()
    if file.sha256 != bundle.sha256:
        return KeptPoints(other_model=file.model)
    return KeptPoints(
        {
            source: {modality: _point(path, source, point, bundle) for modality, point in parts.items()}
            for source, parts in file.sources.items()
        }
    )


def write_points(path: Path, bundle: Bundle, source: str, points: Mapping[str, NeutralPoint]) -> None:
    """Keep the neutral points of one source, in place of what was kept of these modalities.

    Other sources and modalities stay, unless they were for another model. Only its user may read the file.

    Raises:
        NeutralPointsError: It cannot be written, or holds something else.
    """
    file = _read(path)
    kept = file.model_dump()["sources"] if file is not None and file.sha256 == bundle.sha256 else {}
    kept[source] = kept.get(source, {}) | {
        modality: {
            "seconds": round(point.seconds, 1),
            "cosines": {
                word: round(float(cosine), _DIGITS)
                for word, cosine in zip(bundle.phrases, point.cosines, strict=True)
            },
        }
        for modality, point in points.items()
    }
    content = io.StringIO(_HEADER)
    content.seek(0, io.SEEK_END)
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump({"model": bundle.version, "sha256": bundle.sha256, "sources": kept}, content)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.partial")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(content.getvalue())
        draft.replace(path)
    except OSError as error:
        raise NeutralPointsError(
            f"{path}: cannot be written: {error.strerror}; name another file in `baseline.points`"
        ) from error


def _read(path: Path) -> _File | None:
    if not path.is_file():
        return None
    try:
        return load_yaml(path, _File)
    except YamlFileError as error:
        raise NeutralPointsError(f"{error}; delete the file and run `emostream calibrate` again") from error


def _point(path: Path, source: str, point: _Point, bundle: Bundle) -> NeutralPoint:
    try:
        cosines = np.array([point.cosines[word] for word in bundle.phrases], np.float32)
    except KeyError as error:
        raise NeutralPointsError(
            f"{path}: sources.{source}: there is nothing for {error}; delete the file and run "
            "`emostream calibrate` again"
        ) from error
    return NeutralPoint(cosines, point.seconds)
