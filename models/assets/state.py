"""Which assets are in the cache, and whether they are sound."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from models.assets.manifest import Asset, load_manifest
from models.cache import cache_folder
from stream.errors import UserError

State = Literal["verified", "missing", "damaged"]

STAMP = ".verified.json"
"""Name of the file in an asset's folder that holds its `Stamp`."""


class AssetError(UserError):
    """An asset is missing, damaged, unknown or cannot be fetched; the message holds the remedy."""


class FileStamp(msgspec.Struct, frozen=True):
    """What one file was when it was verified."""

    sha256: str
    size: int


class Stamp(msgspec.Struct, frozen=True):
    """What an asset was when it was fetched and verified."""

    source: str
    files: dict[str, FileStamp]


@dataclass(frozen=True)
class Status:
    """The state of one asset.

    Attributes:
        state: `verified` if its files are what was verified when they were fetched.
        path: its file, or its folder if it has several; `None` unless verified.
        source: where it came from.
        problem: what is wrong, as the end of a sentence.
    """

    name: str
    state: State
    path: Path | None = None
    source: str = ""
    problem: str = ""


def find_asset(name: str) -> Asset:
    """Return the manifest's entry for `name`.

    Raises:
        AssetError: there is none.
    """
    assets = load_manifest().assets
    if name not in assets:
        raise AssetError(f"no asset is called {name!r}; there are {', '.join(assets)}")
    return assets[name]


def group_members(group: str) -> tuple[str, ...]:
    """Return the names of the assets of a group, such as `run`.

    Raises:
        AssetError: there is no such group.
    """
    groups = load_manifest().groups
    if group not in groups:
        raise AssetError(f"no group is called {group!r}; there are {', '.join(groups)}")
    return groups[group]


def asset_path(name: str) -> Path:
    """Return the file of an asset, or its folder if it has several. Quick: nothing is hashed.

    Raises:
        AssetError: it has not been fetched, or is damaged; the message says how to get it.
    """
    status = asset_status(name)
    if status.path is None:
        raise AssetError(f"asset {name} {status.problem}; run `emostream assets fetch {name}`")
    return status.path


def asset_status(name: str) -> Status:
    """Return the state of an asset by its stamp and the sizes of its files.

    Raises:
        AssetError: there is no such asset.
    """
    asset = find_asset(name)
    folder = cache_folder() / name
    if not folder.is_dir():
        return Status(name, "missing", problem="has not been fetched")
    try:
        stamp = msgspec.json.decode((folder / STAMP).read_bytes(), type=Stamp)
    except (OSError, msgspec.MsgspecError):
        return Status(name, "damaged", problem=f"is damaged: {folder / STAMP} cannot be read")
    for file in asset.files:
        recorded = stamp.files.get(file.path)
        if recorded is None or file.sha256 not in (None, recorded.sha256):
            return Status(name, "damaged", problem=f"is out of date: {folder / file.path}")
    for path, recorded in stamp.files.items():
        if not (folder / path).is_file():
            return Status(name, "damaged", problem=f"is damaged: {folder / path} is missing")
        size = (folder / path).stat().st_size
        if size != recorded.size:
            return Status(
                name,
                "damaged",
                problem=f"is damaged: {folder / path} has {size:,} bytes instead of {recorded.size:,}",
            )
    path_or_folder = folder / asset.files[0].path if len(asset.files) == 1 else folder
    return Status(name, "verified", path_or_folder, stamp.source)


def verify(name: str) -> Status:
    """Return the state of an asset after hashing every file of it.

    Raises:
        AssetError: there is no such asset.
    """
    status = asset_status(name)
    if status.state != "verified":
        return status
    folder = cache_folder() / name
    stamp = msgspec.json.decode((folder / STAMP).read_bytes(), type=Stamp)
    for path, recorded in stamp.files.items():
        if file_sha256(folder / path) != recorded.sha256:
            return Status(name, "damaged", problem=f"is damaged: {folder / path} has a wrong sha256")
    return status


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
