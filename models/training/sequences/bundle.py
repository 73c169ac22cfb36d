"""A bundle that scores the sequences of a corpus: a folder like a live one's, but it cannot run live.

`model.onnx`, `model.yaml` (below), `metrics.json`, `card.md`. Read and run without PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from models.bundle_manifest import READS_SEQUENCES, BundleError, SpaceName, file_sha256, reads_sequences
from models.onnx_session import open_session
from models.training.corpora.sequences import SEQUENCES, SequenceCorpus, SequenceName
from models.training.sequences.recipe import SequenceRecipe
from stream.messages import Float32Array
from stream.yaml_file import Section, YamlFileError, load_yaml

_SCORED_AT_ONCE = 256
_FILES = ("model.yaml", "model.onnx", "metrics.json", "card.md")


class SequenceSection(Section):
    """One sequence as the graph expects it."""

    features: str = Field(description="what made them, such as COVAREP")
    steps: int = Field(gt=0)
    dim: int = Field(gt=0)
    weight: float | None = Field(
        default=None, description="how much its similarity counts in the sum; a classifier has none"
    )


class SequenceManifest(Section):
    """The schema of `model.yaml`."""

    reads: Literal["sequences"] = READS_SEQUENCES
    name: str
    version: str
    similarity: Literal["dot-product", "none"] = Field(
        description="distances are negative similarities, unbounded; without words, negative logits"
    )
    space: SpaceName | None = Field(default=None, description="of the words; a classifier takes none")
    sequences: dict[SequenceName, SequenceSection]
    emotions: list[str] = Field(min_length=1, description="trained on, in the order of the outputs")
    thresholds: dict[str, float] = Field(
        description="probability from which an emotion is predicted, else 0.5"
    )
    recipe: SequenceRecipe
    licence: str
    sha256: str = Field(description="of model.onnx")

    def in_order(self) -> dict[SequenceName, SequenceSection]:
        """Return the sequences in the common order, which is that of the graph's `modality_distance`."""
        return {name: self.sequences[name] for name in SEQUENCES if name in self.sequences}


class SequenceBundle:
    """A verified bundle, opened on ONNX Runtime.

    Args:
        folder: Where it lies.

    Raises:
        BundleError: A file is missing, changed or malformed, or it is a bundle of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _read(folder)
        self._session = open_session(folder / "model.onnx", threads=2)

    def score(
        self, part: SequenceCorpus, words: Float32Array | None, sequences: Sequence[str] = ()
    ) -> tuple[Float32Array, Float32Array]:
        """Score every example of a part.

        Args:
            part: Of a corpus with the features that the bundle was trained on.
            words: `[K, E]`; a classifier takes none.
            sequences: Which to use, if not all: of the others' similarities nothing is added.

        Returns:
            Distance and probability, `[n, K]`.

        Raises:
            BundleError: The features have other sizes, or a classifier should do without one of them.
        """
        self._check(part)
        given: dict[str, Any] = {} if words is None else {"emotions": words}
        left_out = set(self.manifest.sequences) - set(sequences) if sequences else set()
        if left_out and words is None:
            raise BundleError(
                f"{self.folder}: network {self.manifest.recipe.network.type} cannot do without "
                f"{', '.join(sorted(left_out))}; train one on other `modalities` of the recipe"
            )
        found = []
        for start in range(0, len(part), _SCORED_AT_ONCE):
            rows = slice(start, start + _SCORED_AT_ONCE)
            inputs = {name: getattr(part, name)[rows] for name in self.manifest.sequences}
            found.append(self._run(inputs | given, left_out))
        distance = np.concatenate(found)
        return distance, probability_of(-distance)

    def _run(self, inputs: dict[str, Any], left_out: set[SequenceName]) -> Float32Array:
        if not left_out:
            return np.asarray(self._session.run(["distance"], inputs)[0], np.float32)
        (alone,) = self._session.run(["modality_distance"], inputs)
        weights = [
            0.0 if name in left_out else section.weight or 0.0
            for name, section in self.manifest.in_order().items()
        ]
        return np.einsum("nmk,m->nk", alone, np.asarray(weights, np.float32))

    def _check(self, part: SequenceCorpus) -> None:
        for name, section in self.manifest.sequences.items():
            shape = getattr(part, name).shape[1:]
            if shape != (section.steps, section.dim):
                raise BundleError(
                    f"{self.folder / 'model.yaml'}: the bundle was trained on {name} of {section.steps} "
                    f"steps and {section.dim} features; that of {part.name} is {list(shape)}"
                )


def probability_of(logits: Float32Array) -> Float32Array:
    """Return the logistic function of logits of any size."""
    return np.exp(-np.logaddexp(np.float32(0), -logits))


def _read(folder: Path) -> SequenceManifest:
    for name in _FILES:
        if not (folder / name).is_file():
            raise BundleError(
                f"{folder / name} is missing; such a bundle is a folder with {', '.join(_FILES)}"
            )
    if not reads_sequences(folder):
        raise BundleError(f"{folder / 'model.yaml'}: this bundle is not for the features of a corpus")
    try:
        manifest = load_yaml(folder / "model.yaml", SequenceManifest)
    except YamlFileError as error:
        raise BundleError(f"{error}; use a bundle written by this release of emostream") from error
    if file_sha256(folder / "model.onnx") != manifest.sha256:
        raise BundleError(f"{folder / 'model.onnx'} is not the file that model.yaml describes; copy it again")
    return manifest
