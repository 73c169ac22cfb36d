"""A map of the emotion words as one modality sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from models.palette import EDGE, FAINT, INK, MODALITY_COLOURS
from models.training.metrics import Float64Array
from models.training.report.style import new_figure, save, tidy, title
from models.training.word_maps import principal_plane
from stream.messages import Float32Array

_ANCHORS = (("joy", 0), ("anger", 1))
"""Words that the axes are turned by, so that the maps of several modalities can be compared."""
_SPACES = {"face": "faces", "voice": "voices", "text": "spoken words"}
_REACHES = (7, 14, 22, 32)  # points from a dot to its label, the nearest first
_DIRECTIONS = 12


def draw_word_map(
    modality: str, words: Sequence[str], positions: Float32Array, learned: Collection[str], path: Path
) -> None:
    """Draw the plane in which the words lie furthest apart.

    Args:
        modality: Whose space it is.
        words: `[K]`.
        positions: `[K, joint]`: where the modality's map puts them.
        learned: Those that the modality had examples of.
        path: Where to write the PNG.
    """
    plane, spread = principal_plane(positions)
    for word, axis in _ANCHORS:
        if word in words and plane[list(words).index(word), axis] < 0:
            plane[:, axis] *= -1
    figure = new_figure(8.5, 7)
    axes = figure.subplots()
    seen = np.array([word in learned for word in words])
    colour = MODALITY_COLOURS[modality]
    axes.axhline(0, color=EDGE, linewidth=0.6)
    axes.axvline(0, color=EDGE, linewidth=0.6)
    x, y = plane.T
    axes.scatter(x[seen], y[seen], s=42, color=colour, zorder=3, label="learned from examples")
    axes.scatter(
        x[~seen], y[~seen], s=36, facecolor="#ffffff", edgecolor=FAINT, linewidth=1.2, zorder=3,
        label="known by its word alone",
    )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    tidy(axes)
    axes.set_xticks([])
    axes.set_yticks([])
    title(
        axes,
        f"Emotion words in the space of {_SPACES[modality]}",
        f"in this plane: {spread:.0%} of their spread",
    )
    if not seen.all():
        figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    figure.draw_without_rendering()
    _label(axes, plane, words, [colour if own else FAINT for own in seen])
    save(figure, path)


def _label(axes: Axes, plane: Float64Array, words: Sequence[str], colours: Sequence[str]) -> None:
    """Write each word where it covers the least of other words and dots."""
    dots = axes.transData.transform(plane)
    point = axes.figure.get_dpi() / 72
    frame = axes.get_window_extent().get_points()
    taken: list[Float64Array] = [np.concatenate([dot - 5 * point, dot + 5 * point]) for dot in dots]
    for i in _crowded_first(dots):
        text = axes.annotate(
            words[i], plane[i], xytext=(0, 0), textcoords="offset points", fontsize=9.5, color=colours[i],
            ha="center", va="center", fontweight="bold",
        )  # fmt: skip
        box = text.get_window_extent()
        half = np.array([box.width, box.height]) / 2
        others = taken[:i] + taken[i + 1 :]
        offset = min(
            (each for each in _offsets(half, point) if _inside(dots[i] + each, half, frame)),
            key=lambda each: _cost(dots[i], each, half, others, point),
            default=np.array([0, 12 * point]),
        )
        text.set_position(tuple(offset / point))
        taken.append(np.concatenate([dots[i] + offset - half, dots[i] + offset + half]))
        if np.linalg.norm(np.maximum(np.abs(offset) - half, 0)) > _REACHES[1] * point:
            axes.annotate(
                "", plane[i], xytext=tuple(offset / point), textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": EDGE, "linewidth": 0.8}, zorder=1,
            )  # fmt: skip


def _crowded_first(dots: Float64Array) -> list[int]:
    """Return the order in which labels are placed: those with near neighbours have the least choice."""
    apart = np.sort(np.linalg.norm(dots[:, None] - dots[None], axis=2), axis=1)
    return [int(i) for i in np.argsort(apart[:, 1:4].sum(axis=1))]


def _offsets(half: Float64Array, point: float) -> list[Float64Array]:
    """Return where the middle of a label may lie, from its dot."""
    angles = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [way * (reach * point + half) for reach in _REACHES for way in directions]


def _inside(middle: Float64Array, half: Float64Array, frame: Float64Array) -> bool:
    return bool((middle - half >= frame[0]).all() and (middle + half <= frame[1]).all())


def _cost(
    dot: Float64Array, offset: Float64Array, half: Float64Array, others: Sequence[Float64Array], point: float
) -> float:
    """Return what speaks against a place: the area that the label would cover, and its distance."""
    box = np.concatenate([dot + offset - half, dot + offset + half])
    return sum(_overlap(box, other) for other in others) + float(np.linalg.norm(offset)) * point


def _overlap(one: Float64Array, other: Float64Array) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0)))
