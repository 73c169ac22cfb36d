"""More emotions than an engine is built for are scored on the CPU, and said to be."""

from __future__ import annotations

import io
import logging
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.backends import Arrays, Backend
from models.backends.candidates import OnnxRuntimeCandidate, Report
from models.backends.choice import Outcome
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.bundle import Bundle, load_bundle
from models.scorer import Scorer
from models.vocabulary_embedding import EmbeddedVocabulary
from stream.config import Config
from stream.messages import FaceFeatures, TextFeatures, VoiceFeatures
from stream.vocabulary import Emotion, Vocabulary
from tests.models.live_windows import LIVE
from tests.workers.bench.tiny import tiny_recording
from workers import backend_switch
from workers.backend_switch import BackendSwitch

bundle = load_bundle(LIVE)
TOO_MANY = "on the CPU: fake engine takes up to 256 emotions, not 257"


class FakeEngine:
    """Stands in for an engine: ONNX Runtime, but for a limited number of emotions."""

    name = "fake engine"
    max_emotions = 256
    stages = None

    def __init__(self) -> None:
        self._cpu = OnnxRuntimeCpu(bundle)

    def prepare(self, bundle: Bundle, report: Report) -> None:
        """Nothing to do."""

    def open(self, bundle: Bundle, threads: int) -> Backend:
        return self

    def run(self, inputs: Arrays) -> Arrays:
        assert len(inputs["emotions"]) <= self.max_emotions
        return self._cpu.run(inputs)

    def close(self) -> None:
        pass


class FakePreparation:
    """Stands in for the process that prepares backends: it has ended, and chosen the engine."""

    returncode = 0

    def __init__(self, *arguments: object, **options: object) -> None:
        outcome = Outcome(chosen=FakeEngine.name, problems={})
        self.stdout = io.BytesIO(msgspec.json.encode(outcome))

    def poll(self) -> int:
        return 0


@pytest.fixture
def config(run_folder: Path) -> Config:
    run_folder.mkdir(parents=True)
    config = Config.model_validate(
        {"name": "x", "sources": [{"name": "desk", "camera": {"device": 0}, "microphone": {}}]}
    )
    config.run_folder.mkdir()
    return config


@pytest.fixture
def switch(config: Config, monkeypatch: pytest.MonkeyPatch) -> BackendSwitch:
    """Give a switch that has just changed over to the engine."""
    monkeypatch.setattr(
        backend_switch, "find_candidates", lambda kind: [FakeEngine(), OnnxRuntimeCandidate()]
    )
    monkeypatch.setattr("workers.backend_switch.subprocess.Popen", FakePreparation)
    config = config.model_copy(
        update={"inference": config.inference.model_copy(update={"backend": "tensorrt"})}
    )
    switch = BackendSwitch(config, bundle, logging.getLogger("test"))
    switch.poll()
    for thread in threading.enumerate():
        if thread.name.startswith("opening"):
            thread.join()
    switch.poll()
    return switch


def vocabulary(count: int) -> EmbeddedVocabulary:
    """Return so many emotions, in random directions."""
    vectors = np.random.default_rng(count).standard_normal((count, bundle.space_dim)).astype(np.float32)
    emotions = tuple(Emotion(name=f"e{n}", words=(f"e{n}",)) for n in range(count))
    return EmbeddedVocabulary(
        Vocabulary(name="v", emotions=emotions, path=Path("v"), lines=tuple(range(count)), version="v@1"),
        vectors,
    )


@pytest.mark.parametrize(
    ("emotions", "backend", "degraded"), [(256, "fake engine", None), (257, "onnxruntime", TOO_MANY)]
)
def test_it_goes_on_on_the_cpu_where_there_are_too_many_emotions(
    switch: BackendSwitch, config: Config, emotions: int, backend: str, degraded: str | None
) -> None:
    chosen, why = switch.backend_for(emotions)
    scorer = Scorer(config, bundle, chosen, vocabulary(emotions))
    scorer.degraded = why
    recording = tiny_recording()
    for index, (topic, _) in enumerate(recording.messages):
        message = recording.shifted(index, "desk", 0, 0)
        assert isinstance(message, FaceFeatures | VoiceFeatures | TextFeatures)
        scorer.add(message, topic)
    messages = scorer.score(None)
    assert messages
    assert {message.backend for message in messages} == {backend}
    assert {message.degraded for message in messages} == {degraded}
    assert {len(message.emotions) for message in messages} == {emotions}


def test_it_returns_to_the_engine_with_fewer(switch: BackendSwitch) -> None:
    assert switch.backend_for(257)[0].name == "onnxruntime"
    assert switch.backend_for(2)[0].name == "fake engine"
    assert switch.backend_for(2)[1] is None
