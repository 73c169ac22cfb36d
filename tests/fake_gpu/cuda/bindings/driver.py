"""Stands in for NVIDIA's `cuda.bindings.driver`: device memory is memory of the host, streams run at once."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Callable
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any


class CUresult(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_NOT_READY = 600
    CUDA_ERROR_ILLEGAL_ADDRESS = 700
    CUDA_ERROR_STREAM_CAPTURE_INVALIDATED = 901
    CUDA_ERROR_UNKNOWN = 999


class CUdevice_attribute(Enum):
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76


class CUstream_flags(Enum):
    CU_STREAM_NON_BLOCKING = 1


class CUstreamCaptureMode(Enum):
    CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1


class CUdeviceptr(int):
    pass


class CUgraph(list[Callable[[], None]]):
    pass


class CUgraphExec(list[Callable[[], None]]):
    pass


class CUstream:
    def __init__(self) -> None:
        self.capturing: CUgraph | None = None
        self.captured = 0
        self.launched = 0

    def __int__(self) -> int:
        return id(self)

    def put(self, work: Callable[[], None]) -> None:
        if self.capturing is None:
            work()
        else:
            self.capturing.append(work)


streams: dict[int, CUstream] = {}
"""By handle."""
memory: dict[int, Any] = {}
"""By address."""
_OK = CUresult.CUDA_SUCCESS


def state() -> dict[str, Any]:
    """Return what the test has written about the GPU."""
    path = os.environ.get("EMOSTREAM_FAKE_GPU")
    text = Path(path).read_text() if path and Path(path).is_file() else ""
    return dict(json.loads(text)) if text else {}


def _status() -> CUresult:
    return CUresult[state().get("lost", "CUDA_SUCCESS")]


def cuInit(flags: int) -> tuple[CUresult]:
    return (_status(),)


def cuDeviceGet(ordinal: int) -> tuple[CUresult, int]:
    return _status(), 0


def cuDeviceGetName(length: int, device: int) -> tuple[CUresult, bytes]:
    return _status(), b"Fake GPU".ljust(length, b"\0")


def cuDeviceGetAttribute(attribute: CUdevice_attribute, device: int) -> tuple[CUresult, int]:
    return _status(), 8 if attribute.name.endswith("MAJOR") else 6


def cuDevicePrimaryCtxRetain(device: int) -> tuple[CUresult, object]:
    return _status(), object()


def cuCtxSetCurrent(context: object) -> tuple[CUresult]:
    return (_status(),)


def cuMemAlloc(size: int) -> tuple[CUresult, CUdeviceptr]:
    status, address = cuMemHostAlloc(size, 0)
    return status, CUdeviceptr(address)


def cuMemHostAlloc(size: int, flags: int) -> tuple[CUresult, int]:
    if sum(map(len, memory.values())) + size > state().get("room", size * 1e9):
        return CUresult.CUDA_ERROR_OUT_OF_MEMORY, 0
    buffer = ctypes.create_string_buffer(size)
    memory[ctypes.addressof(buffer)] = buffer
    return _status(), ctypes.addressof(buffer)


def cuMemFree(address: CUdeviceptr) -> tuple[CUresult]:
    return cuMemFreeHost(int(address))


def cuMemFreeHost(address: int) -> tuple[CUresult]:
    del memory[address]
    return (_status(),)


def cuStreamCreate(flags: int) -> tuple[CUresult, CUstream]:
    stream = CUstream()
    streams[int(stream)] = stream
    return _status(), stream


def cuStreamDestroy(stream: CUstream) -> tuple[CUresult]:
    del streams[int(stream)]
    return (_status(),)


def cuStreamQuery(stream: CUstream) -> tuple[CUresult]:
    assert stream.capturing is None, "a stream that is captured cannot be asked"
    return (CUresult.CUDA_ERROR_NOT_READY if state().get("hangs") else _status(),)


def cuMemcpyHtoDAsync(to: CUdeviceptr, source: int, size: int, stream: CUstream) -> tuple[CUresult]:
    stream.put(lambda: _copy(int(to), source, size))
    return (_status(),)


def cuMemcpyDtoHAsync(to: int, source: CUdeviceptr, size: int, stream: CUstream) -> tuple[CUresult]:
    stream.put(lambda: _copy(to, int(source), size))
    return (_status(),)


def cuStreamBeginCapture(stream: CUstream, mode: CUstreamCaptureMode) -> tuple[CUresult]:
    stream.capturing = CUgraph()
    return (_status(),)


def cuStreamEndCapture(stream: CUstream) -> tuple[CUresult, CUgraph]:
    assert stream.capturing is not None
    graph, stream.capturing = stream.capturing, None
    stream.captured += 1
    if state().get("capture") is False:
        return CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, graph
    return _status(), graph


def cuGraphInstantiate(graph: CUgraph, flags: int) -> tuple[CUresult, CUgraphExec]:
    return _status(), CUgraphExec(graph)


def cuGraphDestroy(graph: CUgraph) -> tuple[CUresult]:
    return (_status(),)


def cuGraphExecDestroy(graph: CUgraphExec) -> tuple[CUresult]:
    return (_status(),)


def cuGraphLaunch(graph: CUgraphExec, stream: CUstream) -> tuple[CUresult]:
    status = _status()
    if status is _OK:
        stream.launched += 1
        for work in graph:
            work()
    return (status,)


def _copy(to: int, source: int, size: int) -> None:
    for address in (to, source):
        room = next((b for start, b in memory.items() if start <= address < start + len(b)), None)
        assert room is not None and size <= len(room), "a copy outside what was allocated"
    ctypes.memmove(to, source, size)
