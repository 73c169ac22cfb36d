"""Words left out of training beside the same words seen, and chance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from models.palette import EDGE, FAINT, INK, MODALITY_COLOURS
from models.training.report.style import new_figure, save, tidy, title

_HEAD = 1.1  # inches of a panel beside its rows


def draw_unseen(parts: Mapping[str, Any], path: Path) -> None:
    """Draw a panel a modality: each word's area under the ROC curve, left out and seen.

    Args:
        parts: By modality, what `transfer.Transfer.results` returned.
        path: Where to write the PNG.
    """
    rows = {modality: _rows(part) for modality, part in parts.items()}
    heights = [_HEAD + 0.24 * len(own) for own in rows.values()]
    figure = new_figure(9, sum(heights))
    panels = figure.subplots(
        len(parts), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    ).ravel()
    for axes, (modality, own) in zip(panels, rows.items(), strict=True):
        _draw(axes, modality, parts[modality], own)
    panels[-1].set_xlabel("area under the ROC curve", color=FAINT, fontsize=9)
    save(figure, path)


def _rows(part: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return label and results of each word and corpus that count in the mean, the best first."""
    found = [
        (word, corpus, each)
        for word, corpora in part["words"].items()
        for corpus, each in corpora.items()
        if corpus in part["learned_from"] and each["seen_auc"] is not None
    ]
    several = len({corpus for _, corpus, _ in found}) > 1
    labelled = [(f"{word} · {corpus}" if several else word, each) for word, corpus, each in found]
    return sorted(labelled, key=lambda row: -float(row[1]["auc"]))


def _draw(
    axes: Axes, modality: str, part: Mapping[str, Any], rows: list[tuple[str, Mapping[str, Any]]]
) -> None:
    colour = MODALITY_COLOURS[modality]
    axes.axvline(part["chance"], color=INK, linewidth=1, linestyle=":")
    axes.text(part["chance"] - 0.006, -0.9, "chance", ha="right", fontsize=8, color=FAINT, va="center")
    if part["auc"] is not None:
        axes.axvspan(*part["interval"], color=colour, alpha=0.12, linewidth=0)
        axes.axvline(part["auc"], color=colour, linewidth=1)
        axes.text(part["auc"] + 0.006, -0.9, f"mean {part['auc']:.3f}", fontsize=8, color=colour, va="center")
    for place, (_, each) in enumerate(rows):
        axes.plot([each["auc"], each["seen_auc"]], [place, place], color=EDGE, linewidth=1, zorder=1)
        axes.plot(each["interval"], [place, place], color=colour, linewidth=2.5, alpha=0.35, zorder=2)
        axes.scatter(each["seen_auc"], place, s=26, facecolor="#ffffff", edgecolor=INK, linewidth=1, zorder=3)
        axes.scatter(each["auc"], place, s=34, color=colour, zorder=4)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -1.5)
    axes.set_xlim(min(0.4, *(each["interval"][0] - 0.02 for _, each in rows)), 1.0)
    tidy(axes, grid="x")
    axes.xaxis.set_tick_params(labelbottom=True)
    title(axes, modality, "filled: left out of training, with its 95 % interval; hollow: seen")
