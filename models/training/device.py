"""Where PyTorch computes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stream.errors import UserError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


class DeviceError(UserError):
    """A device that is not there."""


def open_device(name: str) -> torch.device:
    """Return the device `name`, set to give the same numbers every time; `auto` is the GPU if there is one.

    Raises:
        DeviceError: `name` is none of `DEVICES`, or there is no GPU that this PyTorch can use.
    """
    if name not in DEVICES:
        raise DeviceError(f"there is no device {name!r}; choose {', '.join(DEVICES)}")
    import torch  # noqa: PLC0415 - seconds, and not there where nothing is trained

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        built = torch.version.cuda
        why = "no GPU is found" if built else "this PyTorch was built for the CPU alone"
        raise DeviceError(f"cuda cannot be used: {why}; give --device cpu, or install PyTorch for your GPU")
    if name == "cpu" or not available:
        return torch.device("cpu")
    # Without a workspace of fixed size cuBLAS gives recurrent networks other numbers every time.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda")
