"""The recording that benchmarks replay: of the demo clip, whose features are extracted once and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from models.bundle import Bundle
from models.cache import cache_folder, writing_cache
from models.demo_clip import demo_clip
from models.opening import open_bundle
from stream.config import Config
from stream.messages import MessageError, decode, encode
from workers.bench.recording import Recording, record
from workers.bench.tables import out


class _Kept(msgspec.Struct, frozen=True):
    messages: list[tuple[str, bytes]]
    length_ns: int


def recorded(file: Path | None, config: Config) -> Recording:
    """Return the features of a media file, or without one those of the demo clip.

    Only those of the demo clip are kept, in the cache folder: what is somebody's own is not written anywhere.

    Raises:
        UserError: The file cannot be read, or a model is missing.
    """
    bundle = open_bundle(config)
    if file is not None:
        return _extract(file, config, bundle)
    clip = demo_clip()
    path = kept_path(clip, bundle)
    if (kept := read_kept(path)) is not None:
        return kept
    recording = _extract(clip, config, bundle)
    keep(recording, path)
    return recording


def kept_path(clip: Path, bundle: Bundle) -> Path:
    """Return where the features of the demo clip lie for a bundle's extractors; they may not be there."""
    parts = [part.spec for part in bundle.modalities.values()]
    digest = hashlib.sha256(f"{clip.name} {bundle.sha256} {parts}".encode()).hexdigest()[:12]
    return cache_folder() / "bench" / f"{clip.stem}-{digest}.features"


def keep(recording: Recording, path: Path) -> None:
    """Write a recording.

    Raises:
        CacheError: The cache cannot be written.
    """
    kept = _Kept([(topic, encode(message)) for topic, message in recording.messages], recording.length_ns)
    with writing_cache():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.msgpack.encode(kept))


def read_kept(path: Path) -> Recording | None:
    """Return a recording that was written before; `None` where there is none that can be read."""
    try:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
        return Recording([(topic, decode(message)) for topic, message in kept.messages], kept.length_ns)
    except (OSError, msgspec.MsgspecError, MessageError):
        return None


def _extract(clip: Path, config: Config, bundle: Bundle) -> Recording:
    out.print(f"extracting the features of {clip.name}")
    return record(clip, config, bundle)
