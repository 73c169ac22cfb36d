"""A bundle's graph cut into its parts gives, part after part, what the whole gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.backends import MAX_WINDOWS
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.bundle import load_bundle
from models.bundle_manifest import MODALITIES
from models.graph_parts import FUSION, OUTPUTS, WORD_MAP, GraphPartError, Part, WholeGraph
from models.onnx_session import open_session
from tests.models.live_windows import LIVE, random_inputs

bundle = load_bundle(LIVE)
whole = open_session(bundle.graph)
parts = OnnxRuntimeCpu(bundle)
model = bundle.graph.read_bytes()
graph = WholeGraph(model)
STEPS = [graph.steps(name) for name in MODALITIES]
PARTS = [*STEPS, *map(graph.encoder, MODALITIES), WORD_MAP, FUSION]


@pytest.mark.parametrize("windows", [1, 3, MAX_WINDOWS])
def test_the_parts_together_are_the_whole(windows: int) -> None:
    for present in np.eye(3, dtype=np.float32), np.ones((3, 3), np.float32), np.zeros((3, 3), np.float32):
        inputs = random_inputs(bundle, windows, emotions=7, seed=windows)
        inputs["present"] = present[np.arange(windows) % 3]
        found = parts.run(inputs)
        for name, value in zip(OUTPUTS, whole.run(list(OUTPUTS), inputs), strict=True):
            np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.outputs[0])
def test_a_part_reads_nothing_but_its_own_inputs(part: Part) -> None:
    session = open_session(bundle.graph, content=graph.cut(part))
    assert tuple(value.name for value in session.get_inputs()) == part.inputs
    assert tuple(value.name for value in session.get_outputs()) == part.outputs


@pytest.mark.parametrize("windows", [1, 3, MAX_WINDOWS])
def test_several_threads_give_what_one_gives(windows: int) -> None:
    several = OnnxRuntimeCpu(bundle, threads=3)
    inputs = random_inputs(bundle, windows, seed=windows)
    expected = parts.run(inputs)
    for name, value in several.run(inputs).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5, err_msg=name)
    several.close()


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("count", [1, 7, 200])
def test_a_step_is_the_same_however_many_there_are(modality: str, count: int) -> None:
    rows = np.random.default_rng(count).standard_normal((count, bundle.modalities[modality].dim))
    together = parts.steps({modality: rows.astype(np.float32)})[modality]
    for row, found in zip(rows[:10], together[:10], strict=True):
        alone = parts.steps({modality: row[np.newaxis].astype(np.float32)})[modality]
        np.testing.assert_allclose(found, alone[0], atol=1e-5)


def test_a_graph_that_does_not_name_its_steps_is_refused() -> None:
    unnamed = WholeGraph(model.replace(b"face_steps_1", b"face_steps_x"))
    with pytest.raises(GraphPartError, match="it has no face_steps_1"):
        unnamed.encoder("face")


def test_every_weight_is_in_one_part_only() -> None:
    sizes = [len(graph.cut(part)) for part in PARTS]
    assert sum(sizes) < 1.05 * len(model)


def test_a_cut_at_an_unknown_place_is_refused() -> None:
    with pytest.raises(GraphPartError, match="it has no smell_encoding"):
        graph.cut(Part(("face",), ("smell_encoding",)))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(GraphPartError, match="it is no ONNX model"):
        WholeGraph(Path(__file__).read_bytes())
