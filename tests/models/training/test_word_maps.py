"""Where words land is read from the graph alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.bundle_manifest import MODALITIES, BundleError
from models.training.export import export_network
from models.training.word_maps import principal_plane, word_positions
from tests.models.training.rated_words import SPACE
from tests.models.training.test_export import SHAPES, network


def test_words_land_where_pytorch_puts_them(tmp_path: Path) -> None:
    live = network()
    export_network(live, SHAPES, SPACE, tmp_path / "model.onnx")
    emotions = np.random.default_rng(0).standard_normal((5, SPACE)).astype(np.float32)
    found = word_positions(tmp_path / "model.onnx", emotions)
    for modality in MODALITIES:
        with torch.no_grad():
            expected = live.scorers[modality].get_submodule("words")(torch.from_numpy(emotions)).numpy()
        np.testing.assert_allclose(found[modality], expected, atol=1e-5)


def test_a_graph_without_such_a_place_is_refused(tmp_path: Path) -> None:
    words = onnx.helper.make_tensor_value_info("emotions", onnx.TensorProto.FLOAT, ["K", 8])
    distance = onnx.helper.make_tensor_value_info("distance", onnx.TensorProto.FLOAT, ["K", 8])
    node = onnx.helper.make_node("Identity", ["emotions"], ["distance"])
    graph = onnx.helper.make_graph([node], "other", [words], [distance])
    onnx.save(onnx.helper.make_model(graph), str(tmp_path / "model.onnx"))
    with pytest.raises(BundleError, match="it has no face_words, voice_words, text_words"):
        word_positions(tmp_path / "model.onnx", np.zeros((2, 8), np.float32))


def test_the_plane_holds_what_lies_furthest_apart() -> None:
    flat = np.array([[3, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0]], np.float32)
    turned = flat @ np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0].astype(np.float32)
    plane, spread = principal_plane(turned)
    assert spread == pytest.approx(1)
    np.testing.assert_allclose(np.abs(plane), np.abs(flat[:, :2]), atol=1e-5)
