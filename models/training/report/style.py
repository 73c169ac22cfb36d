"""How the pictures of a report look."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from models.palette import EDGE, FAINT, GRID, INK, MODALITY_COLOURS

_DPI = 150
_MARGIN = 0.1  # inches, around each panel


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches."""
    margins = ConstrainedLayoutEngine(w_pad=_MARGIN, h_pad=_MARGIN)
    figure = Figure(figsize=(width, height), dpi=_DPI, layout=margins)
    FigureCanvasAgg(figure)
    return figure


def title(axes: Axes, text: str, note: str = "") -> None:
    """Write a title at the left and, small, a note at the right."""
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", color=INK, pad=9)
    axes.set_title(note, loc="right", fontsize=8, color=FAINT, pad=9)


def tidy(axes: Axes, *, grid: str = "") -> None:
    """Take away what says nothing, and draw the grid along `x`, `y`, or neither."""
    axes.tick_params(length=0, colors=INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if grid == "x":
        axes.grid(axis="x", color=GRID, linewidth=0.8)
    elif grid == "y":
        axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def baseline(axes: Axes) -> None:
    """Draw the bottom edge of the axes."""
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(EDGE)


def shades(modality: str) -> Colormap:
    """Return the colours from white to that of a modality."""
    return LinearSegmentedColormap.from_list(modality, ["#ffffff", MODALITY_COLOURS[modality]])


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    figure.savefig(path, facecolor="#ffffff")
