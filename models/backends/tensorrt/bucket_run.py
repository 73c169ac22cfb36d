"""One bucket of batch sizes: an execution context, and the CUDA graph of a whole run in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.backends import OUTPUTS, DeviceLostError
from models.backends.tensorrt import cuda
from models.backends.tensorrt.buckets import Bucket
from models.backends.tensorrt.flavour import Contexts
from models.backends.tensorrt.messages import Messages

Shapes = Mapping[str, tuple[int, ...]]


class BucketRun:
    """Runs batches of one size, filled up to that of the bucket.

    Args:
        contexts: Of the engine.
        bucket: Which of its profiles.
        buffers: Of all inputs and outputs, by name; shared by all buckets.
        stream: Likewise.
        messages: Where TensorRT says why something failed.

    Raises:
        DeviceLostError: The GPU has no room for it.
    """

    def __init__(
        self,
        contexts: Contexts,
        bucket: Bucket,
        buffers: Mapping[str, cuda.Buffer],
        stream: Any,
        messages: Messages,
    ) -> None:
        self._buffers = buffers
        self._stream = stream
        self._messages = messages
        self._captures = not contexts.capture_by_themselves
        self._shapes: Shapes = {}
        self._graph: Any = None
        self._context = contexts.create()
        self._must(
            self._context.set_optimization_profile_async(bucket.index, int(stream)), "choose a profile"
        )
        for name, buffer in buffers.items():
            self._must(self._context.set_tensor_address(name, buffer.address), f"bind {name}")
        cuda.wait(stream)

    def run(self, shapes: Shapes) -> None:
        """Run what lies in the buffers.

        Args:
            shapes: Of the whole bucket, with the number of emotions there is.

        Raises:
            DeviceLostError: The run failed.
        """
        if shapes != self._shapes:
            self._prepare(shapes)
        if self._graph is None:
            self._enqueue()
        else:
            cuda.launch(self._graph, self._stream)
        cuda.wait(self._stream)

    def close(self) -> None:
        """Give back the graph."""
        if self._graph is not None:
            cuda.destroy_graph(self._graph)
            self._graph = None

    def _prepare(self, shapes: Shapes) -> None:
        self.close()
        self._shapes = {}
        for name, shape in shapes.items():
            if name not in OUTPUTS:
                self._must(self._context.set_input_shape(name, shape), f"take {name} of {shape}")
        self._shapes = shapes
        if not self._captures:
            return
        # A context allocates when it first runs with a shape, which must not happen inside a capture.
        self._enqueue()
        cuda.wait(self._stream)
        try:
            self._graph = cuda.capture(self._stream, self._enqueue)
        except DeviceLostError:
            # Some loops cannot be captured. If it is the GPU that failed, the next run shows it.
            self._captures = False

    def _enqueue(self) -> None:
        for name, shape in self._shapes.items():
            if name not in OUTPUTS:
                self._buffers[name].upload(self._stream, math.prod(shape))
        self._must(self._context.execute_async_v3(int(self._stream)), "run")
        for name, shape in self._shapes.items():
            if name in OUTPUTS:
                self._buffers[name].download(self._stream, math.prod(shape))

    def _must(self, done: bool, what: str) -> None:
        if not done:
            raise DeviceLostError(f"TensorRT cannot {what}: {self._messages.last_error()}")
