"""Plots of scores: pictures and pages."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import UserError
from stream.public import EmotionMessage
from tests.workers.public_messages import emotion_message, evidence
from workers.plot import write_plot
from workers.plot.curves import Curves, spread_labels


@pytest.fixture(scope="module")
def messages() -> list[EmotionMessage]:
    """Three seconds; in the middle one there is no evidence."""
    nothing = evidence(face=False, voice=False, text=False)
    return [emotion_message(seq, given=nothing if 10 <= seq < 20 else None) for seq in range(30)]


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.html", b"<!doctype html>")],
)
def test_a_plot_is_written_in_the_format_of_its_ending(
    name: str, start: bytes, messages: list[EmotionMessage], tmp_path: Path
) -> None:
    write_plot(tmp_path / name, "talk.mp4", messages)
    content = (tmp_path / name).read_bytes()
    assert content.lower().startswith(start.lower())
    assert len(content) > 10_000


def test_a_page_is_complete_in_itself(messages: list[EmotionMessage], tmp_path: Path) -> None:
    write_plot(tmp_path / "a.html", "talk.mp4", messages)
    page = (tmp_path / "a.html").read_text()
    assert "<script src=" not in page
    assert "surprise" in page


def test_where_nothing_was_scored_the_curves_are_broken(messages: list[EmotionMessage]) -> None:
    curves = Curves.of(messages)
    assert np.isnan(curves.smoothed["joy"][10:20]).all()
    assert np.isfinite(curves.smoothed["joy"][:10]).all()
    assert curves.used["face"].sum() == 20
    assert curves.times_s[1] - curves.times_s[0] == pytest.approx(0.1)


def test_a_file_in_which_nothing_was_scored_can_be_plotted(tmp_path: Path) -> None:
    nothing = [emotion_message(0, given=evidence(face=False, voice=False, text=False))]
    write_plot(tmp_path / "a.png", "empty.mp4", nothing)
    assert (tmp_path / "a.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("a.gif", "a plot ends in .png, .svg, .pdf, .html"), ("nowhere/a.png", "there is no folder")],
)
def test_a_plot_that_cannot_be_written_is_refused(
    name: str, complaint: str, messages: list[EmotionMessage], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=complaint):
        write_plot(tmp_path / name, "talk.mp4", messages)


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1), min_size=1, max_size=25))
def test_labels_keep_their_order_and_their_distance(heights: dict[str, float]) -> None:
    places = spread_labels(heights, 0.05)
    order = sorted(heights, key=lambda name: heights[name])
    gap = min(0.05, 1 / max(1, len(order) - 1))
    values = [places[name] for name in order]
    assert all(upper - lower >= gap - 1e-9 for lower, upper in itertools.pairwise(values))
    assert all(-1e-9 <= value <= 1 + 1e-9 for value in values)
