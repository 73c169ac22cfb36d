"""ONNX Runtime's execution providers that a bundle's graph may run on, and how each is asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.backends import MAX_WINDOWS
from models.backends.precision import Precision
from models.bundle import Bundle
from models.cache import cache_folder

MAX_EMOTIONS = 256
"""Emotions that an engine is built for."""


@dataclass(frozen=True)
class Provider:
    """One row of the table."""

    backend: str
    """The backend's name, as it stands in messages."""
    name: str
    """ONNX Runtime's own name."""
    precision: Precision
    """What it computes in, and so how closely it must agree with the CPU."""
    options: Callable[[Bundle, int], dict[str, str]]
    """Its options, for a bundle and a number of CPU threads."""
    needs_gpu: bool
    """Whether it runs on an NVIDIA GPU only."""
    remedy: str
    """What to do where it does not load."""


def profile_shapes(bundle: Bundle, windows: int, emotions: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every input of the graph, for so many windows and emotions."""
    return {
        name: tuple((emotions if name == "emotions" else windows) if size is None else size for size in shape)
        for name, shape in bundle.input_shapes().items()
    }


def _cpu(bundle: Bundle, threads: int) -> dict[str, str]:
    return {}


def _cuda(bundle: Bundle, threads: int) -> dict[str, str]:
    return {"use_tf32": "0"}


def _tensorrt(bundle: Bundle, threads: int) -> dict[str, str]:
    folder = str(cache_folder() / "engines" / "onnxruntime")

    def shapes(windows: int, emotions: int) -> str:
        sized = profile_shapes(bundle, windows, emotions)
        return ",".join(f"{name}:{'x'.join(map(str, shape))}" for name, shape in sized.items())

    # Without a profile the provider builds anew, and blocks, at every shape it has not seen.
    return {
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": folder,
        "trt_profile_min_shapes": shapes(1, 1),
        "trt_profile_opt_shapes": shapes(4, 8),
        "trt_profile_max_shapes": shapes(MAX_WINDOWS, MAX_EMOTIONS),
    }


def _openvino(bundle: Bundle, threads: int) -> dict[str, str]:
    return {"device_type": "CPU", "precision": "FP32", "num_of_threads": str(threads)}


CPU_PROVIDER = Provider(
    "onnxruntime", "CPUExecutionProvider", "fp32", _cpu, False, "pip install --upgrade onnxruntime"
)
PROVIDERS = (
    Provider(
        "onnxruntime-tensorrt",
        "TensorrtExecutionProvider",
        "tf32",
        _tensorrt,
        True,
        "install the TensorRT that this onnxruntime-gpu was built for",
    ),
    Provider(
        "onnxruntime-cuda",
        "CUDAExecutionProvider",
        "fp32",
        _cuda,
        True,
        "install the CUDA and cuDNN that this onnxruntime-gpu was built for",
    ),
    Provider(
        "onnxruntime-openvino",
        "OpenVINOExecutionProvider",
        "fp32",
        _openvino,
        False,
        "install the OpenVINO that this onnxruntime-openvino was built for",
    ),
)
"""All but the CPU, which is always there."""
