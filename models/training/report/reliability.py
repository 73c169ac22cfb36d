"""Whether probabilities are what they say: a reliability diagram a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle_manifest import MODALITIES
from models.palette import EDGE, FAINT, INK, MODALITY_COLOURS
from models.training.report.style import baseline, new_figure, save, tidy, title

_COLUMNS = 3
_FEW = 20  # probabilities in a bin; fewer are drawn pale


def draw_reliability(corpora: Mapping[str, Any], path: Path) -> None:
    """Draw, for each corpus, the share that is true over the probability, with how many there are."""
    ordered = sorted(corpora.items(), key=lambda item: MODALITIES.index(item[1]["modality"]))
    rows = -(-len(corpora) // _COLUMNS)
    columns = min(_COLUMNS, len(corpora))
    figure = new_figure(3.4 * columns, 3.5 * rows)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)).ravel()
    for axes, (name, found) in zip(panels, ordered, strict=False):
        surest, share, count = np.array(found["reliability"]).T
        colour = MODALITY_COLOURS[found["modality"]]
        axes.plot([0, 1], [0, 1], color=EDGE, linewidth=1, linestyle="--")
        axes.bar(surest, 0.22 * np.log1p(count) / np.log1p(count.max()), width=0.05, color=EDGE, alpha=0.6)
        axes.plot(surest, share, color=colour, linewidth=1.2, alpha=0.6)
        axes.scatter(
            surest,
            share,
            s=34,
            color=colour,
            alpha=np.where(count < _FEW, 0.3, 1.0),
            linewidth=0,
            zorder=3,
            clip_on=False,
        )
        title(axes, name)
        low, high = found["intervals"]["ece"]
        axes.text(
            0.03, 0.95, f"error {found['ece']:.3f}\n({low:.3f}–{high:.3f})", va="top", fontsize=9, color=INK
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        tidy(axes)
        baseline(axes)
        axes.xaxis.set_tick_params(labelbottom=True)
    for axes in panels[len(corpora) :]:
        axes.set_visible(False)
    figure.supxlabel("probability given   (grey: how many, on a logarithmic scale)", fontsize=9, color=FAINT)
    figure.supylabel("share that is true", fontsize=9, color=FAINT)
    save(figure, path)
