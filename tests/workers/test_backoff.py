"""A lost device is tried again soon, then ever more rarely, until it has worked for a while."""

from __future__ import annotations

from workers.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff()
    assert [backoff.after_failure(0.0) for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_good_seconds_start_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after_failure(0.0)
    assert backoff.after_failure(1.0) == 10.0
    assert backoff.after_failure(6.0) == 0.5
    assert backoff.after_failure(0.0) == 1.0
