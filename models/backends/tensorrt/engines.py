"""From a bundle to an engine that may answer: built if it must be, compared with ONNX Runtime, and opened."""

from __future__ import annotations

import contextlib

from models.backends import Backend, BackendError
from models.backends.parity import ParityError, require_parity
from models.backends.precision import Precision
from models.backends.tensorrt import cuda
from models.backends.tensorrt.build import build_engine, can_build
from models.backends.tensorrt.engine_key import EngineKey
from models.backends.tensorrt.engine_store import (
    EngineRecord,
    engine_path,
    find_engine,
    kernels_path,
    read_engine,
    save_record,
)
from models.backends.tensorrt.flavour import flavour
from models.backends.tensorrt.progress import Report
from models.backends.tensorrt.runtime import TensorRTBackend
from models.bundle import Bundle

PREFERENCE: tuple[Precision, ...] = ("fp16", "fp32")
"""The first that passes the parity gate answers."""
PROOF_WINDOWS = (1, 3, 16, 40)
"""Batches that the parity gate compares: one in every bucket, two of them not full."""


def engine_key(bundle: Bundle, precision: Precision, card: str, gpu: str) -> EngineKey:
    """Return the key of an engine that the TensorRT here builds for a card.

    Args:
        bundle: Whose graph.
        precision: `fp32` or `fp16`.
        card: Compute capability, such as `sm89`.
        gpu: Model of the GPU.

    Raises:
        BackendError: TensorRT here is too old.
    """
    here = flavour()
    return EngineKey(
        model_sha256=bundle.sha256,
        flavour=here.name,
        version=here.version,
        card=card,
        gpu="" if here.is_rtx else gpu,
        precision="fp16" if precision == "fp16" else "fp32",
    )


def build_for(bundle: Bundle, card: str, report: Report) -> list[EngineRecord]:
    """Build the engines of every precision for another card; which of them passes shows on that card.

    Raises:
        BackendError: The TensorRT here builds only for the card it runs on, or not for this one.
    """
    here = flavour()
    if not here.cards:
        raise BackendError(
            f"TensorRT {here.version} builds only on the card itself; TensorRT-RTX builds for others: "
            "pip install 'emostream[tensorrt-rtx]' in an environment without `tensorrt`"
        )
    if card not in here.cards:
        raise BackendError(
            f"TensorRT-RTX {here.version} does not build for {card}; choose {', '.join(here.cards)}"
        )
    keys = [engine_key(bundle, precision, card, "") for precision in PREFERENCE if can_build(precision)]
    return [build_engine(bundle, key, report) for key in keys]


def prepare_engine(bundle: Bundle, reference: Backend, report: Report, *, anew: bool = False) -> EngineRecord:
    """Have an engine for this machine's GPU that has passed the parity gate: fp16 if it passes, else fp32.

    Args:
        bundle: Whose graph.
        reference: ONNX Runtime on the CPU.
        report: Told how far a build is.
        anew: Build and compare also what was built, or refused, before.

    Raises:
        BackendError: There is no GPU, TensorRT cannot build it, or no precision passes.
    """
    device = cuda.open_device()
    refusals = []
    for precision in PREFERENCE:
        key = engine_key(bundle, precision, device.card, device.name)
        record = find_engine(bundle, key)
        if record is None or anew or read_engine(record) is None:
            if not can_build(precision):
                continue
            record = build_engine(bundle, key, report)
        if record.state == "built":
            _prove(bundle, record, device, reference)
        if record.refused is None:
            return record
        refusals.append(record.refused)
    raise BackendError("; ".join(refusals))


def open_engine(bundle: Bundle, reference: Backend) -> TensorRTBackend:
    """Open the engine that `prepare_engine` left for this machine, and compare it once more.

    Raises:
        BackendError: There is none, the GPU does not work, or it does not agree with ONNX Runtime now.
    """
    device = cuda.open_device()
    for precision in PREFERENCE:
        record = find_engine(bundle, engine_key(bundle, precision, device.card, device.name))
        if record is not None and record.state == "proved":
            backend, _ = _open_proved(bundle, record, device, reference)
            return backend
    raise BackendError(
        f"there is no engine of {bundle.version} for the {device.name} here that has passed; "
        "run `emostream engine build`"
    )


def fits_here(bundle: Bundle, key: EngineKey) -> bool:
    """Return whether an engine is for the TensorRT and the GPU of this machine.

    Raises:
        BackendError: TensorRT does not load.
    """
    try:
        device = cuda.open_device()
    except BackendError:
        return False
    return key == engine_key(bundle, key.precision, device.card, device.name)


def check_engine(bundle: Bundle, record: EngineRecord, reference: Backend) -> float:
    """Compare an engine of this machine's GPU with ONNX Runtime; return the largest difference.

    Raises:
        BackendError: It cannot run here, or it does not agree.
    """
    backend, difference = _open_proved(bundle, record, cuda.open_device(), reference)
    backend.close()
    return difference


def _prove(bundle: Bundle, record: EngineRecord, device: cuda.Device, reference: Backend) -> None:
    try:
        backend, record.difference = _open_proved(bundle, record, device, reference)
    except ParityError as error:
        record.refused = str(error)
    else:
        with contextlib.suppress(OSError):  # they are compiled again then
            backend.save_kernels()
        backend.close()
    save_record(record)


def _open_proved(
    bundle: Bundle, record: EngineRecord, device: cuda.Device, reference: Backend
) -> tuple[TensorRTBackend, float]:
    plan = read_engine(record)
    path = engine_path(record.bundle, record.key)
    if plan is None:
        raise BackendError(f"{path} is damaged; run `emostream engine build`")
    precision: Precision = record.key.precision
    backend = TensorRTBackend(bundle, plan, precision, device, kernels_path(path))
    try:
        return backend, require_parity(backend, reference, bundle, precision, PROOF_WINDOWS)
    except BackendError:
        backend.close()
        raise
