"""The few figures of `metrics.json` that everybody asks for: where each comes from, and the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.bundle_manifest import MODALITIES


@dataclass(frozen=True)
class Headline:
    """One row of the table.

    Attributes:
        name: Key in `metrics.json`.
        results: Names of the results of corpora that it is in; of several the largest counts.
        figure: Which figure of theirs.
        label: What it says, for people.
    """

    name: str
    results: Sequence[str]
    figure: str
    label: str


_GOEMOTIONS = ["goemotions", "goemotions-ekman"]
HEADLINES = (
    Headline("face.fer2013_test_accuracy", ["fer2013"], "accuracy", "face: accuracy, FER2013, 7 classes"),
    Headline("face.fer2013_found", ["fer2013"], "found", "face: found in a picture of FER2013"),
    Headline("voice.ravdess_uar", ["ravdess"], "uar", "voice: unweighted average recall, RAVDESS, 8 classes"),
    Headline("voice.nemo_uar", ["nemo"], "uar", "voice: unweighted average recall, nEMO, 6 classes"),
    Headline("text.goemotions_macro_f1", ["goemotions"], "macro_f1", "text: macro-F1, GoEmotions, 28 labels"),
    Headline("text.goemotions_ekman_macro_f1", ["goemotions-ekman"], "macro_f1",
             "text: macro-F1, GoEmotions, Ekman's six and neutral"),
    Headline("text.meld_weighted_f1", ["meld"], "weighted_f1", "text: weighted F1, MELD, 7 classes"),
    Headline("ece.face", ["fer2013"], "ece", "face: calibration error, FER2013"),
    Headline("ece.voice", ["ravdess", "nemo"], "ece", "voice: calibration error, RAVDESS or nEMO"),
    Headline("ece.text", _GOEMOTIONS, "ece", "text: calibration error, GoEmotions, labels or groups"),
)  # fmt: skip
LABELS = {row.name: row.label for row in HEADLINES} | {
    f"zero_shot_auc.{modality}": f"{modality}: mean AUC of a word left out of training (chance 0.5)"
    for modality in MODALITIES
}
"""What each key of the headlines says, for people."""


def headlines(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline figures that `metrics` has all of, each with its interval and the command.

    Args:
        metrics: With `bundle`, `corpora` and maybe `zero_shot`, of which all words of a modality are needed.
    """
    folder = f"models/bundles/{metrics['bundle'].partition('@')[0]}"
    found: dict[str, Any] = {}
    for row in HEADLINES:
        parts = [metrics["corpora"][name] for name in row.results if name in metrics["corpora"]]
        if len(parts) < len(row.results) or any(part.get(row.figure) is None for part in parts):
            continue
        worst = max(parts, key=lambda part: float(part[row.figure]))
        corpora = dict.fromkeys(name.removesuffix("-ekman") for name in row.results)
        options = "".join(f" --corpus {name}" for name in corpora)
        found[row.name] = {
            "value": worst[row.figure],
            "interval": worst["intervals"][row.figure],
            "command": f"emostream evaluate {folder} --data DIR{options}",
        }
    for modality in MODALITIES:
        part = metrics.get("zero_shot", {}).get(modality)
        if part is not None and part["complete"]:
            found[f"zero_shot_auc.{modality}"] = {
                "value": part["auc"],
                "interval": part["interval"],
                "command": f"emostream evaluate {folder} --data DIR --zero-shot all --modalities {modality}",
            }
    return found
