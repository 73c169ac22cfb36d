"""A report that a person wants to look at: Markdown, and pictures drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES, read_manifest
from models.embeddings import EmbeddingSpace
from models.training.report.bars import draw_bars
from models.training.report.confusions import draw_confusion
from models.training.report.document import document
from models.training.report.reliability import draw_reliability
from models.training.report.unseen import draw_unseen
from models.training.report.word_map import draw_word_map
from models.training.word_maps import word_positions
from models.training.words import ConceptWords
from stream.errors import UserError


class ReportError(UserError):
    """A report that cannot be written."""


def write_report(folder: Path, metrics: Mapping[str, Any], bundle: Bundle, space: EmbeddingSpace) -> Path:
    """Write `report.md` and its pictures.

    Args:
        folder: Created where it is missing; pictures of an earlier report are written over.
        metrics: As in `metrics.json`.
        bundle: What was measured.
        space: Its embedding space.

    Returns:
        The file `report.md`.

    Raises:
        ReportError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = _draw(folder, metrics, bundle, space)
        (folder / "report.md").write_text(document(bundle, metrics, pictures), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{folder}: the report cannot be written there: {error.strerror}") from error
    return folder / "report.md"


def _draw(folder: Path, metrics: Mapping[str, Any], bundle: Bundle, space: EmbeddingSpace) -> list[str]:
    """Draw all pictures, and return their names."""
    corpora = metrics["corpora"]
    draw_bars(corpora, folder / "results.png")
    draw_reliability(corpora, folder / "reliability.png")
    names = ["results.png", "reliability.png"]
    for name, found in corpora.items():
        draw_confusion(name, found, folder / f"confusion-{name}.png")
        names.append(f"confusion-{name}.png")
    for kind in ("zero_shot", "few_shot"):
        if metrics.get(kind):
            draw_unseen(metrics[kind], folder / f"{kind}.png")
            names.append(f"{kind}.png")
    words = list(bundle.words)
    positions = word_positions(bundle.graph, ConceptWords(space, bundle.words).first(words))
    learned = _learned(bundle, corpora)
    for modality in MODALITIES:
        if any(found["modality"] == modality for found in corpora.values()):
            draw_word_map(
                modality, words, positions[modality], learned[modality], folder / f"words-{modality}.png"
            )
            names.append(f"words-{modality}.png")
    return names


def _learned(bundle: Bundle, corpora: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return, a modality, the emotions of the corpora that it learned from, as far as they were measured."""
    found: dict[str, set[str]] = {modality: set() for modality in MODALITIES}
    for source in read_manifest(bundle.folder).sources:
        if source.name in corpora:
            found[source.modality] |= set(corpora[source.name]["emotions"])
    return found
