"""Messages as rows of a table."""

from __future__ import annotations

import pandas

from stream import rows
from tests.workers.public_messages import EKMAN, emotion_message, evidence


def test_a_row_holds_every_score_and_what_it_rests_on() -> None:
    (row,) = rows([emotion_message(3)])
    assert (row["source"], row["wall_time"], row["time_s"]) == ("desk", "2026-11-22T10:00:00.300Z", 10.34)
    assert (row["joy.smoothed"], row["joy.distance"], row["joy.face"]) == (0.72, 0.64, 0.64)
    assert (row["face.used"], row["voice.coverage"]) == (True, 0.61)
    assert len([name for name in row if name.endswith(".smoothed")]) == len(EKMAN)


def test_without_evidence_a_row_has_no_scores() -> None:
    nothing = emotion_message(1, given=evidence(face=False, voice=False, text=False))
    table = pandas.DataFrame(rows([emotion_message(0), nothing]))
    assert table["joy.smoothed"].isna().tolist() == [False, True]


def test_it_stops_after_so_many_seconds_of_the_stream() -> None:
    messages = (emotion_message(seq) for seq in range(10_000))
    assert len(list(rows(messages, seconds=2))) == 20
    assert len(list(messages)) > 9_000, "and reads no further"
