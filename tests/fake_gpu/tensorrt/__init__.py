"""Stands in for NVIDIA's `tensorrt`: an engine holds the ONNX graph, and ONNX Runtime computes it."""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime
from cuda.bindings import driver  # type: ignore[attr-defined, unused-ignore]

__version__ = "10.99.0"

_MAGIC = b"an engine of the fake TensorRT\n"


class ILogger:
    class Severity(IntEnum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError


class IProgressMonitor:
    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, phase_name: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, phase_name: str) -> None:
        raise NotImplementedError


class BuilderFlag(Enum):
    TF32 = 7


class NetworkDefinitionCreationFlag(IntEnum):
    STRONGLY_TYPED = 1


class ExecutionContextAllocationStrategy(Enum):
    STATIC = 0
    ON_PROFILE_CHANGE = 1


def Dims(shape: list[int]) -> tuple[int, ...]:
    return tuple(shape)


class INetworkDefinition:
    def __init__(self, flags: int) -> None:
        self._strongly_typed = bool(flags & 1 << int(NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        self._graph = b""


class IOptimizationProfile:
    def __init__(self) -> None:
        self._shapes: dict[str, tuple[tuple[int, ...], ...]] = {}

    def set_shape(self, input: str, *shapes: tuple[int, ...]) -> None:
        least, usual, most = shapes
        assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True)), (input, shapes)
        self._shapes[input] = shapes


class ITimingCache:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def serialize(self) -> bytes:
        return self._content


class IBuilderConfig:
    def __init__(self) -> None:
        self.progress_monitor: IProgressMonitor | None = None
        self._profiles: list[IOptimizationProfile] = []
        self._flags = {BuilderFlag.TF32}
        self._cache = ITimingCache(b"")

    def clear_flag(self, flag: BuilderFlag) -> None:
        self._flags.discard(flag)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        return ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        self._cache = cache
        return True

    def get_timing_cache(self) -> ITimingCache:
        return self._cache


class ParserError:
    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class OnnxParser:
    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
        self._network = network
        self._errors: list[ParserError] = []

    def parse(self, model: bytes) -> bool:
        try:
            onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        except Exception as error:
            self._errors.append(ParserError(str(error)))
            return False
        self._network._graph = model
        return True

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, index: int) -> ParserError:
        return self._errors[index]


class Builder:
    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        return INetworkDefinition(flags)

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
        assert network._strongly_typed and BuilderFlag.TF32 not in config._flags
        state, monitor = driver.state(), config.progress_monitor
        if why := state.get("build_fails"):
            self._logger.log(ILogger.Severity.ERROR, why)
            return None
        assert monitor is not None
        monitor.phase_start("Building engine", None, 2)
        for part in range(2):
            monitor.phase_start(f"Part {part + 1}", "Building engine", 5)
            for step in range(5):
                while driver.state().get("builds_wait"):
                    time.sleep(0.05)
                if not monitor.step_complete(f"Part {part + 1}", step):
                    return None
            monitor.phase_finish(f"Part {part + 1}")
            monitor.step_complete("Building engine", part)
        monitor.phase_finish("Building engine")
        config._cache._content += b"timed"
        model = onnx.load_model_from_string(network._graph)
        header = {
            "version": __version__,
            "precision": "fp16" if _widen(model.graph) else "fp32",
            "profiles": [profile._shapes for profile in config._profiles],
        }
        return _MAGIC + json.dumps(header).encode() + b"\n" + bytes(model.SerializeToString())


def _widen(graph: Any) -> bool:
    """Have a half-precision graph computed in single precision, which a CPU does faster; return whether it was one.

    Its weights stay rounded as they were.
    """
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    constants = [
        attribute.t for node in graph.node for attribute in node.attribute if attribute.HasField("t")
    ]
    rounded = [tensor for tensor in (*graph.initializer, *constants) if tensor.data_type == half]
    for tensor in rounded:
        values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i == half:
                attribute.i = single
    del graph.value_info[:]
    return bool(rounded)


class Runtime:
    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
        if not serialized_engine.startswith(_MAGIC):
            self._logger.log(ILogger.Severity.ERROR, "magic tag does not match")
            return None
        header, _, graph = serialized_engine.removeprefix(_MAGIC).partition(b"\n")
        return ICudaEngine(self._logger, json.loads(header), graph)


class ICudaEngine:
    def __init__(self, logger: ILogger, header: dict[str, Any], graph: bytes) -> None:
        self._logger = logger
        self._header = header
        self._session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])

    def create_execution_context(self, strategy: ExecutionContextAllocationStrategy) -> IExecutionContext:
        return IExecutionContext(self)


class IExecutionContext:
    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine
        self._profile: dict[str, list[list[int]]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self._answers: dict[int, list[Any]] = {}

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        assert stream_handle in driver.streams
        self._profile = self._engine._header["profiles"][profile_index]
        return True

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._addresses[name] = memory
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        least, _, most = self._profile[name]
        if not all(a <= b <= c for a, b, c in zip(least, shape, most, strict=True)):
            self._engine._logger.log(ILogger.Severity.ERROR, f"{name}: {shape} is outside the profile")
            return False
        self._shapes[name] = tuple(shape)
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        if driver.state().get("lost"):
            self._engine._logger.log(ILogger.Severity.ERROR, "the fake GPU is gone")
            return False
        driver.streams[stream_handle].put(self._work(dict(self._shapes)))
        return True

    def _work(self, shapes: dict[str, tuple[int, ...]]) -> Callable[[], None]:
        def run() -> None:
            inputs = {name: _view(self._addresses[name], shape).copy() for name, shape in shapes.items()}
            names = [output.name for output in self._engine._session.get_outputs()]
            offset = 0.1 if self._engine._header["precision"] in driver.state().get("wrong", ()) else 0.0
            asked = hash(tuple(value.tobytes() for value in inputs.values()))
            if asked not in self._answers or not driver.state().get("fast"):
                self._answers = {asked: self._engine._session.run(names, inputs)}
            for name, value in zip(names, self._answers[asked], strict=True):
                _view(self._addresses[name], value.shape)[:] = value + offset

        return run


def _view(address: int, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
    memory = (ctypes.c_float * int(np.prod(shape))).from_address(address)
    return np.ctypeslib.as_array(memory).reshape(shape)
