"""The colours of every picture that the project draws."""

from __future__ import annotations

SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00", "#333333")
"""Okabe and Ito's colours, which the colour-blind tell apart; their yellow, pale as a line, is darker."""
MODALITY_COLOURS = {"face": "#0072B2", "voice": "#D55E00", "text": "#009E73"}
INK = "#222222"
FAINT = "#8a8f98"
EDGE = "#c9cdd3"
GRID = "#e6e8eb"
GROUND = "#f6f7f9"
