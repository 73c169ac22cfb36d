"""Whose face is scored: told by its track, and across gaps in the frames by expectation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.subjects import Subjects


def test_faces_are_numbered_as_they_are_first_scored() -> None:
    subjects = Subjects()
    assert [subjects.of(track) for track in (7, 7, 3, 7, 9)] == [0, 0, 1, 0, 2]


def test_the_face_after_a_gap_is_the_one_before_it() -> None:
    subjects = Subjects()
    assert [subjects.of(track) for track in (0, 1)] == [0, 1]
    subjects.interrupted()
    assert subjects.of(5) == 1
    assert subjects.of(6) == 2


def test_tracks_that_start_again_at_zero_are_not_mistaken_for_old_ones() -> None:
    subjects = Subjects()
    assert [subjects.of(track) for track in (0, 1, 2)] == [0, 1, 2]
    subjects.interrupted()
    assert [subjects.of(track) for track in (0, 1, 2)] == [2, 3, 4]


def test_two_gaps_in_a_row_are_one() -> None:
    subjects = Subjects()
    subjects.of(0)
    subjects.interrupted()
    subjects.interrupted()
    assert subjects.of(4) == 0


def test_a_face_that_left_is_somebody_else_when_it_comes_back() -> None:
    subjects = Subjects()
    subjects.of(0)
    subjects.forget(0)
    assert subjects.of(1) == 1


@given(st.lists(st.integers(0, 4) | st.none(), max_size=40))
def test_a_track_keeps_its_number_until_a_gap(tracks: list[int | None]) -> None:
    subjects, known = Subjects(), dict[int, int]()
    for track in tracks:
        if track is None:
            subjects.interrupted()
            known.clear()
        else:
            assert known.setdefault(track, subjects.of(track)) == subjects.of(track)
    assert len(set(known.values())) == len(known)
