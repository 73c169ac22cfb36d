"""The text of a report, around its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.training.measured import TRANSFER_TITLES, measured_sections, stated

_MAPS = """\
Each modality maps the vectors of the emotion words into a space of its own, in which a window is compared
with them. Words near each other are hard to tell apart there; a word without examples scores like its
neighbours.
"""


def document(bundle: Bundle, metrics: Mapping[str, Any], pictures: Sequence[str]) -> str:
    """Return the report as Markdown.

    Args:
        bundle: What was measured.
        metrics: As in `metrics.json`.
        pictures: Names of the PNG files that lie beside the report.
    """
    own = measured_sections(metrics)
    parts = [
        f"# {bundle.version}: how good it is\n",
        own["How good it is"],
        _pictures(pictures, "results"),
        "## What the probabilities are worth\n",
        _pictures(pictures, "reliability"),
    ]
    for modality in MODALITIES:
        named = {name: part for name, part in metrics["corpora"].items() if part["modality"] == modality}
        if named:
            parts.append(f"## By emotion: {modality}\n")
        for name, part in named.items():
            parts += [f"### {name}\n", _emotions(part), _pictures(pictures, f"confusion-{name}")]
    parts += ["## Known failures\n", own["Known failures"]]
    for kind, title in TRANSFER_TITLES.items():
        if title in own:
            parts += [f"## {title}\n", _pictures(pictures, kind), own[title]]
    maps = [name.removesuffix(".png") for name in pictures if name.startswith("words-")]
    parts += ["## Where the words land\n", _MAPS, *(_pictures(pictures, name) for name in maps)]
    return "\n".join(part for part in parts if part)


def _pictures(pictures: Sequence[str], stem: str) -> str:
    return f"![{stem}]({stem}.png)\n" if f"{stem}.png" in pictures else ""


def _emotions(part: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {each['examples']} | "
        + " | ".join(stated(each[key], None) for key in ("recall", "f1", "weighted_accuracy", "auc"))
        + " |\n"
        for name, each in part["emotions"].items()
    ]
    return (
        "| emotion | examples | recall | F1 | weighted accuracy | AUC |\n|---|---|---|---|---|---|\n"
        + "".join(rows)
    )
