"""The exported graph gives what PyTorch gives, and one that does not is not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from models.bundle_manifest import MODALITIES
from models.graph_parts import FUSION, OUTPUTS, WORD_MAP, WholeGraph
from models.onnx_session import open_session
from models.training import export
from models.training.branches import BRANCHES
from models.training.export import ExportError, export_network, random_inputs
from models.training.network import LiveNetwork, ModalityScorer, WordMap
from tests.models.training.rated_words import SPACE, lexicon

SHAPES = {"face": (5, 6), "voice": (10, 7), "text": (4, SPACE)}


def network() -> LiveNetwork:
    torch.manual_seed(0)
    return LiveNetwork(
        {
            name: ModalityScorer(
                BRANCHES[name](SHAPES[name][1], 16, 8, 0.1),
                WordMap(SPACE, 8, 4, lexicon().fit(), affect_share=0.5, meaning_share=0.4 * (name == "text")),
                SHAPES[name][1],
            )
            for name in MODALITIES
        }
    )


def test_graph_has_the_names_types_and_free_axes_of_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_network(network(), SHAPES, SPACE, path)
    graph = onnx.load(str(path))
    assert graph.opset_import[0].version >= 17
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.graph.input, *graph.graph.output)
    }
    assert shapes == {
        "face": ["N", 5, 6], "face_mask": ["N", 5], "voice": ["N", 10, 7], "voice_mask": ["N", 10],
        "text": ["N", 4, SPACE], "text_mask": ["N", 4], "present": ["N", 3], "emotions": ["K", SPACE],
        "distance": ["N", "K"], "probability": ["N", "K"],
        "modality_distance": ["N", 3, "K"], "modality_probability": ["N", 3, "K"],
    }  # fmt: skip
    assert {v.type.tensor_type.elem_type for v in (*graph.graph.input, *graph.graph.output)} == {
        onnx.TensorProto.FLOAT
    }
    assert {"If", "Loop", "Scan"}.isdisjoint(node.op_type for node in graph.graph.node)


def test_the_graph_can_be_cut_into_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_network(network(), SHAPES, SPACE, path)
    inputs = random_inputs(SHAPES, SPACE, windows=2, emotions=3, seed=1)
    given: dict[str, Any] = dict(inputs)
    graph = WholeGraph(path.read_bytes())
    steps, encoders = map(graph.steps, MODALITIES), map(graph.encoder, MODALITIES)
    for part in (*steps, *encoders, WORD_MAP, FUSION):
        session = open_session(path, content=graph.cut(part))
        found = session.run(list(part.outputs), {name: given[name] for name in part.inputs})
        given |= dict(zip(part.outputs, found, strict=True))
    for name, value in zip(OUTPUTS, open_session(path).run(list(OUTPUTS), inputs), strict=True):
        np.testing.assert_allclose(given[name], value, atol=1e-6)


def test_a_graph_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="distance differs from PyTorch's by"):
        export_network(network(), SHAPES, SPACE, tmp_path / "model.onnx")
