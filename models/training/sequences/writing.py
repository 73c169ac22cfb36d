"""Writes a fitted network as a bundle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from models.bundle_manifest import file_sha256
from models.training.paper import EmotionEmbeddingNetwork
from models.training.sequences.bundle import SequenceBundle, SequenceManifest, SequenceSection
from models.training.sequences.fitting import Fitted
from models.training.sequences.graph import SequenceGraph, export_graph
from models.training.sequences.protocol import FEATURES
from models.training.sequences.recipe import EmotionEmbeddings, SequenceRecipe


def write_sequence_bundle(
    recipe: SequenceRecipe, fitted: Fitted, thresholds: Mapping[str, float], folder: Path
) -> SequenceBundle:
    """Write graph and manifest; metrics and card are empty until it has been evaluated.

    Returns:
        The bundle, opened from what was written.

    Raises:
        ExportError: The graph does not give what PyTorch gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = _sections(recipe, fitted)
    network = fitted.network
    takes_words = isinstance(network, EmotionEmbeddingNetwork)
    export_graph(
        SequenceGraph(network, recipe.sequences),
        {name: (section.steps, section.dim) for name, section in sections.items()},
        network.emotions.shape[1] if isinstance(network, EmotionEmbeddingNetwork) else 0,
        folder / "model.onnx",
        weights=recipe.weights,
    )
    manifest = SequenceManifest(
        name=recipe.name,
        version=recipe.version,
        similarity="dot-product" if takes_words else "none",
        space=recipe.network.space if isinstance(recipe.network, EmotionEmbeddings) else None,
        sequences=sections,
        emotions=list(fitted.validation.emotions),
        thresholds=dict(thresholds),
        recipe=recipe,
        licence=recipe.licence,
        sha256=file_sha256(folder / "model.onnx"),
    )
    written = io.StringIO()
    YAML(typ="safe", pure=True).dump(manifest.model_dump(mode="json", exclude_none=True), written)
    (folder / "model.yaml").write_text(written.getvalue(), encoding="utf-8")
    (folder / "metrics.json").write_text("{}\n", encoding="utf-8")
    (folder / "card.md").write_text("", encoding="utf-8")
    return SequenceBundle(folder)


def _sections(recipe: SequenceRecipe, fitted: Fitted) -> dict[str, SequenceSection]:
    weights: dict[str, float] = {}
    if isinstance(fitted.network, EmotionEmbeddingNetwork):
        several = len(recipe.sequences) > 1
        values = fitted.network.weights.tolist() if several else [1.0]
        weights = dict(zip(recipe.sequences, values, strict=True))
    sections = {}
    for name in recipe.sequences:
        steps, dim = getattr(fitted.validation, name).shape[1:]
        sections[str(name)] = SequenceSection(
            features=FEATURES[name], steps=steps, dim=dim, weight=weights.get(name)
        )
    return sections
