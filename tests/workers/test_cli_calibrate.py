"""`emostream calibrate` where no daemon runs: it opens the source for itself, and keeps numbers only."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from tests.workers.command_line import Outcome, emostream
from tests.workers.daemon import own_environment, processes_left

Asset = Callable[[str], Path]


@pytest.fixture
def speech(asset: Asset) -> Path:
    """Give 44 s of speech; the models that listen to it are there."""
    for name in ("silero-vad", "minilm-l6", "face_landmarker"):
        asset(name)
    return asset("two-cities")


def calibrate(folder: Path, sources: str, *options: str) -> Outcome:
    (folder / "emostream.yaml").write_text(f"sources: {sources}\nbaseline: {{points: kept/neutral.yaml}}\n")
    return emostream(
        *("calibrate", "--config", str(folder / "emostream.yaml"), *options),
        environment=own_environment(folder),
        timeout_s=400,
    )


def test_what_was_learned_is_kept_as_numbers_that_only_the_user_may_read(
    speech: Path, short_folder: Path
) -> None:
    sources = f"[{{name: desk, file: {{path: '{speech}'}}}}]"
    outcome = calibrate(short_folder, sources, "--seconds", "3", "--timeout", "300")
    assert outcome.status == 0, outcome.err
    assert "Look relaxed and say a few sentences in your normal voice" in outcome.out
    assert "voice: 3 s learned from; distances differ most from others' for " in outcome.out
    assert "face: not learned" in outcome.out
    assert "set `baseline.enabled: true`" in outcome.out
    file = short_folder / "kept" / "neutral.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = YAML(typ="safe").load(file)
    assert set(content) == {"model", "sha256", "sources"}
    voice = content["sources"]["desk"]["voice"]
    assert set(voice) == {"seconds", "cosines"}
    assert all(isinstance(value, float) and -1 <= value <= 1 for value in voice["cosines"].values())
    assert file.stat().st_size < 10_000
    assert not processes_left(short_folder)
    assert not list(short_folder.glob("emostream/calibrate-*"))


def test_a_source_that_gives_no_evidence_is_an_error_and_nothing_is_kept(
    asset: Asset, speech: Path, short_folder: Path
) -> None:
    sources = f"[{{name: desk, file: {{path: '{asset('no-face')}'}}}}]"
    outcome = calibrate(short_folder, sources, "--seconds", "3", "--timeout", "10")
    assert outcome.status == 1
    assert "error: nothing was learned: " in outcome.err
    assert "Traceback" not in outcome.err
    assert not (short_folder / "kept").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "there are several sources; choose one with --source: desk, door"),
        (("--source", "desc"), "there is no source 'desc'; choose one of desk, door"),
    ],
)
def test_the_source_has_to_be_clear(short_folder: Path, options: tuple[str, ...], said: str) -> None:
    outcome = calibrate(
        short_folder, "[{name: desk, camera: {device: 0}}, {name: door, camera: {device: 1}}]", *options
    )
    assert (outcome.status, outcome.err) == (2, f"error: {said}\n")
    assert not [p for p in processes_left(short_folder) if p.status() != psutil.STATUS_ZOMBIE]
