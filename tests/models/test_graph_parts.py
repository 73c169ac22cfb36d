"""A bundle's graph cut into its parts gives, part after part, what the whole gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.backends import MAX_WINDOWS
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.bundle import load_bundle
from models.graph_parts import ENCODERS, FUSION, OUTPUTS, WORD_MAP, GraphPartError, Part, cut
from models.onnx_session import open_session
from tests.models.live_windows import LIVE, random_inputs

bundle = load_bundle(LIVE)
whole = open_session(bundle.graph)
parts = OnnxRuntimeCpu(bundle)
model = bundle.graph.read_bytes()


@pytest.mark.parametrize("windows", [1, 3, MAX_WINDOWS])
def test_the_parts_together_are_the_whole(windows: int) -> None:
    for present in np.eye(3, dtype=np.float32), np.ones((3, 3), np.float32), np.zeros((3, 3), np.float32):
        inputs = random_inputs(bundle, windows, emotions=7, seed=windows)
        inputs["present"] = present[np.arange(windows) % 3]
        found = parts.run(inputs)
        for name, value in zip(OUTPUTS, whole.run(list(OUTPUTS), inputs), strict=True):
            np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("part", [*ENCODERS.values(), WORD_MAP, FUSION], ids=lambda part: part.outputs[0])
def test_a_part_reads_nothing_but_its_own_inputs(part: Part) -> None:
    session = open_session(bundle.graph, content=cut(model, part))
    assert tuple(value.name for value in session.get_inputs()) == part.inputs
    assert tuple(value.name for value in session.get_outputs()) == part.outputs


def test_every_weight_is_in_one_part_only() -> None:
    sizes = [len(cut(model, part)) for part in (*ENCODERS.values(), WORD_MAP, FUSION)]
    assert sum(sizes) < 1.05 * len(model)


def test_a_cut_at_an_unknown_place_is_refused() -> None:
    with pytest.raises(GraphPartError, match="it has no smell_encoding"):
        cut(model, Part(("face",), ("smell_encoding",)))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(GraphPartError, match="it is no ONNX model"):
        cut(Path(__file__).read_bytes(), FUSION)
