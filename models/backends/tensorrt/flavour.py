"""What differs between TensorRT's flavours and releases, each found by looking for the feature itself.

| feature | 10.3 (JetPack 6) | 10.13 | 11 | RTX 1.7 |
|---|---|---|---|---|
| networks are strongly typed | with a flag | with a flag | always; the flag is ignored | with a flag |
| reduced precision by a builder flag | weakly typed networks only | the same | removed | none |
| engines for another card, without a GPU | no | no | no | `ComputeCapability` |
| timing cache | yes | yes | yes | does nothing |
| CUDA graphs | captured by the caller | the same | the same | captured by itself |
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, cast

from models.backends import BackendError
from models.backends.tensorrt.library import trt

OLDEST = (10, 3)
"""The oldest TensorRT (not RTX) that this is written for."""


@dataclass(frozen=True)
class Flavour:
    """The TensorRT that is here."""

    name: str
    """`tensorrt` or `tensorrt_rtx`."""
    version: str
    cards: tuple[str, ...]
    """Compute capabilities, such as `sm89`, that it builds for without a GPU; none if it needs the card."""

    @property
    def is_rtx(self) -> bool:
        """Whether an engine fits every card of its compute capability, and is compiled to the end there."""
        return self.name == "tensorrt_rtx"


@functools.cache
def flavour() -> Flavour:
    """Return which TensorRT is here.

    Raises:
        BackendError: It is too old.
    """
    version = str(trt.__version__)
    capabilities = getattr(trt, "ComputeCapability", None)
    if capabilities is not None:
        numbers = sorted(int(name[2:]) for name in vars(capabilities) if name.startswith("SM"))
        return Flavour("tensorrt_rtx", version, tuple(f"sm{number}" for number in numbers))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise BackendError(f"TensorRT {version} is too old; install {oldest} or later (JetPack 6.1 or later)")
    return Flavour("tensorrt", version, ())


def network_flags() -> int:
    """Return the flags of a strongly typed network."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def configure(config: trt.IBuilderConfig, card: str) -> None:
    """Set what every build has: no TF32 behind the back of an fp32 graph, and the card to build for.

    Raises:
        BackendError: This flavour does not build for `card`.
    """
    config.clear_flag(trt.BuilderFlag.TF32)
    capabilities: Any = getattr(trt, "ComputeCapability", None)
    if capabilities is None:
        return
    capability = getattr(capabilities, card.upper(), None)
    rtx = cast(Any, config)
    rtx.num_compute_capabilities = 1
    if capability is None or not rtx.set_compute_capability(capability, 0):
        raise BackendError(
            f"TensorRT-RTX {flavour().version} does not build for {card}, only for "
            f"{', '.join(flavour().cards)}; install TensorRT, or use `backend: onnxruntime`"
        )


class Contexts:
    """Makes the execution contexts of an engine.

    Args:
        engine: What they run.
        kernels: Those that an earlier process compiled, as `kernels` gave them; empty where there are none.
    """

    def __init__(self, engine: trt.ICudaEngine, kernels: bytes) -> None:
        self._engine = engine
        self.capture_by_themselves = hasattr(trt, "CudaGraphStrategy")
        """Whether they make CUDA graphs without being asked to, so that nobody else should."""
        if self.capture_by_themselves:
            rtx = cast(Any, trt)
            self._config = cast(Any, engine).create_runtime_config()
            self._cache = self._config.create_runtime_cache()
            if kernels:
                self._cache.deserialize(kernels)
            self._config.set_runtime_cache(self._cache)
            self._config.cuda_graph_strategy = rtx.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            # Compiled for a shape the first time it runs; lazily, slower kernels would answer for a while.
            strategies = rtx.DynamicShapesKernelSpecializationStrategy
            self._config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER

    def create(self) -> trt.IExecutionContext:
        """Return a new context.

        Raises:
            BackendError: The GPU has no room for it.
        """
        if self.capture_by_themselves:
            context: trt.IExecutionContext | None = self._engine.create_execution_context(self._config)
        else:
            # Each holds what its own profile takes, not what the largest does.
            strategy = trt.ExecutionContextAllocationStrategy.ON_PROFILE_CHANGE
            context = self._engine.create_execution_context(strategy)
        if context is None:
            raise BackendError("the GPU has no room for the engine; free some, or use `backend: onnxruntime`")
        return context

    def kernels(self) -> bytes:
        """Return the kernels compiled so far; empty where kernels are compiled into the engine."""
        return bytes(memoryview(self._cache.serialize())) if self.capture_by_themselves else b""
