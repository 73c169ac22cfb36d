"""Which engines in the cache nothing on this machine uses any more."""

from __future__ import annotations

from collections.abc import Sequence

from models.backends import BackendError
from models.backends.tensorrt.engine_key import SIZES
from models.backends.tensorrt.engine_store import EngineRecord, read_engine
from models.bundle import Bundle


def why_unused(record: EngineRecord | None, bundles: Sequence[Bundle]) -> str:
    """Return why nothing uses an engine; empty if something may.

    Args:
        record: Of the engine; `None` if it has none.
        bundles: Those that come with emostream.
    """
    if record is None:
        return "it has no record"
    reasons = {
        "it is damaged": read_engine(record) is None,
        "it was refused": record.refused is not None,
        f"{record.bundle} has changed since": _has_changed(record, bundles),
        "this release builds for other sizes of batches": record.key.sizes != SIZES,
        "it is of another TensorRT than the one here": _is_of_another_tensorrt(record),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _has_changed(record: EngineRecord, bundles: Sequence[Bundle]) -> bool:
    same_name = [bundle.sha256 for bundle in bundles if bundle.version == record.bundle]
    return bool(same_name) and record.key.model_sha256 not in same_name


def _is_of_another_tensorrt(record: EngineRecord) -> bool:
    try:
        from models.backends.tensorrt.flavour import flavour  # noqa: PLC0415

        here = flavour()
    except BackendError:
        return False  # there is none here: the engine may be on its way to another machine
    return (here.name, here.version) != (record.key.flavour, record.key.version)
