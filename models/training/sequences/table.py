"""Results as Markdown, in the layout of the paper: a row a network, columns an emotion and a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.training.sequences.protocol import PROTOCOLS
from models.training.sequences.results import SCORES

_LABELS = {"accuracy": "Acc", "weighted_accuracy": "W-Acc", "f1": "F1", "auc": "AUC"}
_NOTHING = "–"

Row = tuple[str, Mapping[str, Mapping[str, float | None]]]
"""What stands at the left, and the scores by emotion."""


def paper_table(*metrics: Mapping[str, Any]) -> str:
    """Return tables of the results of one or several bundles, in percent.

    For each corpus one of what was trained on all emotions, and one of the unseen emotions.

    Args:
        metrics: Each as `evaluate_sequences` returns it.
    """
    return "\n".join(
        table
        for corpus in PROTOCOLS
        for table in _corpus_tables(corpus, [m for m in metrics if corpus in m["corpora"]])
    )


def _corpus_tables(corpus: str, metrics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    supervised: list[Row] = []
    unseen: dict[str, dict[str, Mapping[str, float | None]]] = {}
    for each in metrics:
        own = each["corpora"][corpus]
        label = f"{each['bundle']} ({', '.join(own['sequences'])})"
        for found in own["protocols"]:
            if found["protocol"] == "supervised":
                supervised.append((label, {**found["emotions"], "average": found["average"]}))
            else:
                row = unseen.setdefault(f"{label}, {_how(found)}", {})
                row[found["unseen"]] = found["emotions"][found["unseen"]]
    title = PROTOCOLS[corpus].title
    if supervised:
        yield _table(f"{title}, %", corpus, supervised)
    if unseen:
        yield _table(f"{title}, unseen emotions, %", corpus, list(unseen.items()))


def _how(found: Mapping[str, Any]) -> str:
    return f"{found['protocol']} {100 * found['fraction']:g} %" if found["fraction"] else found["protocol"]


def _table(title: str, corpus: str, rows: Sequence[Row]) -> str:
    emotions = list(dict.fromkeys(emotion for _, scores in rows for emotion in scores))
    labels = [_LABELS[PROTOCOLS[corpus].accuracy if key == "accuracy" else key] for key in SCORES]
    header = ["", *(f"{emotion} {label}" for emotion in emotions for label in labels)]
    lines = [header, ["---"] + ["---:"] * (len(header) - 1)]
    lines += [
        [label, *(_percent(scores.get(emotion, {}).get(key)) for emotion in emotions for key in SCORES)]
        for label, scores in rows
    ]
    return f"**{title}**\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{100 * value:.1f}"
