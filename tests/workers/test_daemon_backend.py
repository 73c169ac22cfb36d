"""The daemon on a fake GPU: it serves while an engine is built, takes it when it is ready, and survives its loss."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stream import EmotionMessage
from tests import fake_gpu
from tests.workers.daemon import Daemon, running_daemon

pytestmark = pytest.mark.timeout(600)
PATIENCE_S = 180
"""A preparation gives way to everything else, so on a busy machine it takes long."""


class Machine:
    """A machine with a fake GPU, on which daemons listen to four minutes of speech."""

    def __init__(self, folder: Path, speech: Path) -> None:
        self._folder = folder
        self._speech = folder / "speech.wav"
        with wave.open(str(speech)) as short, wave.open(str(self._speech), "wb") as long:
            long.setparams(short.getparams())
            long.writeframes(6 * short.readframes(short.getnframes()))
        self._environment = fake_gpu.environment(folder / "gpu")

    def becomes(self, **state: Any) -> None:
        """Have the GPU be so from now on; see `tests.fake_gpu`."""
        draft = self._folder / "gpu" / "draft.json"
        draft.write_text(json.dumps(state))
        draft.replace(self._folder / "gpu" / "gpu.json")

    def daemon(self, backend: str) -> AbstractContextManager[Daemon]:
        """Run a daemon with this `inference.backend`."""
        config = f"""\
