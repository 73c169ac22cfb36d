"""A model as a folder: what the daemon loads, written by training, read without PyTorch.

`model.onnx`, `model.yaml` (see `models.bundle_manifest`), `metrics.json`, `card.md`, and `check_inputs.npz`:
a few inputs with the outputs they must give, so that a backend can prove itself before it serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.bundle_manifest import (
    HASHED_FILES,
    MODALITIES,
    BundleError,
    Manifest,
    NeutralSection,
    file_sha256,
    read_manifest,
)
from models.extractors.speaker import SpeakerPrior
from models.npz_file import NpzFileError, read_npz
from models.spec import FeatureSpec
from stream.messages import Float32Array

_FILES = ("model.yaml", *HASHED_FILES, "metrics.json", "card.md")


@dataclass(frozen=True)
class ModalityInput:
    """What the graph expects of one modality in a window.

    Attributes:
        spec: Name of the feature layout, such as `face@1`.
        dim: Numbers in a vector.
        rate_hz: Bins a second; `None` for words, which have no rate.
        steps: Bins, or words, in a window.
        floor: Coverage below which the modality is not used, 0..1.
    """

    spec: str
    dim: int
    rate_hz: float | None
    steps: int
    floor: float


@dataclass(frozen=True)
class ModalityCalibration:
    """How a modality's cosine becomes a logit, `scale * cos + bias`, and what it weighs in fusion."""

    scale: float
    bias: float
    weight: float


@dataclass(frozen=True)
class NeutralEvidence:
    """What the graph gives for everybody's neutral faces, or neutral speech.

    Attributes:
        cosines: `[W]`, the mean cosine to each of `Bundle.phrases`.
        spread: How far windows are from the mean of the same person: root of the mean square over all words.
    """

    cosines: Float32Array
    spread: float


@dataclass(frozen=True)
class Bundle:
    """A loaded and verified bundle.

    Attributes:
        folder: Where it lies.
        name: Name of the recipe, such as `live`.
        version: Name and version, such as `live@1`; goes into every message.
        space: Name of the embedding space it was trained in.
        space_dim: Numbers in a word's vector in that space.
        window_s: Length of a window.
        modalities: By `face`, `voice`, `text`.
        speaker_prior: Where speaker normalisation starts.
        calibration: By `face`, `voice`, `text`.
        neutral: By `face` and `voice`, what everybody's neutral evidence gives; empty where that was not
            measured.
        words: The emotion words trained on, by the concept they stand for; any other word works too.
        licence: The strictest among those of the training data.
        sha256: Of `model.onnx`, in hex.
    """

    folder: Path
    name: str
    version: str
    space: str
    space_dim: int
    window_s: float
    modalities: Mapping[str, ModalityInput]
    speaker_prior: SpeakerPrior
    calibration: Mapping[str, ModalityCalibration]
    neutral: Mapping[str, NeutralEvidence]
    words: Mapping[str, Sequence[str]]
    licence: str
    sha256: str

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.folder / "model.onnx"

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every word trained on, once."""
        return tuple(dict.fromkeys(word for several in self.words.values() for word in several))

    def input_shapes(self) -> dict[str, tuple[int | None, ...]]:
        """Return the shape of every input of the graph; `None` where it is free (windows, words)."""
        shapes: dict[str, tuple[int | None, ...]] = {}
        for modality in MODALITIES:
            part = self.modalities[modality]
            shapes[modality] = (None, part.steps, part.dim)
            shapes[f"{modality}_mask"] = (None, part.steps)
        shapes["present"] = (None, len(MODALITIES))
        shapes["emotions"] = (None, self.space_dim)
        return shapes

    def check_space(self, name: str) -> None:
        """Refuse an embedding space other than the one the bundle was trained in.

        Raises:
            BundleError: `name` is another space.
        """
        if name != self.space:
            raise BundleError(
                f"{self.folder / 'model.yaml'}: the bundle {self.version} was trained in the embedding space "
                f"{self.space}, not {name}; load {self.space}, or train a bundle in {name}"
            )

    def check_specs(self, running: Iterable[FeatureSpec]) -> None:
        """Refuse extractors whose vectors have another layout than those the bundle was trained on.

        Raises:
            BundleError: A spec's name or dimension differs.
        """
        for spec in running:
            part = self.modalities[spec.modality]
            if (spec.name, spec.dim) != (part.spec, part.dim):
                raise BundleError(
                    f"{self.folder / 'model.yaml'}: the bundle {self.version} was trained on "
                    f"{part.spec} ({part.dim} numbers a vector), but the {spec.modality} extractor here "
                    f"gives {spec.name} ({spec.dim}); use a bundle trained on {spec.name}, "
                    "or the emostream release that wrote this one"
                )

    def check_arrays(self) -> tuple[dict[str, Float32Array], dict[str, Float32Array]]:
        """Return the stored inputs of the graph and the outputs that they must give.

        Raises:
            BundleError: They cannot be read.
        """
        path = self.folder / "check_inputs.npz"
        groups: dict[str, dict[str, Float32Array]] = {"input": {}, "output": {}}
        try:
            for name, array in read_npz(path).items():
                group, _, key = name.partition("/")
                groups[group][key] = array.astype(np.float32)
        except (NpzFileError, KeyError, ValueError) as error:
            raise BundleError(
                f"{path}: not the inputs of a bundle ({error}); copy the whole bundle again"
            ) from error
        return groups["input"], groups["output"]


def load_bundle(folder: Path) -> Bundle:
    """Read and verify the bundle in `folder`.

    Raises:
        BundleError: A file is missing, changed or malformed, or two of them contradict each other.
    """
    _require(folder, "model.yaml")
    manifest = read_manifest(folder)  # before the other files: a bundle of another kind has others
    _require(folder, *_FILES)
    for name in HASHED_FILES:
        found = file_sha256(folder / name)
        if found != manifest.sha256[name]:
            raise BundleError(
                f"{folder / name} is not the file that model.yaml describes (sha256 {found[:12]}…, "
                f"expected {manifest.sha256[name][:12]}…); copy the whole bundle again"
            )
    prior = manifest.speaker_prior
    return Bundle(
        folder=folder,
        name=manifest.name,
        version=manifest.version,
        space=manifest.space.name,
        space_dim=manifest.space.dim,
        window_s=manifest.window_s,
        modalities={
            modality: ModalityInput(part.spec, part.dim, part.rate_hz, part.steps, part.floor)
            for modality, part in manifest.modalities.items()
        },
        speaker_prior=SpeakerPrior(
            mean=np.asarray(prior.mean, np.float32),
            std=np.asarray(prior.std, np.float32),
            weight_s=prior.weight_s,
        ),
        calibration={
            modality: ModalityCalibration(part.scale, part.bias, part.weight)
            for modality, part in manifest.calibration.items()
        },
        neutral={modality: _neutral(manifest, part) for modality, part in manifest.neutral.items()},
        words=manifest.words,
        licence=manifest.licence,
        sha256=manifest.sha256["model.onnx"],
    )


def _require(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise BundleError(f"{folder / name} is missing; a bundle is a folder with {', '.join(_FILES)}")


def _neutral(manifest: Manifest, part: NeutralSection) -> NeutralEvidence:
    by_word = {
        word: cosine
        for concept, several in manifest.words.items()
        for word, cosine in zip(several, part.cosines[concept], strict=True)
    }
    return NeutralEvidence(np.array(list(by_word.values()), np.float32), part.spread)
