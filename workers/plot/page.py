"""The curves as one self-contained HTML page to explore, with plotly."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from models.palette import EDGE, MODALITY_COLOURS
from workers.plot.curves import MODALITIES, Curves, spread_labels

_LABEL_GAP = 0.045


def write_page(path: Path, title: str, curves: Curves) -> None:
    """Write a page with `curves`; it holds all it needs and asks nothing of the network.

    Raises:
        OSError: it cannot be written.
    """
    rows = len(MODALITIES)
    figure = make_subplots(
        rows=1 + rows, cols=1, shared_xaxes=True, vertical_spacing=0.015, row_heights=[0.79] + [0.07] * rows
    )
    _add_emotions(figure, curves)
    for row, (modality, name) in enumerate(MODALITIES.items(), 2):
        _add_evidence(figure, curves, modality, name, row)
    figure.update_xaxes(title_text="end of the window, s", row=1 + rows, col=1)
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_layout(
        title={"text": f"<b>{title}</b>  <span style='font-size:12px;color:#8a8f98'>{curves.caption}</span>"},
        showlegend=False,
        hovermode="x unified",
        template="plotly_white",
        margin={"l": 80, "r": 150, "t": 60, "b": 60},
    )
    figure.write_html(path, include_plotlyjs=True, full_html=True, config={"displaylogo": False})


def _add_emotions(figure: go.Figure, curves: Curves) -> None:
    labels = spread_labels(curves.last_values(), _LABEL_GAP)
    for name, values in curves.smoothed.items():
        colour, dash = curves.style(name)
        figure.add_scatter(
            x=curves.times_s, y=values, name=name, mode="lines",
            line={"color": colour, "dash": dash, "width": 2}, hovertemplate="%{y:.0%}", row=1, col=1,
        )  # fmt: skip
        figure.add_annotation(
            x=1.005, xref="paper", xanchor="left", y=labels[name], yref="y", text=f"<b>{name}</b>",
            font={"color": colour}, showarrow=False,
        )  # fmt: skip
    figure.update_yaxes(
        title_text="smoothed probability", range=[-0.02, 1.02], tickformat=".0%", row=1, col=1
    )


def _add_evidence(figure: go.Figure, curves: Curves, modality: str, name: str, row: int) -> None:
    coverage, used = curves.coverage[modality], curves.used[modality]
    for what, values, colour in (
        ("used", coverage * used, MODALITY_COLOURS[modality]),
        ("not used", coverage * ~used, EDGE),
    ):
        figure.add_scatter(
            x=curves.times_s, y=values, name=f"{name}, {what}", mode="none", fill="tozeroy", fillcolor=colour,
            hovertemplate="%{y:.0%}", row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(
        range=[0, 1], showticklabels=False, showgrid=False, zeroline=False, title_text=name, row=row, col=1
    )
