"""Prints the results of a bundle for a sequence corpus: a table a protocol, a row an emotion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from models.training.sequences.protocol import PROTOCOLS
from models.training.sequences.results import SCORES
from workers.cli.common import out

_ACCURACY = {"accuracy": "accuracy", "weighted_accuracy": "weighted accuracy"}


def print_emotion_results(metrics: Mapping[str, Any]) -> None:
    """Print what `models.training.sequences.evaluate_sequences` returned."""
    for corpus, own in metrics["corpora"].items():
        for found in own["protocols"]:
            unseen = f" {found['unseen']}" if "unseen" in found else ""
            title = f"{metrics['bundle']} on {PROTOCOLS[corpus].title}, {found['protocol']}{unseen}"
            table = Table(title=title, title_justify="left")
            table.add_column("emotion")
            for column in ("examples", _ACCURACY[own["accuracy"]], "F1", "AUC"):
                table.add_column(column, justify="right")
            for emotion, scores in found["emotions"].items():
                table.add_row(emotion, str(scores["present"]), *(_shown(scores[key]) for key in SCORES))
            table.add_section()
            table.add_row(
                "average", str(found["examples"]), *(_shown(found["average"][key]) for key in SCORES)
            )
            out.print(table)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
