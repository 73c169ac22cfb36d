"""`emostream score` on real media with the real model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from stream.public import EmotionMessage
from tests.workers.command_line import emostream

Asset = Callable[[str], Path]


@pytest.fixture(scope="module")
def clip(asset: Asset) -> Path:
    """Four seconds of a talking face, silent."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6"):
        asset(name)
    return asset("carphone")


def messages_in(lines: str) -> list[EmotionMessage]:
    return [msgspec.json.decode(line, type=EmotionMessage) for line in lines.splitlines()]


def test_scores_are_json_lines_on_standard_output_and_the_summary_is_not(clip: Path) -> None:
    outcome = emostream("score", str(clip), "--hop", "0.5")
    assert outcome.status == 0, outcome.err
    messages = messages_in(outcome.out)
    assert [message.window.end_ns for message in messages] == [n * 500_000_000 for n in range(1, 9)]
    names = [score.name for score in messages[-1].emotions]
    assert names == ["joy", "sadness", "anger", "fear", "disgust", "surprise"]
    assert messages[-1].evidence["face"].used
    assert f"{clip.name}: 8 windows to 4.0 s" in outcome.err
    assert "mean probability: " in outcome.err
    assert "voice 0%, words 0%" in outcome.err


def test_a_broken_file_is_reported_and_the_others_go_on(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("hello")
    outcome = emostream(
        *("score", "bad.mp4", str(clip), "--hop", "1", "--out", "scores.jsonl", "--plot", "curves.png"),
        *("--vocabulary", "meeting"),
        folder=tmp_path,
    )
    assert outcome.status == 1
    assert outcome.out == ""
    assert "error: bad.mp4" in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "scores-bad.jsonl").exists()
    messages = messages_in((tmp_path / f"scores-{clip.stem}.jsonl").read_text())
    assert messages[0].vocabulary.startswith("meeting@")
    assert (tmp_path / f"curves-{clip.stem}.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--plot", "a.gif"), "a plot ends in .png, .svg, .pdf, .html"),
        (("--hop", "0"), "window.hop_s: "),
        (("--vocabulary", "./nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("--bundle", "./nowhere"), "nowhere/model.yaml is missing"),
        (("--out", "nowhere/a.jsonl"), "nowhere/a.jsonl: cannot be written"),
    ],
)
def test_an_option_that_cannot_be_used_is_an_error(
    options: tuple[str, str], complaint: str, clip: Path
) -> None:
    outcome = emostream("score", str(clip), *options)
    assert outcome.status in (1, 2)
    assert complaint in outcome.err
    assert "Traceback" not in outcome.err
