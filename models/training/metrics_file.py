"""`metrics.json` and the measured part of the card: written by what measures, never by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.training.headlines import headlines
from models.training.measured import TRANSFER_TITLES, measured_sections, with_sections
from models.training.results import Metrics

_HEAD = ("bundle", "sha256")
_LISTS = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")


def read_metrics(folder: Path) -> Metrics:
    """Return what a bundle's `metrics.json` holds; empty before it has been measured."""
    held: Metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return held


def presented(measured: Mapping[str, Any]) -> Metrics:
    """Return what was measured, the headlines before the details."""
    parts = {key: value for key, value in measured.items() if key not in _HEAD}
    return {key: measured[key] for key in _HEAD} | headlines(measured) | parts


def together(held: Mapping[str, Any], measured: Mapping[str, Any]) -> Metrics:
    """Return what is to be stored: what was measured now and, of the same graph, what was before.

    Args:
        held: What `metrics.json` holds.
        measured: What `evaluate_bundle` returned, maybe with `zero_shot` and `few_shot`; of these only
            modalities of which every word was left out are stored.
    """
    if held.get("sha256") != measured["sha256"]:
        held = {}
    parts: Metrics = {key: measured[key] for key in _HEAD}
    parts["corpora"] = {**held.get("corpora", {}), **measured["corpora"]}
    if fusion := measured.get("fusion") or held.get("fusion"):
        parts["fusion"] = fusion
    for kind in TRANSFER_TITLES:
        complete = {name: part for name, part in measured.get(kind, {}).items() if part["complete"]}
        if kept := {**held.get(kind, {}), **complete}:
            parts[kind] = kept
    return presented(parts)


def as_json(metrics: Mapping[str, Any]) -> str:
    """Return `metrics` as JSON, a list of numbers on one line."""
    text = json.dumps(metrics, indent=2)
    return _LISTS.sub(lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text) + "\n"


def store(folder: Path, measured: Mapping[str, Any]) -> None:
    """Write what was measured into a bundle's `metrics.json`, and what follows from it into its card."""
    metrics = together(read_metrics(folder), measured)
    (folder / "metrics.json").write_text(as_json(metrics), encoding="utf-8")
    card = folder / "card.md"
    sections = measured_sections(metrics)
    card.write_text(with_sections(card.read_text(encoding="utf-8"), sections), encoding="utf-8")
