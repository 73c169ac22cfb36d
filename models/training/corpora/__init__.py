"""Emotion corpora behind one small interface: examples with labels, and the bytes of each."""

from __future__ import annotations

from models.training.corpora.base import Corpus, CorpusError, EmptyPartError, Example, Split
from models.training.corpora.manifest import read_manifest
from models.training.corpora.registry import CORPORA, corpora_in, open_corpus

__all__ = [
    "CORPORA",
    "Corpus",
    "CorpusError",
    "EmptyPartError",
    "Example",
    "Split",
    "corpora_in",
    "open_corpus",
    "read_manifest",
]
