"""Inference backends: what runs a bundle's graph.

Which there are on a machine says `models.backends.candidates`, which is best `models.backends.choice`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from models.bundle import Bundle
from models.graph_parts import OUTPUTS
from stream.errors import UserError
from stream.messages import Float32Array

__all__ = [
    "KINDS",
    "MAX_WINDOWS",
    "OUTPUTS",
    "Arrays",
    "Backend",
    "BackendError",
    "DeviceLostError",
    "EncoderInput",
    "Stages",
    "encoder_inputs",
    "open_backend",
]

Arrays: TypeAlias = Mapping[str, Float32Array]
KINDS = ("auto", "onnxruntime", "tensorrt")
MAX_WINDOWS = 64
"""Windows that go through the model at once."""


class BackendError(UserError):
    """A backend that cannot be opened, or a run that gave no usable answer."""


class DeviceLostError(BackendError):
    """A device that has worked failed during a run; there are no scores from it."""


class EncoderInput(NamedTuple):
    """One modality of one window, as it is encoded."""

    values: Float32Array
    """`[T, D]`; rows without evidence are zero."""
    mask: Float32Array
    """`[T]`; 1 where there is evidence, else 0."""
    steps: Float32Array
    """`[T, W]`: what `Stages.steps` gives for `values`."""


def encoder_inputs(inputs: Arrays, steps: Arrays, modality: str) -> list[EncoderInput]:
    """Return one modality of N windows, window by window.

    Args:
        inputs: Of the graph; see `Bundle.input_shapes`.
        steps: By modality, `[N * T, W]`: those of all windows, one after the other.
        modality: Which.
    """
    values, mask = inputs[modality], inputs[f"{modality}_mask"]
    return list(map(EncoderInput, values, mask, np.split(steps[modality], len(values))))


class Stages(Protocol):
    """A bundle's graph in stages, so that none need be run again for what has not changed."""

    def steps(self, rows: Mapping[str, Float32Array]) -> Arrays:
        """Return what each step (a bin, a word) is by itself, `[R, W]`, for rows `[R, D]`, by modality.

        Raises:
            BackendError: The run failed, or the answer holds a NaN or an infinity.
        """

    def encode(self, evidence: Mapping[str, Sequence[EncoderInput]]) -> Arrays:
        """Return vectors `[N, joint]`, by modality; of each its own number of windows, one or more.

        Raises:
            BackendError: The run failed, or the answer holds a NaN or an infinity.
        """

    def map_words(self, emotions: Float32Array) -> Arrays:
        """Return unit vectors `[K, joint]`, by modality, for the words `[K, E]` of K emotions.

        Raises:
            BackendError: The run failed, or the answer holds a NaN or an infinity.
        """

    def fuse(self, encodings: Arrays, words: Arrays, present: Float32Array) -> Arrays:
        """Return the graph's outputs, by name.

        Args:
            encodings: By modality, `[N, joint]`; where a modality is not present, anything finite.
            words: By modality, `[K, joint]`.
            present: `[N, 3]`, 1 where a modality counts, else 0.

        Raises:
            BackendError: The run failed, or an output holds a NaN or an infinity.
        """


class Backend(Protocol):
    """Runs a bundle's graph on batches of windows."""

    @property
    def name(self) -> str:
        """The backend's name as it stands in messages, such as `onnxruntime`."""

    @property
    def max_emotions(self) -> int | None:
        """How many emotions a run may have; `None` for any number."""

    @property
    def stages(self) -> Stages | None:
        """The same in stages; `None` for one that runs the whole graph at once."""

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs, by name.

        Args:
            inputs: As in `Bundle.input_shapes`; 1 to `MAX_WINDOWS` windows and 1 to `max_emotions` emotions.

        Raises:
            DeviceLostError: The device that it runs on failed.
            BackendError: The run failed, or an output holds a NaN or an infinity.
        """

    def close(self) -> None:
        """Give back what it holds of a device; it cannot run afterwards."""


def open_backend(bundle: Bundle, kind: str = "auto", *, threads: int = 1) -> Backend:
    """Open the backend `kind` on a bundle's graph, at once.

    Args:
        bundle: What to run.
        kind: One of `KINDS`; `auto` is ONNX Runtime on the CPU here, since what is better takes time to build
            and to measure: the inference worker does that while it serves.
        threads: CPU threads of one run.

    Raises:
        BackendError: There is no such backend, it refuses the graph, or its engine has not been built.
        BundleError: The graph's inputs are not those that `model.yaml` describes.
    """
    if kind not in KINDS:
        raise BackendError(f"there is no backend {kind!r}; choose one of {', '.join(KINDS)}")
    # Programs that only read a bundle need none of the libraries behind these.
    from models.backends.onnxruntime_cpu import OnnxRuntimeCpu  # noqa: PLC0415

    if kind != "tensorrt":
        return OnnxRuntimeCpu(bundle, threads=threads)
    from models.backends.candidates import tensorrt_candidate  # noqa: PLC0415

    return tensorrt_candidate().open(bundle, threads)
