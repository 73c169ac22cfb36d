"""The choice by measurement: the smallest p99 wins, and a verdict holds for the same work on the same machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from models.backends import Backend, BackendError, measurement, open_backend
from models.backends.candidates import Candidate, find_candidates
from models.backends.choice import Question, Verdict, ask, decide, forget, recall
from models.backends.measurement import Timing
from models.backends.onnxruntime import OnnxRuntimeBackend
from models.backends.providers import PROVIDERS, Provider
from models.bundle import Bundle, load_bundle
from stream.messages import Float32Array

bundle = load_bundle(Path(__file__).resolve().parents[2] / "models" / "bundles" / "live")
reference = open_backend(bundle)


class FakeClock:
    """Stands in for `time`: only what says so takes any."""

    now_ns = 0

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)

    def perf_counter_ns(self) -> int:
        return self.now_ns


clock = FakeClock()


class FakeCandidate:
    """Something to run on that takes a given time, over and over, and answers nothing."""

    max_emotions = None
    stages = None

    def __init__(self, name: str, *pauses_s: float, broken: str = "") -> None:
        self.name, self._pauses_s, self._broken = name, pauses_s, broken
        self.windows: list[int] = []

    def prepare(self, bundle: Bundle, report: object) -> None:
        pass

    def open(self, bundle: Bundle, threads: int) -> Backend:
        if self._broken:
            raise BackendError(self._broken)
        return self

    def run(self, inputs: Mapping[str, Float32Array]) -> Mapping[str, Float32Array]:
        self.windows.append(len(inputs["present"]))
        clock.sleep(self._pauses_s[len(self.windows) % len(self._pauses_s)])
        return {}

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path))
    monkeypatch.setattr(measurement, "time", clock)


def settle(*candidates: Candidate, sources: int = 1) -> tuple[Question, Verdict]:
    """Ask, and decide."""
    question = ask(bundle, candidates, sources=sources, threads=1)
    return question, decide(question, bundle, candidates, lambda what, share: None)


def test_the_smallest_p99_wins_not_the_smallest_median() -> None:
    steady = FakeCandidate("steady", 0.02)
    moody = FakeCandidate("moody", *[0.001] * 9, 0.2)
    _, verdict = settle(moody, steady)
    assert [row.timing for row in verdict.rows] == [
        Timing(p50_ms=1.0, p99_ms=200.0),
        Timing(p50_ms=20.0, p99_ms=20.0),
    ]
    assert verdict.chosen == "steady"


@pytest.mark.parametrize(("sources", "windows"), [(1, 1), (5, 5), (200, 64)])
def test_the_batch_is_that_of_the_configured_sources(sources: int, windows: int) -> None:
    candidate = FakeCandidate("fast", 0.0)
    _, verdict = settle(candidate, sources=sources)
    assert set(candidate.windows) == {windows}
    assert verdict.windows == windows


def test_a_verdict_holds_until_what_it_depends_on_changes() -> None:
    question, verdict = settle(FakeCandidate("fast", 0.0), FakeCandidate("slow", 0.005))
    assert recall(question) == verdict
    changes = {
        "model_sha256": "0" * 64,
        "candidates": ("fast",),
        "windows": 2,
        "threads": 2,
        "onnxruntime": "0.0",
        "machine": ("another",),
    }
    assert set(changes) == set(msgspec.structs.asdict(question))
    for field, value in changes.items():
        assert recall(msgspec.structs.replace(question, **{field: value})) is None
    forget(question)
    assert recall(question) is None


def test_what_cannot_be_used_is_named_and_asked_again_the_next_time() -> None:
    question, verdict = settle(FakeCandidate("gpu", broken="no driver"), FakeCandidate("cpu", 0.0))
    assert verdict.chosen == "cpu"
    assert verdict.problems == {"gpu": "no driver"}
    assert recall(question) is None


def test_with_nothing_that_works_there_is_no_verdict() -> None:
    with pytest.raises(BackendError, match="gpu: no driver"):
        settle(FakeCandidate("gpu", broken="no driver"))


def test_onnx_runtime_on_the_cpu_is_a_candidate_everywhere() -> None:
    for kind in ("auto", "onnxruntime"):
        (candidate,) = find_candidates(kind)[-1:]
        assert candidate.name == "onnxruntime"
        assert candidate.open(bundle, 1).run(bundle.check_arrays()[0]).keys() >= {"distance"}


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.backend)
def test_a_provider_that_is_not_there_is_no_silent_cpu(provider: Provider) -> None:
    with pytest.raises(BackendError, match=f"cannot be loaded with {provider.name}.*{provider.remedy}"):
        OnnxRuntimeBackend(bundle, provider=provider)
