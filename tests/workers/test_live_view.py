"""The live view: what is drawn for what came, in narrow and wide terminals."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from stream.client import Gap
from stream.config import config_folder
from stream.public import BaselineState, PublicMessage
from stream.vocabulary import load_vocabulary
from tests.workers.public_messages import (
    EKMAN,
    emotion_message,
    evidence,
    health_message,
    lost_camera,
    transcript_message,
)
from workers.live_view import LineReport, LiveScreen, Palette, Picture, ViewState, draw

WIDTHS = (60, 80, 100, 140, 220)


def state_of(messages: Iterable[PublicMessage]) -> ViewState:
    state = ViewState()
    for message in messages:
        state.take(message)
    return state


def render(state: ViewState, width: int = 100, height: int | None = None, notice: str = "") -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(draw(state, Palette(), width, height, notice=notice))
    return captured.get().removesuffix("\n").split("\n")


def line_with(lines: list[str], word: str) -> str:
    return next(line for line in lines if word in line)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_source_stands_in_a_box_with_its_name_and_state(width: int) -> None:
    box = render(state_of([emotion_message(), health_message()]), width)[1:-1]
    assert box[0].startswith("╭─ desk ──")
    assert box[0].endswith("─ running ╮")
    assert {line[0] + line[-1] for line in box[1:-1]} == {"││"}
    assert box[-1] == f"╰{'─' * (width - 2)}╯"


@pytest.mark.parametrize("width", WIDTHS)
def test_an_emotion_has_its_bar_its_probability_and_all_distances(width: int) -> None:
    lines = render(state_of([emotion_message()]), width)
    joy = line_with(lines, " joy ")
    assert "━━" in joy
    assert joy.split("━")[-1].strip("╸─│ ").split()[:5] == ["72%", "0.64", "0.64", "0.69", "0.74"]
    for name in ("sadness", "anger", "fear", "disgust", "surprise"):
        line_with(lines, name)
    titles = line_with(lines, "probability").split()
    assert titles[1:6] == ["probability", "distance", "face", "voice", "words"]


def test_a_longer_bar_is_a_higher_probability() -> None:
    lines = render(state_of([emotion_message(smoothed={"low": 0.2, "high": 0.8})]))
    assert 3 < line_with(lines, " high ").count("━") / line_with(lines, " low ").count("━") < 5


def test_the_header_says_what_computes_and_what_is_scored() -> None:
    header = render(state_of([emotion_message()]))[0]
    assert "live@1 · onnxruntime · ekman@d3a8" in header


def test_evidence_says_how_much_how_old_and_what_is_missing() -> None:
    lines = render(state_of([emotion_message()]))
    face, voice, words = (line_with(lines, f"● {name}") for name in ("face", "voice", "words"))
    assert "98%" in face
    assert "24 ms old" in face
    assert "3 dropped" in voice
    assert "650 ms pending" in words


@pytest.mark.parametrize("width", WIDTHS)
def test_evidence_that_is_not_used_says_why(width: int) -> None:
    lines = render(state_of([emotion_message(given=evidence(voice=False, text=False))]), width)
    assert "coverage 0.02 is below 0.08" in line_with(lines, "○ voice")
    assert "no speech in the window" in line_with(lines, "○ words")
    assert line_with(lines, " joy ").count("·") == 2


def test_without_any_evidence_nothing_is_scored_and_no_old_score_is_shown() -> None:
    nothing = emotion_message(1, given=evidence(face=False, voice=False, text=False))
    lines = render(state_of([emotion_message(0), nothing]))
    assert line_with(lines, "nothing is scored")
    assert "━" not in line_with(lines, " joy ")
    assert "%" not in line_with(lines, " joy ")


def test_the_words_heard_are_shown_and_replaced() -> None:
    state = state_of([emotion_message(), transcript_message("good mourning", final=False)])
    assert "good mourning" in line_with(render(state), "“")
    state.take(transcript_message("good morning", final=True))
    heard = line_with(render(state), "“")
    assert "good morning" in heard
    assert "mourning" not in heard


def test_only_the_newest_words_are_shown_where_there_is_no_room() -> None:
    state = state_of([emotion_message(), transcript_message(" ".join(f"word{n}" for n in range(40)))])
    heard = line_with(render(state, 60), "“")
    assert "word39" in heard
    assert "word0 " not in heard


def test_words_that_are_not_published_are_said_to_be_hidden() -> None:
    assert "publish_transcript is off" in line_with(render(state_of([emotion_message()])), "“")
    silent = emotion_message(given=evidence(text=False))
    assert "nothing said yet" in line_with(render(state_of([silent])), "“")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_footer_has_rates_latency_drops_and_gaps(width: int) -> None:
    state = state_of([health_message(), *(emotion_message(seq) for seq in range(20))])
    state.gap(Gap("emotion.desk", 3, 2))
    footer = render(state, width)[-1]
    for fact in ("faces 24.8/s", "windows 10.0/s", "40/40 ms", "drops 4", "gaps 2"):
        assert fact in footer


def test_what_is_wrong_is_said_in_plain_words() -> None:
    state = state_of([health_message(workers=(lost_camera(),)), emotion_message(degraded="the GPU was lost")])
    lines = render(state)
    assert "▲ camera of desk has lost its device: unplugged" in lines[1]
    assert "▲ degraded: the GPU was lost" in lines[2]


def test_before_anything_came_the_notice_is_shown() -> None:
    assert "is `emostream run` running?" in "".join(
        render(ViewState(), 80, 24, "is `emostream run` running?")
    )


def test_several_sources_stand_side_by_side_or_below_each_other() -> None:
    state = state_of([emotion_message(source="desk"), emotion_message(source="door")])
    wide, narrow = render(state, 180, 40), render(state, 80, 40)
    assert "door" in line_with(wide, " desk ")
    assert "door" not in line_with(narrow, " desk ")
    assert line_with(narrow, " door ")


def test_where_boxes_do_not_fit_each_source_has_one_line() -> None:
    names = [f"room{n}" for n in range(6)]
    lines = render(state_of([emotion_message(source=name) for name in names]), 80, 24)
    for name in names:
        assert "joy 72%" in line_with(lines, name)
        assert "● face" in line_with(lines, name)


def test_a_source_that_was_not_asked_for_is_not_shown() -> None:
    state = ViewState(only="desk")
    state.take(health_message(sources=("desk", "door")))
    assert list(state.sources) == ["desk"]


def test_a_long_vocabulary_shows_the_strongest_in_its_own_order() -> None:
    scores = {f"feeling{n:02d}": n / 40 for n in range(30)}
    lines = render(state_of([emotion_message(smoothed=scores, vocabulary="mine@0000")]), 80, 24)
    shown = [line.split()[1] for line in lines if "feeling" in line]
    assert shown == sorted(shown)
    assert shown[-1] == "feeling29"
    assert "feeling00" not in shown
    assert line_with(lines, f"and {30 - len(shown)} more, all lower")


@given(
    width=st.integers(60, 240),
    height=st.integers(10, 60),
    names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=25, unique=True),
    sources=st.integers(1, 5),
)
def test_the_view_always_fits_the_terminal(width: int, height: int, names: list[str], sources: int) -> None:
    scores = dict.fromkeys((name.replace("\n", " ") for name in names if name.isprintable()), 0.5) or {
        "joy": 0.5
    }
    state = state_of(
        [emotion_message(seq, source=f"s{n}", smoothed=scores) for seq in range(3) for n in range(sources)]
    )
    lines = render(state, width, height)
    assert len(lines) == height
    assert all(cell_len(line) <= width for line in lines)


def test_colours_come_from_the_vocabulary_that_the_messages_name(tmp_path: Path) -> None:
    ekman = load_vocabulary(config_folder() / "vocabularies" / "ekman.yaml")
    assert Palette().colour("ekman@0000", "joy", 0) == ekman.emotions[0].colour
    own = tmp_path / "own.yaml"
    own.write_text('name: own\nemotions: [{name: joy, colour: "#123456"}, calm]\n')
    assert Palette(own).colour("own@0000", "joy", 0) == "#123456"
    assert Palette(own).colour("own@0000", "calm", 1).startswith("#")
    assert len({Palette().colour("unknown@0000", f"e{n}", n) for n in range(25)}) == 25


def test_the_screen_shows_the_view_and_gives_the_terminal_back() -> None:
    file = io.StringIO()
    console = Console(file=file, width=100, height=30, force_terminal=True)
    with LiveScreen(console, state_of([emotion_message()]), Palette()) as screen:
        screen.show()
        screen.show()
    drawn = file.getvalue()
    assert drawn.count("surprise") == 1
    assert drawn.index("\x1b[?1049h") < drawn.index("surprise") < drawn.index("\x1b[?1049l")


def test_without_a_terminal_there_are_lines() -> None:
    lines: list[str] = []
    state = state_of([health_message(), emotion_message()])
    report = LineReport(state, lines.append)
    report.show()
    report.show()
    assert len(lines) == 1
    assert "desk: joy 72%" in lines[0]
    assert "faces 24.8/s" in lines[0]


def test_the_picture_is_of_the_fullest_view(tmp_path: Path) -> None:
    picture = Picture(Palette())
    state = state_of([emotion_message(), transcript_message("good morning")])
    picture.consider(state)
    picture.save(tmp_path / "view.svg")
    svg = (tmp_path / "view.svg").read_text()
    assert svg.startswith("<svg")
    assert "surprise" in svg
    assert "url(http" not in svg
    assert "@font-face" not in svg


LEARNING = {"face": BaselineState(state="learning", seconds_left=5.4), "voice": BaselineState(state="set")}


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_being_learned_of_a_person_stands_with_its_evidence(width: int) -> None:
    lines = render(state_of([emotion_message(baseline=LEARNING)]), width)
    assert "in 6 s" in line_with(lines, "● face") or "6 s left" in line_with(lines, "● face")
    assert "neutral" in line_with(lines, "● voice")
    assert "neutral" not in line_with(lines, "● words")


def test_where_there_is_room_it_is_said_in_full() -> None:
    calibrated = {"face": LEARNING["face"], "voice": BaselineState(state="set", calibrated=True)}
    lines = render(state_of([emotion_message(baseline=calibrated)]), 140)
    assert "learning your neutral face: 6 s left" in line_with(lines, "● face")
    assert "less your neutral voice, calibrated" in line_with(lines, "● voice")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_mark_shows_where_the_bar_would_be_without_the_baseline(width: int) -> None:
    before = dict.fromkeys(EKMAN, 0.5)
    plain = line_with(render(state_of([emotion_message()]), width), " surprise ")
    marked = line_with(render(state_of([emotion_message(uncorrected=before)]), width), " surprise ")
    assert "┊" not in plain
    assert marked.replace("┊", "─") == plain
    bar = marked[marked.index("━") : marked.rindex("─")]
    assert bar.index("┊") / len(bar) == pytest.approx(0.5, abs=0.13)
    titles = line_with(render(state_of([emotion_message(uncorrected=before)]), width), "probability")
    assert "┊ uncorrected" in titles or width < 100


def test_a_mark_inside_a_longer_bar_is_seen_too() -> None:
    lines = render(state_of([emotion_message(uncorrected=dict.fromkeys(EKMAN, 0.2))]))
    assert "━┊━" in line_with(lines, " joy ")


def test_without_a_terminal_both_scores_are_in_the_line() -> None:
    lines: list[str] = []
    message = emotion_message(uncorrected=dict.fromkeys(EKMAN, 0.5), baseline=LEARNING)
    LineReport(state_of([message]), lines.append).show()
    assert "joy 72% (distance 0.64, uncorrected 50%)" in lines[0]
    assert "neutral face in 5 s" in lines[0]
