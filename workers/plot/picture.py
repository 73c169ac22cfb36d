"""The curves as a picture, with matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.palette import EDGE, FAINT, GRID, GROUND, INK, MODALITY_COLOURS
from workers.plot.curves import MODALITIES, Curves, spread_labels

_LABEL_GAP = 0.048
_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}


def write_picture(path: Path, title: str, curves: Curves) -> None:
    """Write a picture of `curves`; the ending of `path` says which kind.

    Raises:
        OSError: it cannot be written.
    """
    figure = Figure(figsize=(11, 6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    rows = len(MODALITIES)
    axes = figure.subplots(
        1 + rows, 1, sharex=True, gridspec_kw={"height_ratios": [12] + [1] * rows, "hspace": 0.04}
    )
    _draw_emotions(axes[0], curves)
    for strip, (modality, name) in zip(axes[1:], MODALITIES.items(), strict=True):
        _draw_evidence(strip, curves, modality, name)
    axes[0].set_title(title, loc="left", fontsize=13, fontweight="bold", color=INK)
    axes[0].set_title(curves.caption, loc="right", fontsize=8, color=FAINT)
    axes[-1].set_xlabel("end of the window, s", color=INK)
    axes[-1].tick_params(axis="x", length=3, colors=INK)
    figure.savefig(path)


def _draw_emotions(axes: Axes, curves: Curves) -> None:
    labels = spread_labels(curves.last_values(), _LABEL_GAP)
    for name, values in curves.smoothed.items():
        colour, dash = curves.style(name)
        axes.plot(curves.times_s, values, color=colour, linestyle=_DASHES[dash], linewidth=1.8)
        axes.text(
            1.01, labels[name], name, color=colour, va="center", fontsize=10, fontweight="bold",
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    if not curves.smoothed:
        axes.text(0.5, 0.5, "nothing was scored", color=FAINT, ha="center", transform=axes.transAxes)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(curves.times_s[0], max(curves.times_s[-1], curves.times_s[0] + 0.1))
    axes.set_ylabel("smoothed probability", color=INK)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(EDGE)


def _draw_evidence(axes: Axes, curves: Curves, modality: str, name: str) -> None:
    """Draw the coverage of a modality: in colour where it was used, grey where it was not."""
    coverage, used = curves.coverage[modality], curves.used[modality]
    axes.fill_between(curves.times_s, np.where(used, 0, coverage), color=EDGE, linewidth=0)
    axes.fill_between(
        curves.times_s, np.where(used, coverage, 0), color=MODALITY_COLOURS[modality], alpha=0.75, linewidth=0
    )
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
    axes.text(
        1.01, 0.5, f"in {used.mean():.0%}", transform=axes.transAxes, va="center", fontsize=8, color=FAINT
    )
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_facecolor(GROUND)
