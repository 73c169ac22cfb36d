"""Embedding spaces: emotion words and heard words as vectors, interchangeable behind one interface."""

from __future__ import annotations

from pathlib import Path

from models.assets import asset_path
from models.embeddings.space import EmbeddingError, EmbeddingSpace, UnknownWordError

__all__ = ["SPACES", "EmbeddingError", "EmbeddingSpace", "UnknownWordError", "open_space"]

SPACES = ("minilm-l6", "glove-6b-50d", "glove-840b-300d")
"""Every space by name; the asset that holds its files has the same name."""


def open_space(name: str, path: Path | None = None) -> EmbeddingSpace:
    """Return the embedding space called `name`.

    Args:
        name: one of `SPACES`.
        path: where its files are, if not in the asset cache.

    Raises:
        EmbeddingError: there is no space of that name, or its files are malformed.
        models.assets.AssetError: its files have not been fetched.
    """
    if name not in SPACES:
        raise EmbeddingError(f"no embedding space is called {name!r}; there are {', '.join(SPACES)}")
    path = path or asset_path(name)
    # Imported when opened: each brings a library that the other does not need.
    if name == "minilm-l6":
        from models.embeddings.minilm import MiniLmSpace  # noqa: PLC0415

        return MiniLmSpace(path)
    from models.embeddings.glove import open_glove_6b, open_glove_840b  # noqa: PLC0415

    return open_glove_6b(path) if name == "glove-6b-50d" else open_glove_840b(path)
