"""The model card of a bundle: what it is, how good it is, what it learned from, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES, Manifest
from models.training.corpora import Corpus
from models.training.measured import measured_sections, with_sections
from models.training.recipe import Recipe


@dataclass(frozen=True)
class TrainingRecord:
    """How the fit went.

    Attributes:
        epochs: How many each modality was trained for.
        best_epochs: Which of them was kept.
        validation: The score that decided, 0..1.
    """

    epochs: Mapping[str, int]
    best_epochs: Mapping[str, int]
    validation: Mapping[str, float]


def card_text(
    bundle: Bundle,
    *,
    manifest: Manifest,
    recipe: Recipe,
    corpora: Sequence[Corpus],
    metrics: Mapping[str, Any],
    record: TrainingRecord,
) -> str:
    """Return the card as Markdown.

    Args:
        bundle: What the card is of.
        manifest: Its `model.yaml`.
        recipe: How it was trained.
        corpora: On what.
        metrics: What `metrics.json` holds.
        record: How the fit went.
    """
    measured = measured_sections(metrics)
    limits = measured.pop("What it is not")
    sections = {
        **measured,
        "What it learned from": _sources(bundle, corpora),
        "How it was trained": _training(manifest, recipe, record),
        "What it is not": limits,
    }
    if recipe.notes:
        sections["What was tried"] = "".join(f"- {note}\n" for note in recipe.notes)
    return with_sections(f"# {bundle.version}\n\n{_what(bundle)}", sections)


def _what(bundle: Bundle) -> str:
    return f"""\
Scores windows of {bundle.window_s:g} s (a face, a voice, words, or some of these) against emotion words.
Windows and words are mapped into one space; their cosine distance, 0 (same) to 2 (opposite), is the score,
and a probability is calibrated from it. At distance 1 a window says no more of a word than windows do on
average, in every modality and for every word.

Words come as vectors of the embedding space `{bundle.space}`, so any word can be scored. Words that are not
listed below deserve suspicion; where it was measured how well unseen words work, a section says so.

Licence of the weights: {bundle.licence}.
"""


def _sources(bundle: Bundle, corpora: Sequence[Corpus]) -> str:
    rows = [f"| {c.name} | {c.modality} | {c.about} | {c.licence} |\n" for c in corpora]
    words = [f"- {concept}: {', '.join(several)}\n" for concept, several in bundle.words.items()]
    return f"""\
| corpus | modality | what | licence |
|---|---|---|---|
{"".join(rows)}
The emotion words trained on; a concept went by any of its words:

{"".join(words)}"""


def _training(manifest: Manifest, recipe: Recipe, record: TrainingRecord) -> str:
    calibration = {str(name): section for name, section in manifest.calibration.items()}
    rows = []
    for name in MODALITIES:
        own = calibration[name]
        rows.append(
            f"| {name} | {record.best_epochs[name]} of {record.epochs[name]} | {record.validation[name]:.3f} "
            f"| {own.scale:.2f} | {own.bias:.2f} | {own.weight:.2f} |\n"
        )
    return f"""\
    emostream train configs/training/{recipe.name}.yaml

with seed {recipe.seed}. Each modality was fitted alone, from its own corpora, against the shared emotion
words; the epoch with the best score on the validation part was kept. Then a scale and a bias a modality were
fitted on the validation parts, so that `sigmoid(scale * cosine + bias)` is a probability, and then the
weights of fusion, on pairs and triples put together from validation examples with the same label.

| modality | epoch kept | validation score | scale | bias | weight |
|---|---|---|---|---|---|
{"".join(rows)}
The validation score is the mean of accuracy and unweighted average recall, averaged over corpora; of words
macro-F1 over all labels.
"""
