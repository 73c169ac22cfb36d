"""When a modality counts as back."""

from __future__ import annotations

import pytest

from stream import EmotionMessage
from tests.chaos.scene import recovery
from tests.workers.public_messages import emotion_message, evidence

STRUCK_NS = emotion_message(0).time_ns


def windows(there: str) -> list[EmotionMessage]:
    """Return a score for each character at every hop: `+` with a face, `-` without one, ` ` is no score."""
    return [
        emotion_message(seq, given=evidence(face=mark == "+"))
        for seq, mark in enumerate(there)
        if mark != " "
    ]


@pytest.mark.parametrize(
    ("there", "back_s", "late_s"),
    [
        ("+" * 30, 0.0, ()),
        ("+" * 3 + "-" * 12 + "+" * 30, 1.5, ()),
        ("-" * 5 + "+" * 10 + "-" + "+" * 30, 1.6, ()),  # it was not there to stay
        ("+" * 3 + " " * 12 + "+" * 30, 1.5, ()),  # no score at all is none with a face
        ("-" * 5 + "+" * 30 + "--" + "+" * 5, 0.5, (3.5, 3.6)),
    ],
)
def test_a_face_is_back_once_it_stays(there: str, back_s: float, late_s: tuple[float, ...]) -> None:
    found = recovery(windows(there), STRUCK_NS, "face")
    assert found is not None
    assert found.back_s == pytest.approx(back_s)
    assert found.late_s == pytest.approx(late_s)


@pytest.mark.parametrize("there", ["", "-" * 30, "-" * 20 + "+" * 10, "+" * 30 + "-" * 10])
def test_a_face_that_is_gone_at_the_end_or_not_there_for_long_is_not_back(there: str) -> None:
    assert recovery(windows(there), STRUCK_NS, "face") is None
