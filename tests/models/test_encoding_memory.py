"""What is encoded again, and what is not; never does a score come from evidence that is no longer there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backends import Arrays, BackendError, EncoderInput
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.bundle import load_bundle
from models.bundle_manifest import MODALITIES
from models.encoding_memory import EncodingMemory
from models.timelines import ModalityWindow
from models.window_schedule import DueWindow
from stream.messages import Float32Array
from stream.windows import NS_PER_MS, NS_PER_S, SlidingWindow
from tests.models.live_windows import LIVE, due, evidence, random_inputs

bundle = load_bundle(LIVE)
backend = OnnxRuntimeCpu(bundle)
EMOTIONS = random_inputs(bundle, 1)["emotions"]
SILENCE = "no speech in the window"


def window(source: str = "desk", *, face: int = 0, voice: int = 0, text: int = 0) -> DueWindow:
    """Return a window in which all modalities count, each with the evidence of a seed."""
    seeds = {"face": face, "voice": voice, "text": text}
    return due(source, **{name: evidence(bundle, name, seed) for name, seed in seeds.items()})


def encoded(memory: EncodingMemory) -> dict[str, int]:
    return {name: memory.counts[f"{name}_encoded"] for name in MODALITIES}


def assert_as_from_the_start(
    found: Arrays, windows: Sequence[DueWindow], emotions: Float32Array = EMOTIONS
) -> None:
    """Compare with what comes out where everything is computed."""
    counts = np.array([[each.modalities[name].why is None for name in MODALITIES] for each in windows])
    inputs = {"emotions": emotions, "present": counts.astype(np.float32)}
    for name in MODALITIES:
        parts = [each.modalities[name] for each in windows]
        inputs[name] = np.stack([part.bins.values for part in parts])
        inputs[f"{name}_mask"] = np.stack([part.bins.mask for part in parts])
    expected = backend.run(inputs)
    for name in ("distance", "probability"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    for name in ("modality_distance", "modality_probability"):
        np.testing.assert_allclose(found[name][counts], expected[name][counts], atol=1e-5)


def test_evidence_that_stays_is_encoded_once() -> None:
    memory = EncodingMemory()
    for _ in range(3):
        assert_as_from_the_start(memory.run(backend, [window()], EMOTIONS), [window()])
    assert encoded(memory) == {"face": 1, "voice": 1, "text": 1}
    assert [memory.counts[f"{name}_reused"] for name in MODALITIES] == [2, 2, 2]
    assert memory.counts["batches"] == 3


def test_only_the_modality_and_the_source_that_has_something_new_is_encoded_again() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window("desk"), window("door")], EMOTIONS)
    assert encoded(memory) == {"face": 2, "voice": 2, "text": 2}
    later = [window("desk"), window("door", text=1)]
    assert_as_from_the_start(memory.run(backend, later, EMOTIONS), later)
    assert encoded(memory) == {"face": 2, "voice": 2, "text": 3}


def test_several_windows_of_a_source_in_one_batch_are_told_apart() -> None:
    memory = EncodingMemory()
    batch = [window(), window(), window(text=1), window()]
    assert_as_from_the_start(memory.run(backend, batch, EMOTIONS), batch)
    assert encoded(memory) == {"face": 1, "voice": 1, "text": 3}


def test_a_word_that_was_corrected_is_encoded_again_though_none_came() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window()], EMOTIONS)
    corrected = window()
    part = corrected.modalities["text"]
    values = part.bins.values.copy()
    values[-1] = -values[-1]
    corrected.modalities["text"] = replace(part, bins=replace(part.bins, values=values))
    assert_as_from_the_start(memory.run(backend, [corrected], EMOTIONS), [corrected])
    assert encoded(memory) == {"face": 1, "voice": 1, "text": 2}


def test_a_window_that_has_moved_over_its_evidence_is_encoded_again() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window()], EMOTIONS)
    moved = window()
    part = moved.modalities["voice"]
    bins = replace(part.bins, values=np.roll(part.bins.values, -1, 0), mask=np.roll(part.bins.mask, -1))
    moved.modalities["voice"] = replace(part, bins=bins)
    assert_as_from_the_start(memory.run(backend, [moved], EMOTIONS), [moved])
    assert encoded(memory) == {"face": 1, "voice": 2, "text": 1}


class Passing:
    """Evidence of all modalities going by, number after number, and the windows of it."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(3)
        self.lines: dict[str, SlidingWindow] = {}
        for name, part in bundle.modalities.items():
            if part.rate_hz is not None:
                self.lines[name] = SlidingWindow(
                    part.dim, 60 * NS_PER_S, steps=part.steps, rate_hz=part.rate_hz
                )

    def add(self, name: str, time_ms: int) -> None:
        vector = self.random.standard_normal(bundle.modalities[name].dim).astype(np.float32)
        self.lines[name].ring.append(time_ms * NS_PER_MS, vector)

    def window(self, end_ms: int) -> DueWindow:
        parts = {"text": evidence(bundle, "text", 0)}
        for name, line in self.lines.items():
            bins = line.window(end_ms * NS_PER_MS)
            parts[name] = ModalityWindow(bins, coverage=1.0, dropped=0, pending_ns=0, why=None, subject=None)
        return due("desk", **parts)


