"""An engine on the fake GPU: batches, emotions, graphs, and every way in which a run can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.backends import OUTPUTS, Backend, BackendError, DeviceLostError
from models.backends.parity import repeated
from models.bundle import Bundle
from stream.messages import Float32Array
from tests.models.tensorrt.conftest import FakeGpu

Inputs = dict[str, Float32Array]


@pytest.fixture
def backend(gpu: FakeGpu, live: Bundle, reference: Backend) -> Any:
    """Give an fp32 engine of the live bundle, open."""
    device = gpu.module("cuda").open_device()
    key = gpu.module("engines").engine_key(live, "fp32", device.card, device.name)
    store = gpu.module("engine_store")
    record = gpu.module("build").build_engine(live, key, lambda name, share: None)
    kernels = store.kernels_path(store.engine_path(live.version, key))
    return gpu.module("runtime").TensorRTBackend(live, store.read_engine(record), "fp32", device, kernels)


def inputs(live: Bundle, windows: int, emotions: int) -> Inputs:
    """Return the bundle's stored inputs, repeated, and words in every direction."""
    vectors = np.random.default_rng(emotions).standard_normal((emotions, live.space_dim)).astype(np.float32)
    return repeated(live.check_arrays()[0], windows) | {"emotions": vectors}


def test_any_batch_gives_what_onnx_runtime_gives(backend: Backend, reference: Backend, live: Bundle) -> None:
    for windows, emotions in ((1, 1), (2, 6), (4, 256), (5, 6), (17, 1), (64, 6)):
        asked = inputs(live, windows, emotions)
        expected = reference.run(asked)
        for _ in range(2):  # the first run captures a graph, the second launches it
            found = backend.run(asked)
            for name in OUTPUTS:
                assert found[name].shape == expected[name].shape
                np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)


def test_what_ran_before_leaves_nothing_behind(backend: Backend, reference: Backend, live: Bundle) -> None:
    backend.run(inputs(live, 4, 6))
    asked = inputs(live, 2, 6)
    np.testing.assert_allclose(backend.run(asked)["distance"], reference.run(asked)["distance"], atol=1e-5)


def test_answers_stay_when_the_next_batch_runs(backend: Backend, live: Bundle) -> None:
    first = backend.run(inputs(live, 2, 6))
    kept = {name: value.copy() for name, value in first.items()}
    backend.run(inputs(live, 2, 6) | {"emotions": -inputs(live, 2, 6)["emotions"]})
    assert all((first[name] == kept[name]).all() for name in OUTPUTS)


def test_a_graph_is_captured_once_for_a_bucket_and_a_number_of_emotions(
    backend: Backend, gpu: FakeGpu, live: Bundle
) -> None:
    (stream,) = gpu.streams
    for windows in (3, 4, 2, 3):
        backend.run(inputs(live, windows, 6))
    assert (stream.captured, stream.launched) == (1, 4)
    backend.run(inputs(live, 4, 7))
    assert stream.captured == 2, "a changed vocabulary"
    backend.run(inputs(live, 5, 7))
    assert stream.captured == 3, "another bucket"


def test_an_engine_that_cannot_be_captured_runs_without_a_graph(
    backend: Backend, gpu: FakeGpu, reference: Backend, live: Bundle
) -> None:
    gpu.becomes(capture=False)
    asked = inputs(live, 3, 6)
    for _ in range(2):
        found = backend.run(asked)
        np.testing.assert_allclose(found["distance"], reference.run(asked)["distance"], atol=1e-5)
    assert gpu.streams[0].launched == 0


@pytest.mark.parametrize("ran_before", [False, True])
def test_a_lost_gpu_gives_an_error_that_names_it(
    backend: Backend, gpu: FakeGpu, live: Bundle, ran_before: bool
) -> None:
    if ran_before:
        backend.run(inputs(live, 1, 6))
    gpu.becomes(lost="CUDA_ERROR_ILLEGAL_ADDRESS")
    with pytest.raises(DeviceLostError, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
        backend.run(inputs(live, 1, 6))


def test_a_run_that_does_not_end_is_an_error(
    backend: Backend, gpu: FakeGpu, live: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu.module("cuda"), "_LONGEST_RUN_S", 0.05)
    backend.run(inputs(live, 1, 6))
    gpu.becomes(hangs=True)
    with pytest.raises(DeviceLostError, match="took longer than"):
        backend.run(inputs(live, 1, 6))


def test_an_answer_that_is_no_number_is_none(backend: Backend, live: Bundle) -> None:
    asked = inputs(live, 1, 6)
    asked["voice"][0, -1, 0] = np.nan
    with pytest.raises(DeviceLostError, match="not finite"):
        backend.run(asked)


def test_inputs_of_another_shape_are_refused(backend: Backend, live: Bundle) -> None:
    asked = inputs(live, 1, 6)
    with pytest.raises(BackendError, match="face is"):
        backend.run(asked | {"face": asked["face"][:, :, :-1]})


def test_more_emotions_than_the_engine_is_built_for_are_refused(backend: Backend, live: Bundle) -> None:
    assert backend.max_emotions == 256
    with pytest.raises(BackendError, match="up to 64 windows and 256 emotions, not 1 and 257"):
        backend.run(inputs(live, 1, 257))


def test_a_gpu_without_room_gives_an_error_and_keeps_nothing(gpu: FakeGpu, live: Bundle) -> None:
    engines, store = gpu.module("engines"), gpu.module("engine_store")
    device = gpu.module("cuda").open_device()
    key = engines.engine_key(live, "fp32", device.card, device.name)
    record = gpu.module("build").build_engine(live, key, lambda name, share: None)
    gpu.becomes(room=10_000_000)
    path = store.engine_path(live.version, key)
    with pytest.raises(BackendError, match="CUDA_ERROR_OUT_OF_MEMORY"):
        gpu.module("runtime").TensorRTBackend(live, store.read_engine(record), "fp32", device, path)
    assert gpu.streams == []
    assert gpu.memory == {}


def test_a_closed_engine_holds_no_memory(backend: Backend, gpu: FakeGpu, live: Bundle) -> None:
    backend.run(inputs(live, 1, 6))
    backend.close()
    assert gpu.streams == []
    assert gpu.memory == {}


def test_an_engine_of_another_release_does_not_load(gpu: FakeGpu, live: Bundle, tmp_path: Any) -> None:
    device = gpu.module("cuda").open_device()
    with pytest.raises(BackendError, match="does not load: magic tag does not match"):
        gpu.module("runtime").TensorRTBackend(live, b"something", "fp32", device, tmp_path / "kernels")