sources: [{{name: clip, file: {{path: '{self._speech}'}}}}]
transcript: {{engine: 'off'}}
inference: {{backend: {backend}}}
"""
        return running_daemon(self._folder, config, environment=self._environment)


@pytest.fixture
def machine(make_short_folder: Callable[[], Path], asset: Callable[[str], Path]) -> Iterator[Machine]:
    yield Machine(make_short_folder(), asset("two-cities"))


def backends(daemon: Daemon) -> list[str]:
    """Return on what the windows were scored, in order, repetitions left out."""
    names = [message.backend for message in daemon.emotions]
    return names[:1] + [after for before, after in pairwise(names) if before != after]


def last(daemon: Daemon) -> EmotionMessage:
    return daemon.emotions[-1]


def test_it_serves_on_the_cpu_while_it_builds_and_then_changes_over(machine: Machine) -> None:
    machine.becomes(builds_wait=True)
    with machine.daemon("tensorrt") as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions), timeout_s=PATIENCE_S)
        assert last(daemon).backend == "onnxruntime"
        assert last(daemon).degraded == "on the CPU until tensorrt is ready"
        daemon.wait_until(
            lambda: (
                daemon.health[-1].degraded == "on the CPU until tensorrt is ready" if daemon.health else False
            ),
            timeout_s=PATIENCE_S,
        )
        machine.becomes()
        daemon.wait_until(lambda: last(daemon).backend == "tensorrt-fp16", timeout_s=PATIENCE_S)
        assert last(daemon).degraded is None
        daemon.wait_until(lambda: daemon.health[-1].degraded is None, timeout_s=PATIENCE_S)
    assert backends(daemon) == ["onnxruntime", "tensorrt-fp16"]
    (swap,) = ((b, a) for b, a in pairwise(daemon.emotions) if a.backend != b.backend)
    assert swap[1].seq == swap[0].seq + 1, "no window is lost to the change"
    assert "tensorrt: 50%, Building engine" in daemon.log


def test_a_lost_gpu_costs_no_score_and_is_taken_up_again(machine: Machine) -> None:
    machine.becomes(builds_wait=True)
    with machine.daemon("tensorrt") as daemon:
        daemon.wait_until(lambda: bool(daemon.emotions), timeout_s=PATIENCE_S)
        machine.becomes()
        daemon.wait_until(lambda: backends(daemon)[-1:] == ["tensorrt-fp16"], timeout_s=PATIENCE_S)
        inference, scored = daemon.workers()["inference"].pid, len(daemon.emotions)
        machine.becomes(lost="CUDA_ERROR_ILLEGAL_ADDRESS")
        daemon.wait_until(lambda: last(daemon).backend == "onnxruntime", timeout_s=PATIENCE_S)
        assert daemon.workers()["inference"].pid != inference
        degraded = next(m.degraded for m in daemon.emotions[scored:] if m.backend == "onnxruntime")
        assert degraded is not None
        assert degraded.startswith("on the CPU: the GPU failed: CUDA_ERROR_ILLEGAL_ADDRESS")
        assert "; next try at " in degraded
        assert any("starting again on the CPU" in (health.degraded or "") for health in daemon.health)
        machine.becomes()
        daemon.wait_until(lambda: last(daemon).backend == "tensorrt-fp16", timeout_s=PATIENCE_S)
        assert last(daemon).degraded is None
    assert backends(daemon) == ["onnxruntime", "tensorrt-fp16", "onnxruntime", "tensorrt-fp16"]
    scores = [emotion for message in daemon.emotions for emotion in message.emotions]
    assert all(math.isfinite(emotion.distance) for emotion in scores)
    assert '"failed: the GPU failed: CUDA_ERROR_ILLEGAL_ADDRESS' in daemon.log


def test_an_engine_that_is_refused_never_answers(machine: Machine) -> None:
    machine.becomes(wrong=["fp16", "fp32"])
    with machine.daemon("tensorrt") as daemon:
        daemon.wait_until(
            lambda: "differs" in (last(daemon).degraded or "") if daemon.emotions else False, PATIENCE_S
        )
        assert "tensorrt-fp16 differs from ONNX Runtime by 1.0e-01" in (last(daemon).degraded or "")
        assert "tensorrt-fp32 differs" in (last(daemon).degraded or "")
    assert backends(daemon) == ["onnxruntime"]


def test_by_itself_it_takes_what_was_measured_to_be_best(machine: Machine) -> None:
    machine.becomes(fast=True)
    with machine.daemon("auto") as daemon:
        daemon.wait_until(
            lambda: bool(daemon.emotions) and last(daemon).degraded is None, timeout_s=PATIENCE_S
        )
    p99_ms = {
        name: float(value) for name, value in re.findall(r"(\w+): p50 [\d.]+ ms, p99 ([\d.]+) ms", daemon.log)
    }
    assert set(p99_ms) == {"tensorrt", "onnxruntime"}
    best = next(name for name in p99_ms if last(daemon).backend.startswith(name))
    assert p99_ms[best] == min(p99_ms.values())
    assert f"p99 {p99_ms[best]:.3f} ms, the best" in daemon.log
    with machine.daemon("auto") as again:
        again.wait_until(lambda: bool(again.emotions) and last(again).degraded is None, timeout_s=PATIENCE_S)
        assert last(again).backend == last(daemon).backend
    assert "p99" not in again.log, "the verdict was kept"


def test_what_is_not_installed_is_refused_with_the_remedy(
    make_short_folder: Callable[[], Path], asset: Callable[[str], Path]
) -> None:
    folder = make_short_folder()
    hidden = folder / "hidden"
    hidden.mkdir()
    # A module path on which TensorRT cannot be found, whatever is installed.
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name.startswith('tensorrt') else find(name, *rest)\n"
    )
    config = (
        f"sources: [{{name: clip, file: {{path: '{asset('carphone')}'}}}}]\ninference: {{backend: tensorrt}}"
    )
    environment = {"PYTHONPATH": f"{hidden}:{Path(fake_gpu.FOLDER).parent.parent}"}
    with running_daemon(folder, config, environment=environment) as daemon:
        assert daemon.wait(PATIENCE_S) == 1
    assert "TensorRT is not installed; on a Jetson it comes with JetPack" in daemon.log
    assert "emostream[tensorrt-rtx]" in daemon.log


def test_without_a_gpu_nothing_of_it_is_loaded() -> None:
    program = """
import sys, workers.inference
from models.backends.candidates import find_candidates
print(*(candidate.name for candidate in find_candidates("auto")))
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names, loaded = (line.split() for line in done.stdout.splitlines())
    assert names == ["onnxruntime"]
    heavy = {"tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "cuda.bindings", "onnx", "torch"}
    assert heavy & set(loaded) == set()
