"""Where emotion words land in each modality's space, read from a bundle's graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.bundle_manifest import MODALITIES, BundleError
from models.graph_parts import WORD_MAP, WORDS, GraphPartError, WholeGraph
from models.onnx_session import open_session
from models.training.metrics import Float64Array
from stream.messages import Float32Array


def word_positions(graph: Path, emotions: Float32Array) -> dict[str, Float32Array]:
    """Return, a modality, the unit vectors `[K, joint]` that a bundle's `model.onnx` maps words `[K, E]` to.

    Raises:
        BundleError: The graph has no such part.
    """
    try:
        part = WholeGraph(graph.read_bytes()).cut(WORD_MAP)
    except GraphPartError as error:
        raise BundleError(f"{graph}: {error}; use a bundle written by this release of emostream") from error
    session = open_session(graph, content=part)
    found = session.run([WORDS[name] for name in MODALITIES], {"emotions": emotions})
    return {name: np.asarray(value, np.float32) for name, value in zip(MODALITIES, found, strict=True)}


def principal_plane(positions: Float32Array) -> tuple[Float64Array, float]:
    """Return `[K, 2]`, the plane in which words lie furthest apart, and the share of their spread in it."""
    centred = positions.astype(np.float64) - positions.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    spread = float((size[:2] ** 2).sum() / max((size**2).sum(), 1e-12))
    return (left * size)[:, :2], spread
