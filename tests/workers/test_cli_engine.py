"""`emostream engine`, on a fake GPU and on a machine without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.opening import open_named_bundle
from tests import fake_gpu
from tests.workers.command_line import Outcome, emostream

Engine = Callable[..., Outcome]
VERSION = open_named_bundle("live").version


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Give a function that runs `emostream engine ...` on a fake GPU; keywords are the state of that GPU."""
    environment = fake_gpu.environment(tmp_path / "gpu")

    def run(*arguments: str, **state: Any) -> Outcome:
        (tmp_path / "gpu" / "gpu.json").write_text(json.dumps(state))
        return emostream("engine", *arguments, environment=environment, folder=tmp_path, timeout_s=180)

    return run


def test_an_engine_is_built_with_progress_and_compared(engine: Engine) -> None:
    built = engine("build", "live")
    assert built.status == 0, built.err
    assert f"{VERSION} in fp16 for sm86 Fake GPU" in built.out
    assert "by tensorrt 10.99.0; agrees with ONNX Runtime to" in built.out
    assert [line.split()[0] for line in built.err.splitlines()] == [
        f"{tenth}%" for tenth in range(0, 100, 10)
    ]
    again = engine("build", "live", build_fails="nothing is built twice")
    assert again.status == 0
    assert again.err == ""


def test_engines_are_listed_with_what_they_are_for(engine: Engine) -> None:
    assert "0 in " in engine("list").out
    engine("build", "live", wrong=["fp16"])
    rows = [line.split() for line in engine("list").out.splitlines() if line.startswith(VERSION)]
    assert [row[1] for row in rows] == ["fp16", "fp32"]
    assert "refused" in rows[0][10]
    assert "agrees" in rows[1][10]


def test_no_engine_that_may_answer_is_an_error_with_the_differences(engine: Engine) -> None:
    refused = engine("build", "live", wrong=["fp16", "fp32"])
    assert refused.status == 2
    assert "error: tensorrt-fp16 differs from ONNX Runtime by 1.0e-01" in refused.err


def test_check_finds_what_is_damaged_and_what_has_gone_wrong(engine: Engine, tmp_path: Path) -> None:
    engine("build", "live")
    sound = engine("check", "live")
    assert sound.status == 0
    assert "agrees with ONNX Runtime" in sound.out
    assert engine("check", "live", wrong=["fp16"]).status == 1
    (file,) = (tmp_path / "gpu" / "cache" / "engines").glob("*/*.engine")
    file.write_bytes(file.read_bytes()[:-1])
    damaged = engine("check", "live")
    assert damaged.status == 1
    assert "is damaged; run `emostream engine build --anew`" in damaged.out


def test_clean_removes_what_is_of_no_use_and_all_on_request(engine: Engine, tmp_path: Path) -> None:
    engine("build", "live", wrong=["fp16"])
    cleaned = engine("clean")
    assert "-fp16-" in cleaned.out
    assert "it was refused" in cleaned.out
    assert "-fp32-" not in cleaned.out
    engine("clean", "--all")
    assert [path for path in (tmp_path / "gpu" / "cache" / "engines").rglob("*") if path.is_file()] == []


def test_measure_prints_a_table_and_names_the_best(engine: Engine, tmp_path: Path) -> None:
    engine("build", "live")
    measured = engine("measure")
    assert measured.status == 0, measured.err
    rows = {line.split()[0]: line.split()[1:] for line in measured.out.splitlines() if line}
    p99_ms = {name: float(rows[name][1]) for name in ("tensorrt", "onnxruntime")}
    (kept,) = (tmp_path / "gpu" / "cache" / "verdicts").glob("*.json")
    best = json.loads(kept.read_text())["chosen"]
    assert 0 < p99_ms[best] == min(p99_ms.values())
    assert f"`backend: auto` takes {best}" in measured.out


def test_what_cannot_be_used_is_named_in_the_table(engine: Engine) -> None:
    measured = engine("measure", lost="CUDA_ERROR_NO_DEVICE")
    assert measured.status == 0
    assert "CUDA_ERROR_NO_DEVICE" in measured.out
    assert "`backend: auto` takes onnxruntime" in measured.out


def test_without_a_gpu_the_build_says_what_is_missing(tmp_path: Path) -> None:
    outcome = emostream("engine", "build", "live", environment={"EMOSTREAM_CACHE": str(tmp_path)})
    assert outcome.status == 2
    assert "error: no NVIDIA GPU can be used here" in outcome.err or "not installed" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
