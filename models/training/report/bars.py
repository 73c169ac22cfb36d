"""The main figures of every corpus as bars, a colour a modality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle_manifest import MODALITIES
from models.palette import INK, MODALITY_COLOURS
from models.training.measured import FIGURES
from models.training.report.style import new_figure, save, tidy, title

_SHOWN = {"one": ("accuracy", "uar", "weighted_f1"), "several": ("macro_f1", "weighted_f1")}
_ROW, _GAP = 1.0, 0.7  # of a bar, and more between corpora


def draw_bars(corpora: Mapping[str, Any], path: Path) -> None:
    """Draw each corpus's main figures with their intervals, and the recall that guessing gives."""
    ordered = sorted(corpora.items(), key=lambda item: MODALITIES.index(item[1]["modality"]))
    places, labels, place = [], [], 0.0
    figure = new_figure(9, 1.2 + 0.27 * sum(len(_SHOWN[found["labels"]]) + 0.8 for _, found in ordered))
    axes = figure.subplots()
    for name, found in ordered:
        colour = MODALITY_COLOURS[found["modality"]]
        axes.text(0, place - 0.62, name, fontsize=9.5, fontweight="bold", color=colour, va="center")
        axes.text(1, place - 0.62, found["modality"], fontsize=9, color=colour, va="center", ha="right")
        for key in _SHOWN[found["labels"]]:
            place += 0.0 if key == _SHOWN[found["labels"]][0] else _ROW
            low, high = found["intervals"][key]
            axes.barh(place, found[key], height=0.62, color=colour, alpha=0.8, linewidth=0)
            axes.plot([low, high], [place, place], color=INK, linewidth=1.4, solid_capstyle="butt")
            axes.text(high + 0.012, place, f"{found[key]:.3f}", va="center", fontsize=9, color=INK)
            if key == "uar":
                chance = 1 / len(found["emotions"])
                axes.plot([chance] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=1, linestyle=":")
            places.append(place)
            labels.append(FIGURES[key])
        place += _ROW + _GAP
    axes.set_yticks(places, labels)
    axes.set_ylim(place - 0.9, -1.1)
    axes.set_xlim(0, 1)
    tidy(axes, grid="x")
    title(axes, "Results by corpus", "line: 95 % interval; dots: what guessing gives")
    save(figure, path)