def steps(memory: EncodingMemory) -> dict[str, int]:
    return {name: memory.counts[f"{name}_steps"] for name in MODALITIES}


def test_of_a_window_that_has_moved_only_what_is_new_is_looked_at_by_itself() -> None:
    memory, passing = EncodingMemory(), Passing()
    for time_ms in range(0, 8000, 40):
        passing.add("face", time_ms)
        passing.add("voice", time_ms)
    memory.run(backend, [passing.window(5000)], EMOTIONS)
    assert steps(memory) == {"face": 50, "voice": 100, "text": 48}
    batch = [passing.window(5100), passing.window(5200)]
    assert_as_from_the_start(memory.run(backend, batch, EMOTIONS), batch)
    assert steps(memory) == {"face": 52, "voice": 104, "text": 48}


def test_of_words_only_those_are_looked_at_again_that_have_changed() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window()], EMOTIONS)
    corrected = window()
    part = corrected.modalities["text"]
    values = part.bins.values.copy()
    values[-3:-1] += 1
    corrected.modalities["text"] = replace(part, bins=replace(part.bins, values=values))
    assert_as_from_the_start(memory.run(backend, [corrected], EMOTIONS), [corrected])
    assert steps(memory)["text"] == 48 + 2


def test_words_that_only_end_later_are_encoded_as_they_were() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window()], EMOTIONS)
    later = window()
    part = later.modalities["text"]
    later.modalities["text"] = replace(part, bins=replace(part.bins, newest_ns=2))
    assert_as_from_the_start(memory.run(backend, [later], EMOTIONS), [later])
    assert steps(memory)["text"] == 48


class FailingOnce(OnnxRuntimeCpu):
    """A backend that fails once, after it has looked at every step."""

    failed = False

    def encode(self, evidence: Mapping[str, Sequence[EncoderInput]]) -> Arrays:
        if not self.failed:
            self.failed = True
            raise BackendError("it was its turn")
        return super().encode(evidence)


def test_a_window_that_follows_a_failed_run_is_scored_from_all_of_its_evidence() -> None:
    memory, passing, failing = EncodingMemory(), Passing(), FailingOnce(bundle)
    for time_ms in range(0, 6000, 40):
        passing.add("face", time_ms)
        passing.add("voice", time_ms)
    with pytest.raises(BackendError, match="it was its turn"):
        memory.run(failing, [passing.window(5000)], EMOTIONS)
    following = passing.window(5100)
    assert_as_from_the_start(memory.run(failing, [following], EMOTIONS), [following])


hop = st.sampled_from([100, 100, 200, 130, 500, 4900, 5000, 5100])
late = st.sampled_from([0, 0, 40, 250])
silent = st.booleans()


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.lists(st.tuples(hop, late, silent), min_size=1, max_size=3), min_size=1, max_size=5)
)
def test_however_a_window_moves_the_scores_are_those_of_the_whole_graph(
    batches: list[list[tuple[int, int, bool]]],
) -> None:
    """Evidence may be missing when a window is cut and be there at the next one, or not count for a while."""
    memory, passing, end_ms, came_ms = EncodingMemory(), Passing(), 6000, 0
    for batch in batches:
        windows = []
        for hop_ms, late_ms, is_silent in batch:
            end_ms += hop_ms
            for time_ms in range(came_ms, end_ms - late_ms, 40):
                passing.add("face", time_ms)
                passing.add("voice", time_ms)
                came_ms = time_ms + 40
            windows.append(passing.window(end_ms))
            if is_silent:
                voice = windows[-1].modalities["voice"]
                windows[-1].modalities["voice"] = replace(voice, why=SILENCE)
        assert_as_from_the_start(memory.run(backend, windows, EMOTIONS), windows)


