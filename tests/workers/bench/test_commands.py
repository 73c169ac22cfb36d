"""Every benchmark explains itself, and those that need no clip run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.media import read_audio
from tests.clips import write_clip
from workers.bench.__main__ import app
from workers.bench.soak import loop, slope_of
from workers.bench.timing import p50_p99, percentile, time_ms

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]
runner = CliRunner()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_benchmark_explains_itself_with_an_example(command: str) -> None:
    help_ = runner.invoke(app, [command, "--help"]).output
    assert f"python -m workers.bench {command}" in help_


def test_a_network_is_timed_beside_pytorch_and_stage_by_stage() -> None:
    done = runner.invoke(app, ["model", "--runs", "1", "--batch", "1", "--threads", "1"])
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines()]
    for name in ("live@1", "20 steps", "50 steps"):
        assert sum(name in " ".join(row) for row in rows) >= 1
    for stage in ("encode face", "encode voice", "encode text", "map the words", "compare and fuse"):
        assert stage in done.output


def test_calls_are_counted_and_summed_up() -> None:
    calls: list[int] = []
    assert len(time_ms(lambda: calls.append(1), runs=7)) == 7
    assert len(calls) == 12, "five more warm up"
    assert p50_p99([1.0, 2.0, 3.0]) == "p50 2.0 ms, p99 3.0 ms"
    assert p50_p99([]) == "–"
    assert math.isnan(percentile([], 50))


def test_memory_that_grows_has_its_slope() -> None:
    points = [(second, 100 + 5 * second / 3600) for second in range(60)]
    slope = slope_of(points)
    assert slope.mb_h == pytest.approx(5)
    assert slope.error_mb_h == pytest.approx(0, abs=1e-6)
    wavy = slope_of([(second, 100 + second % 2) for second in range(61)])
    assert abs(wavy.mb_h) < 3 * wavy.error_mb_h
    assert math.isinf(slope_of(points[:2]).error_mb_h)


def test_a_clip_in_a_loop_is_as_long_as_asked_for(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.wav", samples=np.arange(16000, dtype=np.int16))
    (tmp_path / "loop").mkdir()
    looped = loop(clip, 5.0, tmp_path / "loop")
    heard = read_audio(looped)
    assert len(heard) >= 5 * 16000
    assert (heard[16000:32000] == heard[:16000]).all()
