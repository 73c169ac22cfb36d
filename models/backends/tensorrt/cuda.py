"""The little of CUDA that running an engine takes, by NVIDIA's `cuda-python`, on the driver's own API.

The driver's API, since the runtime's asks for a driver as new as itself, which a Jetson does not have.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.backends import BackendError, DeviceLostError
from stream.messages import Float32Array

try:
    from cuda.bindings import driver
except ImportError as missing:
    raise BackendError(f"TensorRT needs cuda-python ({missing}); pip install 'cuda-bindings<13'") from missing

_LONGEST_RUN_S = 2.0
"""A run that takes longer has hung: a batch of 64 windows takes some milliseconds."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 20e-6, 1e-3


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the driver and return what it gives.

    Raises:
        DeviceLostError: It failed; the message is CUDA's name for how.
    """
    status, *values = function(*arguments)
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DeviceLostError(f"the GPU failed: {status.name} in {function.__name__}")
    return values[0] if values else None


@dataclass(frozen=True)
class Device:
    """The GPU that is used: the first."""

    name: str
    """As NVIDIA sells it."""
    card: str
    """Compute capability, such as `sm89`."""
    context: Any


def open_device() -> Device:
    """Open the GPU for this process and make it current in this thread.

    Raises:
        BackendError: There is none that works.
    """
    attribute = driver.CUdevice_attribute
    try:
        call(driver.cuInit, 0)
        device = call(driver.cuDeviceGet, 0)
        name = bytes(call(driver.cuDeviceGetName, 128, device)).split(b"\0")[0].decode()
        major, minor = (
            call(driver.cuDeviceGetAttribute, which, device)
            for which in (
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
            )
        )
        context = call(driver.cuDevicePrimaryCtxRetain, device)
        call(driver.cuCtxSetCurrent, context)
    # Without a driver `cuda-python` raises errors of its own.
    except Exception as error:
        raise BackendError(f"no NVIDIA GPU can be used here: {error}") from error
    return Device(name, f"sm{major}{minor}", context)


class Buffer:
    """Pinned memory of the host, which the GPU copies from and to by itself, and as much of the GPU's own."""

    def __init__(self, size: int) -> None:
        """Allocate room for `size` numbers."""
        self._pinned = int(call(driver.cuMemHostAlloc, 4 * size, 0))
        memory = (ctypes.c_float * size).from_address(self._pinned)
        self.host: Float32Array = np.ctypeslib.as_array(memory)
        """The host's side, flat."""
        try:
            self._device = call(driver.cuMemAlloc, 4 * size)
        except DeviceLostError:
            driver.cuMemFreeHost(self._pinned)
            raise

    @property
    def address(self) -> int:
        """Where the GPU's side lies."""
        return int(self._device)

    def upload(self, stream: Any, size: int) -> None:
        """Have the first `size` numbers copied to the GPU."""
        call(driver.cuMemcpyHtoDAsync, self._device, self._pinned, 4 * size, stream)

    def download(self, stream: Any, size: int) -> None:
        """Have the first `size` numbers copied from the GPU."""
        call(driver.cuMemcpyDtoHAsync, self._pinned, self._device, 4 * size, stream)

    def free(self) -> None:
        """Give both back."""
        self.host = np.empty(0, np.float32)
        driver.cuMemFree(self._device)
        driver.cuMemFreeHost(self._pinned)


def create_stream() -> Any:
    """Return a stream of its own; graphs cannot be captured on the default one."""
    return call(driver.cuStreamCreate, driver.CUstream_flags.CU_STREAM_NON_BLOCKING.value)


def capture(stream: Any, work: Callable[[], None]) -> Any:
    """Return as an executable graph what `work` puts on `stream`; nothing of it runs yet.

    Raises:
        DeviceLostError: It cannot be captured.
    """
    mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
    call(driver.cuStreamBeginCapture, stream, mode)
    try:
        work()
    finally:
        # Also after a failure: the stream is of no use before its capture has ended.
        status, graph = driver.cuStreamEndCapture(stream)
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DeviceLostError(f"the GPU failed: {status.name} in cuStreamEndCapture")
    executable = call(driver.cuGraphInstantiate, graph, 0)
    call(driver.cuGraphDestroy, graph)
    return executable


def launch(graph: Any, stream: Any) -> None:
    """Put a captured graph on `stream`."""
    call(driver.cuGraphLaunch, graph, stream)


def wait(stream: Any) -> None:
    """Wait until all that was put on `stream` is done.

    Raises:
        DeviceLostError: It failed, or did not come to an end: after a driver reset it may never.
    """
    deadline = time.monotonic() + _LONGEST_RUN_S
    pause_s = _FIRST_PAUSE_S
    while True:
        (status,) = driver.cuStreamQuery(stream)
        if status == driver.CUresult.CUDA_SUCCESS:
            return
        if status != driver.CUresult.CUDA_ERROR_NOT_READY:
            raise DeviceLostError(f"the GPU failed: {status.name} while the model ran")
        if time.monotonic() > deadline:
            raise DeviceLostError(f"the GPU failed: a run took longer than {_LONGEST_RUN_S:g} s")
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def make_current(device: Device) -> None:
    """Have this thread use `device`; engines are opened by another thread than runs them."""
    call(driver.cuCtxSetCurrent, device.context)


def destroy_graph(graph: Any) -> None:
    """Give back a captured graph, of a GPU that may be gone."""
    driver.cuGraphExecDestroy(graph)


def destroy_stream(stream: Any) -> None:
    """Give back a stream, of a GPU that may be gone."""
    driver.cuStreamDestroy(stream)
