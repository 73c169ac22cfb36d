"""Trains small networks on small sequence corpora, by the command a person types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from workers.cli.main import main

RECIPES = Path(__file__).resolve().parents[3] / "configs" / "training"
COUNTS = (120, 60, 60)
"""Examples of the parts of each corpus."""
SMALL = {"text": 300, "audio": 12, "vision": 8}


def run(*arguments: str | Path) -> int:
    """Return the exit status of an emostream command."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def write_recipe(place: Path, base: str, /, **changes: Any) -> Path:
    """Write a recipe that comes along, cut down to a small network and a few epochs."""
    content = YAML(typ="safe", pure=True).load(RECIPES / f"{base}.yaml")
    content["training"] |= {"batch": 16, "rate": 0.005, "epochs": 3}
    if content["network"]["type"] == "mult":
        content["network"] |= {"width": 8, "heads": 2, "layers": 1}
    else:
        hidden = 16 if content["network"]["type"] == "early-fusion" else SMALL
        content["network"] |= {"layers": 1, "hidden": hidden}
    content |= changes
    path = place / "recipe.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return path


def train(place: Path, base: str, /, **changes: Any) -> Path:
    """Train such a recipe and return its bundle."""
    out: Path = place / "bundles" / changes.get("name", base)
    recipe = write_recipe(place, base, **changes)
    assert run("train", recipe, "--data", place / "corpora", "--out", out, "--device", "cpu") == 0
    return out


def metrics_of(bundle: Path, corpus: str) -> Any:
    (found,) = json.loads((bundle / "metrics.json").read_text())["corpora"][corpus]["protocols"]
    return found
