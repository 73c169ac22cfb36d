"""Trains a bundle on a sequence corpus as its recipe says: fit, thresholds, graph, evaluation, card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from models.training.device import open_device
from models.training.metrics import best_thresholds
from models.training.replacing import partial_folder, replace_folder
from models.training.sequences.bundle import SequenceBundle, probability_of
from models.training.sequences.card import card_text
from models.training.sequences.evaluate import EpochReport, measure, metrics_of, words_of
from models.training.sequences.fitting import Fitted, Fitting
from models.training.sequences.protocol import CorpusParts
from models.training.sequences.recipe import SequenceRecipe
from models.training.sequences.writing import write_sequence_bundle


def train_sequences(
    recipe: SequenceRecipe,
    *,
    data: Path,
    out: Path,
    cache: Path,
    device: str,
    stage: Callable[[str], None],
    epoch: EpochReport,
) -> SequenceBundle:
    """Train, evaluate and write the bundle of `recipe`; the folder `out` is replaced at the very end.

    Stopped at any time, it goes on from the checkpoints in `cache` when called again.

    Args:
        recipe: What is trained on what.
        data: Folder of the corpora.
        out: Folder of the bundle.
        cache: Folder of checkpoints.
        device: Where it is trained.
        stage: Told what begins.
        epoch: Told of every epoch.

    Raises:
        CorpusError: The corpus is missing or malformed, or holds nothing to learn of an emotion.
        RecipeError: The recipe does not fit the embedding space.
        UnknownWordError: The embedding space does not know an emotion.
        DeviceError: There is no such device.
        ExportError: The graph does not give what PyTorch gives.
    """
    chosen = open_device(device)
    parts = CorpusParts(recipe.corpus, data, recipe.unseen, recipe.seed)
    if recipe.unseen:
        words_of(recipe, [recipe.unseen.emotion])  # an unknown word is said now, not after hours
    stage(f"fitting on {parts.protocol.title}, on {chosen.type}")
    fitted = Fitting(
        recipe,
        parts,
        checkpoints=cache / "checkpoints" / recipe.name,
        device=chosen,
        report=epoch,
    ).run()

    stage("writing and evaluating the bundle")
    partial = partial_folder(out)
    bundle = write_sequence_bundle(recipe, fitted, _thresholds(parts, fitted), partial)
    metrics = metrics_of(bundle, [measure(bundle, data)])
    (partial / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    card = card_text(bundle, fitted=fitted, metrics=metrics)
    (partial / "card.md").write_text(card, encoding="utf-8")
    replace_folder(partial, out)
    return SequenceBundle(out)


def _thresholds(parts: CorpusParts, fitted: Fitted) -> dict[str, float]:
    """Return the threshold of each emotion that one is tuned for; nothing is tuned for one that is unseen."""
    if not parts.protocol.tuned_thresholds:
        return {}
    found = best_thresholds(fitted.validation.labels, probability_of(fitted.logits))
    unseen = parts.unseen.emotion if parts.unseen else ""
    return {
        emotion: round(float(threshold), 4)
        for emotion, threshold in zip(fitted.validation.emotions, found, strict=True)
        if emotion != unseen
    }
