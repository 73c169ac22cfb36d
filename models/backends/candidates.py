"""What a bundle's graph can run on here: the candidates for the choice by measurement.

Looking for them loads none of their libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import onnxruntime as ort

from models.backends import Backend, BackendError
from models.backends.onnxruntime import OnnxRuntimeBackend
from models.backends.onnxruntime_cpu import OnnxRuntimeCpu
from models.backends.parity import require_parity
from models.backends.providers import CPU_PROVIDER, PROVIDERS, Provider
from models.backends.tensorrt.presence import INSTALL, has_cuda_python, has_driver, tensorrt_module
from models.bundle import Bundle

Report: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and with the share of it that is done, 0..1."""

_PROOF_WINDOWS = (1, 3, 64)


class Candidate(Protocol):
    """One way to run a graph."""

    @property
    def name(self) -> str:
        """Its name in the table of measurements."""

    def prepare(self, bundle: Bundle, report: Report) -> None:
        """Do what takes long, such as building an engine, and compare with ONNX Runtime on the CPU.

        Raises:
            BackendError: It cannot be used here, or gives other answers.
        """

    def open(self, bundle: Bundle, threads: int) -> Backend:
        """Return it ready to run, compared with ONNX Runtime on the CPU.

        Raises:
            BackendError: It cannot be used here, gives other answers, or was not prepared.
        """


class OnnxRuntimeCandidate:
    """ONNX Runtime with one of its providers."""

    def __init__(self, provider: Provider = CPU_PROVIDER) -> None:
        self.name = provider.backend
        self._provider = provider

    def prepare(self, bundle: Bundle, report: Report) -> None:
        """Open it once, which is when providers build their engines; see `Candidate.prepare`."""
        if self._provider is not CPU_PROVIDER:
            report(f"opening {self.name}", 0.0)
            self.open(bundle, 1).close()

    def open(self, bundle: Bundle, threads: int) -> Backend:
        """Return it ready to run; see `Candidate.open`."""
        if self._provider is CPU_PROVIDER:
            return OnnxRuntimeCpu(bundle, threads=threads)
        backend = OnnxRuntimeBackend(bundle, self._provider, threads=threads)
        require_parity(backend, OnnxRuntimeCpu(bundle), bundle, self._provider.precision, _PROOF_WINDOWS)
        return backend


class TensorRTCandidate:
    """TensorRT, by an engine of this machine's GPU."""

    name = "tensorrt"

    def prepare(self, bundle: Bundle, report: Report) -> None:
        """Build an engine where there is none; see `Candidate.prepare`."""
        from models.backends.tensorrt.engines import prepare_engine  # noqa: PLC0415

        prepare_engine(bundle, OnnxRuntimeCpu(bundle), report)

    def open(self, bundle: Bundle, threads: int) -> Backend:
        """Return it ready to run; see `Candidate.open`."""
        from models.backends.tensorrt.engines import open_engine  # noqa: PLC0415

        return open_engine(bundle, OnnxRuntimeCpu(bundle))


def tensorrt_candidate() -> TensorRTCandidate:
    """Return TensorRT.

    Raises:
        BackendError: It, or what it needs in Python, is not installed.
    """
    if tensorrt_module() is None:
        raise BackendError(f"TensorRT is not installed; {INSTALL}")
    if not has_cuda_python():
        raise BackendError("TensorRT needs cuda-python; pip install 'emostream[tensorrt]'")
    return TensorRTCandidate()


def find_candidates(kind: str) -> list[Candidate]:
    """Return what `inference.backend: kind` may run on here; the last is ONNX Runtime on the CPU.

    Raises:
        BackendError: `kind` asks for what is not installed.
    """
    cpu = OnnxRuntimeCandidate()
    if kind == "onnxruntime":
        return [cpu]
    if kind == "tensorrt":
        return [tensorrt_candidate(), cpu]
    found: list[Candidate] = []
    if has_driver() and tensorrt_module() is not None and has_cuda_python():
        found.append(TensorRTCandidate())
    installed = ort.get_available_providers()
    found += [
        OnnxRuntimeCandidate(provider)
        for provider in PROVIDERS
        if provider.name in installed and (has_driver() or not provider.needs_gpu)
    ]
    return [*found, cpu]
