"""Opens the bundle and the vocabulary that the configuration names, and the space that both live in."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from models.baseline import PersonalBaseline, points_file, read_points
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import BundleError
from models.embeddings import EmbeddingSpace, open_space
from models.vocabulary_embedding import EmbeddedVocabulary, embed_vocabulary
from stream.config import Config
from stream.messages import Float32Array
from stream.vocabulary import load_vocabulary

_BUNDLES = Path(__file__).parent / "bundles"


def open_bundle(config: Config) -> Bundle:
    """Load the bundle that `inference.bundle` names.

    Raises:
        BundleError: it cannot be used.
    """
    return open_named_bundle(config.inference.bundle)


def open_named_bundle(name: str) -> Bundle:
    """Load a bundle given by the name of one that comes with emostream, or by its folder.

    Raises:
        BundleError: it cannot be used.
    """
    return load_bundle(_BUNDLES / name if re.fullmatch(r"[\w-]+", name) else Path(name).expanduser())


def shipped_bundles() -> list[Bundle]:
    """Load every bundle that comes with emostream.

    Raises:
        BundleError: one cannot be used.
    """
    return [load_bundle(manifest.parent) for manifest in sorted(_BUNDLES.glob("*/model.yaml"))]


def open_bundle_space(bundle: Bundle) -> EmbeddingSpace:
    """Load the embedding space that a bundle was trained in.

    Raises:
        AssetError: its files are missing.
        EmbeddingError: its files are malformed.
        BundleError: the bundle's vectors cannot be of that space.
    """
    space = open_space(bundle.space)
    if space.dim != bundle.space_dim:
        raise BundleError(
            f"{bundle.folder / 'model.yaml'}: the bundle {bundle.version} takes words of {bundle.space_dim} "
            f"numbers, but those of {space.name} have {space.dim}; use a bundle trained in {space.name}"
        )
    return space


def open_emotions(path: Path, space: EmbeddingSpace) -> EmbeddedVocabulary:
    """Read a vocabulary file and embed it.

    Raises:
        VocabularyError: it cannot be used.
    """
    return embed_vocabulary(load_vocabulary(path), space)


def open_words(bundle: Bundle, space: EmbeddingSpace) -> Float32Array:
    """Return `[W, E]`: the words that a bundle was trained on, in its space."""
    return np.stack([space.phrase(word) for word in bundle.phrases])


def open_baseline(config: Config, bundle: Bundle, space: EmbeddingSpace) -> PersonalBaseline | None:
    """Return the personal baseline that the configuration asks for, if it does.

    Raises:
        BundleError: the bundle cannot have one.
        NeutralPointsError: the file of neutral points is none.
    """
    if not config.baseline.enabled:
        return None
    return PersonalBaseline(
        config.baseline,
        bundle,
        open_words(bundle, space),
        hop_s=config.window.hop_s,
        kept=read_points(points_file(config.baseline), bundle),
    )
