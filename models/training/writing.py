"""Writes a fitted network as a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from models.backends import open_backend
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import (
    MODALITIES,
    CalibrationSection,
    Manifest,
    ModalitySection,
    SourceSection,
    SpaceSection,
    SpeakerPriorSection,
    file_sha256,
    write_manifest,
)
from models.training.export import export_network, random_inputs, run_network
from models.training.network import LiveNetwork
from models.training.preparation import Preparation

_CHECK_WINDOWS = 3


def write_bundle(preparation: Preparation, network: LiveNetwork, folder: Path) -> Bundle:
    """Write graph, manifest and check inputs; metrics and card are empty until it has been evaluated.

    Returns:
        The bundle, loaded from what was written and opened once.

    Raises:
        ExportError: The graph does not give what PyTorch gives.
    """
    recipe = preparation.recipe
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {name: (recipe.steps(name), preparation.dim(name)) for name in MODALITIES}
    export_network(network, shapes, preparation.space.dim, folder / "model.onnx")
    _write_check(preparation, network, shapes, folder / "check_inputs.npz")
    manifest = _manifest(preparation, network, shapes, folder)
    write_manifest(folder, manifest)
    (folder / "metrics.json").write_text(json.dumps({}) + "\n", encoding="utf-8")
    (folder / "card.md").write_text("", encoding="utf-8")
    bundle = load_bundle(folder)
    open_backend(bundle)
    return bundle


def _write_check(
    preparation: Preparation, network: LiveNetwork, shapes: dict[str, tuple[int, int]], path: Path
) -> None:
    inputs = random_inputs(shapes, preparation.space.dim, windows=_CHECK_WINDOWS, emotions=1, seed=0)
    inputs["emotions"] = preparation.words.first(list(preparation.recipe.words))
    # The windows differ in what is present: everything, one modality, two.
    inputs["present"] = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1]], np.float32)
    # Half precision holds these inputs exactly once they are rounded to it, in half the room.
    inputs = {name: value.astype(np.float16).astype(np.float32) for name, value in inputs.items()}
    outputs = run_network(network, inputs)
    arrays: dict[str, Any] = {f"input/{name}": value.astype(np.float16) for name, value in inputs.items()}
    arrays |= {f"output/{name}": value for name, value in outputs.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _manifest(
    preparation: Preparation, network: LiveNetwork, shapes: dict[str, tuple[int, int]], folder: Path
) -> Manifest:
    recipe, prior = preparation.recipe, preparation.prior
    sections, calibration, sources = {}, {}, []
    weights = network.fusion.weights.tolist()
    scales, biases = network.calibration.scale.tolist(), network.calibration.bias.tolist()
    for index, name in enumerate(MODALITIES):
        branch = recipe.branch(name)
        spec = preparation.spec(name)
        sections[name] = ModalitySection(
            spec=spec.name if spec else f"text-{recipe.space}@1",
            dim=shapes[name][1],
            steps=shapes[name][0],
            rate_hz=branch.rate_hz,
            floor=branch.floor,
        )
        calibration[name] = CalibrationSection(
            scale=round(scales[index], 4),
            bias=round(biases[index], 4),
            weight=round(weights[index], 4),
        )
        sources += [
            SourceSection(name=corpus.name, modality=name, licence=corpus.licence)
            for corpus in map(preparation.loader.corpus, branch.corpora)
        ]
    return Manifest.model_validate(
        {
            "name": recipe.name,
            "version": recipe.version,
            "space": SpaceSection(name=recipe.space, dim=preparation.space.dim),
            "window_s": recipe.window_s,
            "similarity": "cosine",
            "modalities": sections,
            "speaker_prior": SpeakerPriorSection(
                mean=[round(float(x), 5) for x in prior.mean],
                std=[round(float(x), 5) for x in prior.std],
                weight_s=prior.weight_s,
            ),
            "calibration": calibration,
            "words": recipe.words,
            "sources": sources,
            "licence": recipe.licence,
            "sha256": {name: file_sha256(folder / name) for name in ("model.onnx", "check_inputs.npz")},
        }
    )
