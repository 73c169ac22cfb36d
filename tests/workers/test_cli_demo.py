"""`emostream demo`: the whole daemon on a short clip."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.workers.command_line import emostream, finish, start_emostream

Asset = Callable[[str], Path]


@pytest.fixture
def clip(asset: Asset) -> Path:
    """Four seconds of a talking face, silent; the daemon's assets are there."""
    for name in ("face_landmarker", "silero-vad", "minilm-l6", "whisper-tiny-en", "demo-face", "two-cities"):
        asset(name)
    return asset("carphone")


def daemons_in(folder: Path) -> list[psutil.Process]:
    """Return the processes whose sockets lie below `folder`."""
    processes = psutil.process_iter(["environ"])
    return [p for p in processes if (p.info["environ"] or {}).get("XDG_RUNTIME_DIR") == str(folder)]


def test_the_demo_runs_to_the_end_of_the_clip_and_sums_up(clip: Path, short_folder: Path) -> None:
    picture = short_folder / "view.svg"
    outcome = emostream(
        *("demo", str(clip), "--picture", str(picture)), environment={"XDG_RUNTIME_DIR": str(short_folder)}
    )
    assert outcome.status == 0, outcome.err
    assert f"{clip.stem}: " in outcome.out
    summary = {line[:20].strip(): line[20:].strip() for line in outcome.out.splitlines()[-9:]}
    assert int(summary["windows scored"].split(",")[0]) >= 10
    assert "p99" in summary["capture to score"]
    assert "p99" in summary["age of the face"]
    assert summary["gaps in the stream"] == "0"
    assert clip.stem in picture.read_text()
    assert not daemons_in(short_folder)
    assert not list(short_folder.glob("*/demo-*"))


def test_an_interrupt_ends_the_demo_and_leaves_nothing_behind(clip: Path, short_folder: Path) -> None:
    process = start_emostream("demo", str(clip), environment={"XDG_RUNTIME_DIR": str(short_folder)})
    assert process.stdout is not None
    assert "starting the workers" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert outcome.status == 130
    assert "Traceback" not in outcome.err
    deadline = time.monotonic() + 60
    while left := daemons_in(short_folder):  # one that was only just started ends by itself
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert not list(short_folder.glob("*/demo-*"))


def test_a_file_that_is_no_media_is_an_error_before_anything_starts(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("hello")
    outcome = emostream("demo", str(tmp_path / "bad.mp4"))
    assert outcome.status == 2
    assert outcome.err.startswith(f"error: {tmp_path / 'bad.mp4'}")


def test_missing_assets_are_named_all_at_once(tmp_path: Path) -> None:
    outcome = emostream("demo", environment={"EMOSTREAM_CACHE": str(tmp_path)})
    assert outcome.status == 2
    assert "face_landmarker" in outcome.err
    assert "demo-face" in outcome.err
    assert "emostream assets fetch --group demo" in outcome.err
