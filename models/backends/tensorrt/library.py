"""The TensorRT of this machine as `trt`: `tensorrt`, or where that is absent `tensorrt_rtx`.

Both have one Python API; what differs between flavours and releases is in `flavour`. To the type checker it
is the vendor's `tensorrt`.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from models.backends import BackendError
from models.backends.tensorrt.presence import INSTALL, tensorrt_module

__all__ = ["trt"]


def _load() -> ModuleType:
    name = tensorrt_module()
    if name is None:
        raise BackendError(f"TensorRT is not installed; {INSTALL}")
    try:
        return importlib.import_module(name)
    # Whatever is wrong with its libraries comes out as an exception of theirs.
    except Exception as error:
        raise BackendError(f"{name} is installed, but does not load ({error}); install it again") from error


if TYPE_CHECKING:
    import tensorrt as trt
else:
    trt = _load()
