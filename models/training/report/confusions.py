"""What is taken for what: a confusion matrix a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.palette import FAINT, INK
from models.training.report.style import new_figure, save, shades, tidy, title

_MANY = 12  # emotions; with more, small shares go without a number
_LEAST_SHOWN = {False: 0.005, True: 0.095}
_DARK = 0.7  # from here on numbers are white


def draw_confusion(name: str, found: Mapping[str, Any], path: Path) -> None:
    """Draw the share of each true label (row) that has each emotion as its highest (column)."""
    emotions = list(found["emotions"])
    counts = np.array(found["confusion"], np.float64)
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    many = len(emotions) > _MANY
    side = 1.9 + (0.33 if many else 0.55) * len(emotions)
    figure = new_figure(side + 0.8, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap=shades(found["modality"]), vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= _LEAST_SHOWN[many]:
            axes.text(
                column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7 if many else 9,
                color="#ffffff" if share > _DARK else INK, fontweight="bold" if row == column else "normal",
            )  # fmt: skip
    axes.set_xticks(range(len(emotions)), emotions, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(emotions)), emotions)
    axes.set_xlabel("scored highest", color=FAINT, fontsize=9)
    axes.set_ylabel("labelled", color=FAINT, fontsize=9)
    for row, total in enumerate(totals):
        axes.text(len(emotions) - 0.35, row, f"{total:,.0f}", va="center", fontsize=8, color=FAINT)
    tidy(axes)
    axes.set_xticks(np.arange(len(emotions) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(emotions) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#ffffff", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    title(axes, name, "% of the row; at the right, how many")
    save(figure, path)
