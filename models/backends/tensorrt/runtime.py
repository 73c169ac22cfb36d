"""Runs an engine: buffers allocated once, one stream, and a CUDA graph a bucket of batch sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.backends import MAX_WINDOWS, OUTPUTS, BackendError, DeviceLostError
from models.backends.precision import Precision
from models.backends.providers import profile_shapes
from models.backends.tensorrt import cuda
from models.backends.tensorrt.bucket_run import BucketRun
from models.backends.tensorrt.buckets import BUCKETS, MAX_EMOTIONS, bucket_of
from models.backends.tensorrt.flavour import Contexts, flavour
from models.backends.tensorrt.library import trt
from models.backends.tensorrt.messages import Messages
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from stream.messages import Float32Array


class TensorRTBackend:
    """A bundle's graph as a TensorRT engine.

    A batch is filled up with empty windows to the size of its bucket. A bucket's whole run (copies to the
    GPU, kernels, copies back) is captured as a CUDA graph the first time, and again when the number of
    emotions changes.

    Args:
        bundle: Whose engine it is.
        plan: The serialized engine.
        precision: What it computes in.
        device: The GPU, open.
        kernels: Where TensorRT-RTX keeps the kernels it compiles; need not exist.

    Raises:
        BackendError: TensorRT does not take the engine, or the GPU has no room for it.
    """

    max_emotions = MAX_EMOTIONS
    # The whole is one launch of one captured graph; in stages it would be up to eight, each waited for.
    stages = None

    def __init__(
        self, bundle: Bundle, plan: bytes, precision: Precision, device: cuda.Device, kernels: Path
    ) -> None:
        self.name = f"{flavour().name}-{precision}"
        self._bundle = bundle
        self._device = device
        self._kernels = kernels
        messages = Messages()
        self._runtime = trt.Runtime(messages)
        engine: trt.ICudaEngine | None = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise BackendError(f"{self.name}: the engine does not load: {messages.last_error()}")
        self._contexts = Contexts(engine, kernels.read_bytes() if kernels.is_file() else b"")
        self._stream = cuda.create_stream()
        self._buffers: dict[str, cuda.Buffer] = {}
        self._buckets: list[BucketRun] = []
        try:
            for name, shape in self._shapes(BUCKETS[-1].windows, MAX_EMOTIONS).items():
                self._buffers[name] = cuda.Buffer(math.prod(shape))
            for bucket in BUCKETS:
                self._buckets.append(BucketRun(self._contexts, bucket, self._buffers, self._stream, messages))
        except BackendError:
            self.close()
            raise

    def run(self, inputs: Mapping[str, Float32Array]) -> Mapping[str, Float32Array]:
        """Return the graph's outputs, by name; see `Backend.run`."""
        cuda.make_current(self._device)
        windows, emotions = len(inputs["present"]), len(inputs["emotions"])
        if windows > MAX_WINDOWS or emotions > MAX_EMOTIONS:
            raise BackendError(
                f"{self.name}: the engine takes up to {MAX_WINDOWS} windows and {MAX_EMOTIONS} emotions, "
                f"not {windows} and {emotions}; use `backend: onnxruntime`"
            )
        bucket = bucket_of(windows)
        shapes = self._shapes(bucket.windows, emotions)
        for name in self._bundle.input_shapes():
            given, room = inputs[name], self._room(name, shapes[name])
            if given.shape[1:] != room.shape[1:]:
                raise BackendError(f"{self.name}: {name} is {given.shape}, but the engine takes {room.shape}")
            room[: len(given)] = given
            room[len(given) :] = 0
        self._buckets[bucket.index].run(shapes)
        outputs = {name: np.array(self._room(name, shapes[name])[:windows]) for name in OUTPUTS}
        for name, value in outputs.items():
            if not np.isfinite(value).all():
                raise DeviceLostError(
                    f"{self.name} gave a {name} that is not finite; nothing is scored from it"
                )
        return outputs

    def save_kernels(self) -> None:
        """Keep the kernels that TensorRT-RTX has compiled by now for the next process.

        Raises:
            OSError: They cannot be written.
        """
        compiled = self._contexts.kernels()
        if compiled:
            draft = self._kernels.with_name(f"{self._kernels.name}.new")
            draft.write_bytes(compiled)
            draft.replace(self._kernels)

    def close(self) -> None:
        """Free the GPU's memory."""
        for bucket in self._buckets:
            bucket.close()
        self._buckets.clear()
        cuda.destroy_stream(self._stream)
        for buffer in self._buffers.values():
            buffer.free()

    def _room(self, name: str, shape: tuple[int, ...]) -> Float32Array:
        return self._buffers[name].host[: math.prod(shape)].reshape(shape)

    def _shapes(self, windows: int, emotions: int) -> dict[str, tuple[int, ...]]:
        return profile_shapes(self._bundle, windows, emotions) | {
            "distance": (windows, emotions),
            "probability": (windows, emotions),
            "modality_distance": (windows, len(MODALITIES), emotions),
            "modality_probability": (windows, len(MODALITIES), emotions),
        }
