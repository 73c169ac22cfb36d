"""The schema of a bundle's `model.yaml`."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field, model_validator
from ruamel.yaml import YAML

from stream.errors import UserError
from stream.yaml_file import Section, YamlFileError, parse_yaml, validate

MODALITIES = ("face", "voice", "text")
"""In the order of the graph's `present` input and of its per-modality outputs."""
SpaceName: TypeAlias = Literal["glove-6b-50d", "glove-840b-300d", "minilm-l6"]
HASHED_FILES = ("model.onnx", "check_inputs.npz")
READS_SEQUENCES: Literal["sequences"] = "sequences"
"""The value of `reads` in the `model.yaml` of a bundle for a corpus's own features."""


class BundleError(UserError):
    """A bundle that cannot be used; the message names the file and the remedy."""


class SpaceSection(Section):
    """The embedding space of the emotion words and of the text vectors."""

    name: SpaceName
    dim: int = Field(gt=0, le=4096)


class ModalitySection(Section):
    """What the graph expects of one modality in a window."""

    spec: str
    dim: int = Field(gt=0, le=4096)
    steps: int = Field(gt=0, le=4096)
    rate_hz: float | None = Field(default=None, gt=0, le=1000)
    floor: float = Field(ge=0, le=1)


class SpeakerPriorSection(Section):
    """Where speaker normalisation starts before it has heard anybody."""

    mean: list[float]
    std: list[float]
    weight_s: float = Field(gt=0)


class CalibrationSection(Section):
    """How a modality's cosine becomes a probability: `sigmoid(scale * cos + bias)`."""

    scale: float
    bias: float
    weight: float = Field(ge=0)


class NeutralSection(Section):
    """What the graph gives for everybody's neutral faces, or neutral speech."""

    cosines: dict[str, list[float]]
    """Mean cosine to each of `words`."""
    spread: float = Field(gt=0)
    """How far windows are from the mean of the same person: root of the mean square over all words."""


class SourceSection(Section):
    """A corpus that the weights were trained on."""

    name: str
    modality: Literal["face", "voice", "text"]
    licence: str


class Manifest(Section):
    """The schema of `model.yaml`."""

    name: str = Field(min_length=1)
    version: str = Field(pattern=r"^[\w.-]+@\d+$")
    space: SpaceSection
    window_s: float = Field(gt=0, le=120)
    similarity: Literal["cosine"]
    modalities: dict[Literal["face", "voice", "text"], ModalitySection]
    speaker_prior: SpeakerPriorSection
    calibration: dict[Literal["face", "voice", "text"], CalibrationSection]
    words: dict[str, list[str]]
    neutral: dict[Literal["face", "voice"], NeutralSection] = Field(default={})
    sources: list[SourceSection]
    licence: str = Field(min_length=1)
    sha256: dict[str, str]

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        for section in ("modalities", "calibration"):
            missing = set(MODALITIES) - set(getattr(self, section))
            if missing:
                raise ValueError(f"{section}: {', '.join(sorted(missing))} missing")
        if self.modalities["text"].dim != self.space.dim:
            raise ValueError(
                f"modalities.text.dim is {self.modalities['text'].dim}, but space.dim is {self.space.dim}"
            )
        voice_dim = self.modalities["voice"].dim
        for key in ("mean", "std"):
            length = len(getattr(self.speaker_prior, key))
            if length != voice_dim:
                raise ValueError(
                    f"speaker_prior.{key} has {length} numbers, but modalities.voice.dim is {voice_dim}"
                )
        for modality, part in self.modalities.items():
            if part.rate_hz is not None and round(part.rate_hz * self.window_s) != part.steps:
                raise ValueError(
                    f"modalities.{modality}.steps is {part.steps}, but {self.window_s:g} s "
                    f"at {part.rate_hz:g} Hz are {part.rate_hz * self.window_s:g}"
                )
        counts = {concept: len(several) for concept, several in self.words.items()}
        for modality, neutral in self.neutral.items():
            if {concept: len(several) for concept, several in neutral.cosines.items()} != counts:
                raise ValueError(
                    f"neutral.{modality}.cosines must have a number for each of `words`, and no other"
                )
        unhashed = set(HASHED_FILES) - set(self.sha256)
        if unhashed:
            raise ValueError(f"sha256: {', '.join(sorted(unhashed))} missing")
        return self


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the `model.yaml` in `folder`.

    Raises:
        BundleError: It is not what it should be, or that of a bundle that cannot run live.
    """
    try:
        tree = parse_yaml(folder / "model.yaml")
        if not _reads_sequences(tree):
            return validate(folder / "model.yaml", tree, Manifest)
    except YamlFileError as error:
        raise BundleError(f"{error}; use a bundle written by this release of emostream") from error
    raise BundleError(
        f"{folder / 'model.yaml'}: this bundle reads the features of a research corpus (word vectors, "
        "COVAREP, Facet), which are not extracted here, so it cannot run on live sources or media files; "
        "measure it with `emostream evaluate`, and run a bundle such as `live`"
    )


def reads_sequences(folder: Path) -> bool:
    """Whether the bundle in `folder` scores the features of a research corpus, not those extracted here.

    Raises:
        BundleError: Its `model.yaml` cannot be read.
    """
    try:
        return _reads_sequences(parse_yaml(folder / "model.yaml"))
    except YamlFileError as error:
        raise BundleError(str(error)) from error


def _reads_sequences(tree: Any) -> bool:
    return isinstance(tree, dict) and tree.get("reads") == READS_SEQUENCES


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the `model.yaml` in `folder`."""
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(manifest.model_dump(), written)
    (folder / "model.yaml").write_text(written.getvalue(), encoding="utf-8")
