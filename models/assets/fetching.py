"""Fetching assets: try the sources in order, verify, then rename into place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models.assets.manifest import Asset, AssetFile, OriginSource, PackageSource, Source
from models.assets.sources import Packages, Progress, SourceError, copy_file, download, unpack
from models.assets.state import (
    STAMP,
    AssetError,
    FileStamp,
    Stamp,
    asset_path,
    file_sha256,
    find_asset,
    verify,
)
from models.cache import cache_folder, lock, writing_cache


@dataclass(frozen=True)
class Fetched:
    """What `fetch` did for one asset.

    Attributes:
        path: its file, or its folder if it has several; `None` if it was skipped.
        new: whether it was brought now; else it was there already, and sound.
        recorded: sha256 of each file that the manifest has none for, trusted from now on.
        skipped: why an optional asset could not be had, and what that means.
    """

    name: str
    path: Path | None
    source: str = ""
    new: bool = False
    recorded: dict[str, str] | None = None
    skipped: str = ""


def fetch(
    names: Iterable[str],
    progress: Progress,
    *,
    done: Callable[[Fetched], None] | None = None,
    file: Path | None = None,
) -> list[Fetched]:
    """Bring assets into the cache; what is there already and sound stays.

    Args:
        names: which ones.
        progress: told what is being brought, the bytes so far, and the bytes in all if known.
        done: told of each asset as soon as it is settled.
        file: a file the user has, taken instead of a download; for one asset of one file or archive.

    Raises:
        AssetError: an asset that is not optional cannot be had from any source, or has a wrong hash.
        models.cache.CacheError: the cache cannot be written.
    """
    wanted = {name: find_asset(name) for name in dict.fromkeys(names)}
    if file is not None:
        if len(wanted) != 1 or any(len(asset.files) > 1 for asset in wanted.values()):
            raise AssetError("a file of your own can be given for one asset of one file only")
        if not file.is_file():
            raise AssetError(f"{file}: no such file")
    results = []
    with writing_cache(), tempfile.TemporaryDirectory(prefix="emostream-") as scratch:
        packages = Packages(Path(scratch), progress)
        for name, asset in wanted.items():
            with lock(name):
                results.append(_fetch_one(name, asset, packages, progress, file))
            if done is not None:
                done(results[-1])
    return results


def _fetch_one(name: str, asset: Asset, packages: Packages, progress: Progress, file: Path | None) -> Fetched:
    status = verify(name)
    if status.state == "verified" and file is None:
        return Fetched(name, status.path, status.source)
    try:
        return _Fetch(name, asset, packages, progress).run(file)
    except SourceError as error:
        if asset.optional is None or file is not None:
            raise AssetError(f"asset {name} could not be fetched:\n{error}") from error
        return Fetched(name, None, skipped=f"{error}\n  {asset.optional}")


class _Fetch:
    """One asset on its way into the cache; the caller holds its lock."""

    def __init__(self, name: str, asset: Asset, packages: Packages, progress: Progress) -> None:
        self._name = name
        self._asset = asset
        self._packages = packages
        self._progress = progress
        self._recorded: dict[str, str] = {}
        # Downloads lie here under the name they will have; kept between calls, so that they are continued.
        self._partial = cache_folder() / "partial" / name
        # The asset as it will be, complete and verified before it is renamed into place.
        self._new = self._partial / "new"
        self._old = self._partial / "old"
        self._first_seen = cache_folder() / "first_seen" / f"{name}.json"

    def run(self, own: Path | None) -> Fetched:
        """Bring the files, from the user's `own` file if given, check them and put them in place."""
        for left_over in (self._new, self._old):
            shutil.rmtree(left_over, ignore_errors=True)
        self._new.mkdir(parents=True)
        source = self._take_own(own) if own else self._bring()
        stamp = Stamp(source, self._checked())
        self._compare_with_first_download(replace=own is not None)
        (self._new / STAMP).write_bytes(msgspec.json.encode(stamp))
        target = cache_folder() / self._name
        if target.exists():
            target.rename(self._old)
        self._new.rename(target)
        shutil.rmtree(self._partial)
        return Fetched(self._name, asset_path(self._name), source, new=True, recorded=self._recorded)

    def _bring(self) -> str:
        used = []
        if not self._asset.files:
            used.append(self._first_that_works(self._asset.sources, None))
        used += [
            self._first_that_works(file.sources or self._asset.sources, file)
            for file in self._asset.files
            if not (self._new / file.path).is_file()  # an archive brings several at once
        ]
        return ", ".join(dict.fromkeys(used))

    def _first_that_works(self, sources: Iterable[Source], file: AssetFile | None) -> str:
        failures = []
        for source in sources:
            try:
                self._bring_from(source, file)
                return str(source)
            except SourceError as error:
                failures.append(f"  {source}: {error}")
        raise SourceError("\n".join(failures))

    def _bring_from(self, source: Source, file: AssetFile | None) -> None:
        if isinstance(source, OriginSource) and source.unpack is not None:
            archive = self._partial / Path(source.https).name
            download(source.https, archive, self._progress)
            try:
                self._unpack(source, archive)
            except SourceError:
                archive.unlink()  # complete and wrong: there is nothing to continue
                raise
        elif file is None:
            raise SourceError("gives single files, and those of this asset are not listed")
        elif isinstance(source, PackageSource):
            self._packages.extract(source, file, self._new / file.path)
        else:
            part = self._partial / Path(file.path).name
            download(source.address(file), part, self._progress)
            (self._new / file.path).parent.mkdir(parents=True, exist_ok=True)
            part.replace(self._new / file.path)

    def _take_own(self, own: Path) -> str:
        archives = [s for s in self._asset.sources if isinstance(s, OriginSource) and s.unpack is not None]
        try:
            if archives:
                self._unpack(archives[0], own)
            else:
                copy_file(own, self._new / self._asset.files[0].path, self._progress)
        except SourceError as error:
            raise SourceError(f"  {own}: {error}") from error
        return f"file {own.resolve()}"

    def _unpack(self, source: OriginSource, archive: Path) -> None:
        unpack(archive, source.unpack or "", self._asset.files, self._new, self._progress)
        if not self._asset.files:
            self._recorded[Path(source.https).name] = file_sha256(archive)

    def _checked(self) -> dict[str, FileStamp]:
        """Return hash and size of every file brought, each held to the manifest."""
        listed = {file.path: file.sha256 for file in self._asset.files}
        files = {}
        for path in sorted(p for p in self._new.rglob("*") if p.is_file()):
            name = path.relative_to(self._new).as_posix()
            files[name] = FileStamp(file_sha256(path), path.stat().st_size)
            if name in listed and listed[name] is None:
                self._recorded[name] = files[name].sha256
            elif name in listed and listed[name] != files[name].sha256:
                self._refuse(name, files[name].sha256, f"{listed[name]} of the manifest")
        return files

    def _compare_with_first_download(self, *, replace: bool) -> None:
        """Hold files that the manifest has no hash for to the one they had first."""
        if not self._recorded:
            return
        if self._first_seen.is_file() and not replace:
            known = msgspec.json.decode(self._first_seen.read_bytes(), type=dict[str, str])
            for name, digest in self._recorded.items():
                if known.get(name, digest) != digest:
                    self._refuse(name, digest, f"{known[name]} of its first download, in {self._first_seen}")
            self._recorded = {name: digest for name, digest in self._recorded.items() if name not in known}
            if not self._recorded:
                return
        self._first_seen.parent.mkdir(exist_ok=True)
        self._first_seen.write_bytes(msgspec.json.encode(self._recorded))

    def _refuse(self, name: str, digest: str, expected: str) -> None:
        shutil.rmtree(self._partial)
        raise AssetError(
            f"asset {self._name}: {name} has sha256 {digest}, not {expected}. Nothing was installed. "
            f"Run `emostream assets fetch {self._name}` again; if it stays so, do not trust that source"
        )
