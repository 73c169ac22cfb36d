"""Windows and inputs for the live bundle, of random numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.timelines import ModalityWindow
from models.window_schedule import DueWindow
from stream.messages import Float32Array
from stream.windows import Window

LIVE = Path(__file__).resolve().parents[2] / "models" / "bundles" / "live"


def random_inputs(
    bundle: Bundle, windows: int, *, emotions: int = 6, seed: int = 0
) -> dict[str, Float32Array]:
    """Return inputs of the graph in which every modality has evidence in the second half of the window."""
    random = np.random.default_rng(seed)
    inputs: dict[str, Float32Array] = {}
    for name in MODALITIES:
        part = bundle.modalities[name]
        mask = np.zeros((windows, part.steps), np.float32)
        mask[:, part.steps // 2 :] = 1
        values = random.standard_normal((windows, part.steps, part.dim)).astype(np.float32)
        inputs[name], inputs[f"{name}_mask"] = values * mask[..., None], mask
    inputs["present"] = np.ones((windows, len(MODALITIES)), np.float32)
    vectors = random.standard_normal((emotions, bundle.space_dim)).astype(np.float32)
    return inputs | {"emotions": vectors / np.linalg.norm(vectors, axis=1, keepdims=True)}


def evidence(bundle: Bundle, name: str, seed: int, *, why: str | None = None) -> ModalityWindow:
    """Return a modality's part of a window, a different one for each seed."""
    inputs = random_inputs(bundle, 1, seed=seed)
    window = Window(inputs[name][0], inputs[f"{name}_mask"][0], newest_ns=1)
    return ModalityWindow(window, coverage=0.5, dropped=0, pending_ns=0, why=why, subject=None)


def due(source: str, **modalities: ModalityWindow) -> DueWindow:
    """Return a window of a source."""
    return DueWindow(source, seq=0, end_ns=0, modalities=modalities)
