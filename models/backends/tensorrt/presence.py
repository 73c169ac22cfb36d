"""Whether this machine has a TensorRT and an NVIDIA driver, found without loading either in full."""

from __future__ import annotations

import ctypes
import functools
import importlib.util

INSTALL = (
    "on a Jetson it comes with JetPack (see docs/jetson.md), on a workstation with an RTX card "
    "`pip install 'emostream[tensorrt-rtx]'` brings it"
)
_MODULES = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
"""By preference. The last is what the packages on the public index install; the others come from NVIDIA."""


@functools.cache
def tensorrt_module() -> str | None:
    """Return the name of the module that is TensorRT here; `None` where there is none."""
    for name in _MODULES:
        spec = importlib.util.find_spec(name)
        # Type stubs alone make a package without code.
        if spec is not None and spec.origin is not None:
            return name
    return None


@functools.cache
def has_cuda_python() -> bool:
    """Return whether `cuda.bindings` is installed."""
    try:
        return importlib.util.find_spec("cuda.bindings.driver") is not None
    except ModuleNotFoundError:
        return False


@functools.cache
def has_driver() -> bool:
    """Return whether there is an NVIDIA driver; whether it has a working device shows when it is used."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
