"""A worker that has fallen silent is judged by what it was doing, and by nothing that held up its judge."""

from __future__ import annotations

import pytest

from stream.messages import State
from stream.topics import TOPICS
from workers.liveness import BUSY_LIMIT_S, SILENT_LIMIT_S, Liveness, Verdict


def verdicts(liveness: Liveness, begin_s: float, end_s: float, *, cores: float = 0.0) -> dict[Verdict, float]:
    """Ask ten times a second about a worker that uses so many cores; return when each verdict came first."""
    first: dict[Verdict, float] = {}
    for tenth in range(round(begin_s * 10), round(end_s * 10)):
        now_s = tenth / 10
        first.setdefault(liveness.judge(now_s, lambda now_s=now_s: cores * now_s), now_s)  # type: ignore[misc]
    return first


def test_the_limit_is_ten_periods_of_what_every_worker_says_of_itself() -> None:
    assert 10 / TOPICS["state"].rate_hz == SILENT_LIMIT_S


def test_a_worker_at_work_is_warned_of_at_half_its_limit_and_hangs_at_the_limit() -> None:
    liveness = Liveness(0.0)
    assert verdicts(liveness, 0, 2) == {"well": 0}
    liveness.hear("running", 2.0)
    assert verdicts(liveness, 2, 20) == {
        "well": 2,
        "silent": 2 + SILENT_LIMIT_S / 2,
        "hangs": 2 + SILENT_LIMIT_S,
    }


def test_a_slow_but_living_loop_is_left_alone() -> None:
    liveness = Liveness(0.0)
    found: set[Verdict] = set()
    for second in range(0, 60, 4):
        liveness.hear("running", second)
        found |= set(verdicts(liveness, second, second + 4))
    assert found == {"well"}


def test_one_long_step_of_work_is_not_taken_for_hanging() -> None:
    liveness = Liveness(0.0)
    liveness.hear("running", 0.0)
    assert verdicts(liveness, 0, BUSY_LIMIT_S + 1, cores=0.3) == {
        "well": 0,
        "silent": SILENT_LIMIT_S / 2,
        "hangs": BUSY_LIMIT_S,
    }


def test_what_a_worker_computed_before_it_fell_silent_does_not_save_it() -> None:
    liveness = Liveness(0.0)
    liveness.hear("running", 0.0)
    found = [liveness.judge(tenth / 10, lambda: 50.0) for tenth in range(round(SILENT_LIMIT_S * 10) + 1)]
    assert found[-2:] == ["silent", "hangs"]


@pytest.mark.parametrize("state", ["loading", "ended", "failed"])
def test_loading_models_and_handing_over_may_take_longer(state: State) -> None:
    liveness = Liveness(0.0)
    liveness.hear(state, 0.0)
    assert verdicts(liveness, 0, BUSY_LIMIT_S + 1) == {
        "well": 0,
        "silent": BUSY_LIMIT_S / 2,
        "hangs": BUSY_LIMIT_S,
    }


def test_a_machine_that_stood_still_is_no_reason_to_kill_anybody() -> None:
    liveness = Liveness(0.0)
    liveness.hear("running", 0.0)
    assert verdicts(liveness, 0, 3) == {"well": 0}
    assert liveness.judge(600.0, lambda: 0.0) == "well"
    assert verdicts(liveness, 600, 620)["hangs"] > 600 + SILENT_LIMIT_S / 2