def test_a_modality_that_does_not_count_is_not_encoded() -> None:
    memory = EncodingMemory()
    silent = window()
    for name in ("voice", "text"):
        silent.modalities[name] = evidence(bundle, name, 0, why=SILENCE)
    for seed in range(3):
        silent.modalities["face"] = evidence(bundle, "face", seed)
        assert_as_from_the_start(memory.run(backend, [silent], EMOTIONS), [silent])
    assert encoded(memory) == {"face": 3, "voice": 0, "text": 0}


def test_the_words_of_the_emotions_are_mapped_when_they_change() -> None:
    memory = EncodingMemory()
    other = random_inputs(bundle, 1, emotions=9, seed=5)["emotions"]
    for emotions, mapped in ((EMOTIONS, 1), (EMOTIONS.copy(), 1), (other, 2), (EMOTIONS, 3)):
        assert_as_from_the_start(memory.run(backend, [window()], emotions), [window()], emotions)
        assert memory.counts["vocabularies_mapped"] == mapped
    assert encoded(memory) == {"face": 1, "voice": 1, "text": 1}, "it does not depend on the words"


def test_another_backend_starts_from_nothing() -> None:
    memory = EncodingMemory()
    memory.run(backend, [window()], EMOTIONS)
    memory.run(OnnxRuntimeCpu(bundle), [window()], EMOTIONS)
    assert encoded(memory) == {"face": 2, "voice": 2, "text": 2}
    assert memory.counts["vocabularies_mapped"] == 2


def test_several_threads_may_find_nothing_to_encode() -> None:
    memory, several, nothing = EncodingMemory(), OnnxRuntimeCpu(bundle, threads=2), window("door")
    for name in MODALITIES:
        nothing.modalities[name] = evidence(bundle, name, 0, why=SILENCE)
    for batch in ([nothing], [window()], [window()], [window(), nothing]):
        assert_as_from_the_start(memory.run(several, batch, EMOTIONS), batch)
    several.close()


class WholeOnly:
    """ONNX Runtime, without stages."""

    name = "whole"
    max_emotions = None
    stages = None

    def run(self, inputs: Arrays) -> Arrays:
        return backend.run(inputs)

    def close(self) -> None:
        pass


def test_a_backend_that_runs_the_whole_graph_gets_everything() -> None:
    memory, batch = EncodingMemory(), [window("desk"), window("door")]
    for _ in range(2):
        assert_as_from_the_start(memory.run(WholeOnly(), batch, EMOTIONS), batch)
    assert encoded(memory) == {"face": 4, "voice": 4, "text": 4}


def test_what_could_not_be_encoded_is_not_remembered() -> None:
    memory, broken = EncodingMemory(), window()
    part = broken.modalities["face"]
    values = np.full_like(part.bins.values, np.nan)
    broken.modalities["face"] = replace(part, bins=replace(part.bins, values=values))
    with pytest.raises(BackendError, match="face_steps_1 that is not finite"):
        memory.run(backend, [broken], EMOTIONS)
    assert_as_from_the_start(memory.run(backend, [window()], EMOTIONS), [window()])


few = st.integers(0, 2)
States = list[tuple[str, int, int, int, str | None]]
state = st.tuples(st.sampled_from(["desk", "door"]), few, few, few, st.sampled_from([None, SILENCE]))


@settings(max_examples=20, deadline=None)
@given(batches=st.lists(st.lists(state, min_size=1, max_size=3), min_size=1, max_size=4))
def test_whatever_comes_the_scores_are_those_of_the_whole_graph(batches: list[States]) -> None:
    memory = EncodingMemory()
    for states in batches:
        windows = []
        for source, face, voice, text, why in states:
            windows.append(window(source, face=face, voice=voice))
            windows[-1].modalities["text"] = evidence(bundle, "text", text, why=why)
        assert_as_from_the_start(memory.run(backend, windows, EMOTIONS), windows)
