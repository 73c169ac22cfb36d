"""The live bundle with its words in their space, for the tests of the personal baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle, load_bundle
from models.embeddings import EmbeddingSpace, open_space
from models.opening import open_words
from stream.messages import Float32Array

LIVE = Path(__file__).resolve().parents[3] / "models" / "bundles" / "live"


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """Give the bundle that comes with emostream."""
    return load_bundle(LIVE)


@pytest.fixture(scope="session")
def space(bundle: Bundle, asset: Callable[[str], Path]) -> EmbeddingSpace:
    """Give the bundle's embedding space."""
    return open_space(bundle.space, asset("minilm-l6"))


@pytest.fixture(scope="session")
def words(bundle: Bundle, space: EmbeddingSpace) -> Float32Array:
    """Give the bundle's words, `[W, E]`."""
    return open_words(bundle, space)


@pytest.fixture(scope="session")
def voices(bundle: Bundle) -> dict[str, Float32Array]:
    """Give graph inputs of 48 windows of noise, heard as voices that differ."""
    random = np.random.default_rng(3)
    part = bundle.modalities["voice"]
    inputs = {
        name: np.zeros((48, *(size or 0 for size in shape[1:])), np.float32)
        for name, shape in bundle.input_shapes().items()
        if name != "emotions"
    }
    character = random.normal(size=(48, 1, part.dim))
    inputs["voice"] = (character + random.normal(size=(48, part.steps, part.dim))).astype(np.float32)
    inputs["voice_mask"][:] = 1
    inputs["present"][:, 1] = 1
    return inputs
