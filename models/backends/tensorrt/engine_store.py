"""Engines on disk: `engines/BUNDLE-HASH/` in the cache folder, each with a record of what it is.

An engine is `proved` once it has agreed with ONNX Runtime on the card it is for, `refused` if it has not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.backends.tensorrt.engine_key import EngineKey
from models.bundle import Bundle
from models.cache import cache_folder, writing_cache
from stream.clock import now_ns, wall_time


class EngineRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is known of an engine, in the file beside it."""

    key: EngineKey
    bundle: str
    """Name and version of the bundle."""
    sha256: str
    """Of the engine file, in hex."""
    size: int
    """Bytes."""
    built: str
    """When, as RFC 3339."""
    seconds: float
    """How long that took."""
    difference: float | None = None
    """Largest difference from ONNX Runtime on the bundle's stored inputs; `None` if it was never compared."""
    refused: str | None = None
    """Why it may not answer."""

    @property
    def state(self) -> str:
        """`refused`, `proved` or, if it was never compared, `built`."""
        return "refused" if self.refused else "built" if self.difference is None else "proved"


def engines_folder() -> Path:
    """Return where all engines lie; it may not exist."""
    return cache_folder() / "engines"


def timing_cache_path(key: EngineKey) -> Path:
    """Return the file in which TensorRT keeps what it has timed, shared by all bundles."""
    card = re.sub(r"[^a-z0-9]+", "-", f"{key.card} {key.gpu}".lower()).strip("-")
    return engines_folder() / "timing" / f"{key.flavour}-{key.version}-{card}.cache"


def engine_path(bundle_version: str, key: EngineKey) -> Path:
    """Return where the engine of `key` lies, or would lie."""
    return engines_folder() / f"{bundle_version}-{key.model_sha256[:12]}" / f"{key.stem}.engine"


def kernels_path(engine: Path) -> Path:
    """Return the file of the kernels that TensorRT-RTX compiled for an engine on this machine."""
    return engine.with_suffix(".kernels")


def save_engine(bundle: Bundle, key: EngineKey, plan: bytes, *, seconds: float) -> EngineRecord:
    """Put a new engine in the cache.

    Raises:
        CacheError: the cache cannot be written.
    """
    path = engine_path(bundle.version, key)
    record = EngineRecord(
        key=key,
        bundle=bundle.version,
        sha256=hashlib.sha256(plan).hexdigest(),
        size=len(plan),
        built=wall_time(now_ns()),
        seconds=round(seconds, 1),
    )
    with writing_cache():
        path.parent.mkdir(parents=True, exist_ok=True)
        kernels_path(path).unlink(missing_ok=True)
        _write(path, plan)
        save_record(record)
    return record


def save_record(record: EngineRecord) -> None:
    """Write a record beside its engine.

    Raises:
        CacheError: the cache cannot be written.
    """
    with writing_cache():
        path = engine_path(record.bundle, record.key)
        _write(path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def find_engine(bundle: Bundle, key: EngineKey) -> EngineRecord | None:
    """Return the record of the engine of `key`; `None` where there is no such engine."""
    path = engine_path(bundle.version, key)
    record = _read(path.with_suffix(".json"))
    return record if record is not None and record.key == key and path.is_file() else None


def read_engine(record: EngineRecord) -> bytes | None:
    """Return an engine; `None` where it is not the file that was built."""
    plan = engine_path(record.bundle, record.key).read_bytes()
    return plan if hashlib.sha256(plan).hexdigest() == record.sha256 else None


def list_engines() -> Iterator[tuple[Path, EngineRecord | None]]:
    """Yield the path and the record of every engine; `None` for a record that is missing or unreadable."""
    for path in sorted(engines_folder().glob("*/*.engine")):
        yield path, _read(path.with_suffix(".json"))


def remove_engine(path: Path) -> int:
    """Remove an engine and what lies beside it; return how many bytes that freed."""
    freed = 0
    for file in (path, path.with_suffix(".json"), kernels_path(path)):
        if file.is_file():
            freed += file.stat().st_size
            file.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    return freed


def _read(path: Path) -> EngineRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=EngineRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)
