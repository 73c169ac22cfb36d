"""Conversion of GloVe's text format, a word and its numbers a line, to a memory-mapped matrix."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from models.cache import cache_folder, lock, writing_cache
from models.embeddings.space import EmbeddingError
from stream.messages import Float32Array

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes in all."""

_REPORT_EVERY = 50_000
_MAX_LINE_BYTES = 1 << 16
_MAX_WORDS = 10_000_000


def converted(path: Path, dim: int, progress: Progress | None = None) -> tuple[pa.StringArray, Float32Array]:
    """Return the words of a GloVe text file and their vectors, `[words, dim]`, memory-mapped.

    The first call converts the file into the asset cache, minutes for the largest; later calls map the
    result until the file changes.

    Args:
        path: the text file, or a zip archive that holds it.
        dim: how many numbers a line has.
        progress: told of the conversion's progress; by default a line on stderr if that is a terminal.

    Raises:
        EmbeddingError: a line has too few numbers, or one is not finite; it names the file and the line.
    """
    if not path.is_file():
        raise EmbeddingError(f"{path}: no such file")
    target = cache_folder() / "converted" / _key(path, dim)
    if not target.is_dir():
        with lock(target.name), writing_cache():
            if not target.is_dir():  # unless another process has converted it meanwhile
                _convert_into(target, path, dim, progress or _report_on_stderr)
    with pa.memory_map(str(target / "words.arrow")) as source:
        words = pa.ipc.open_file(source).read_all()["word"].combine_chunks()
    vectors = np.memmap(target / "vectors.f32", np.dtype("<f4"), mode="r")
    return words, vectors.reshape(-1, dim)


def _key(path: Path, dim: int) -> str:
    stat = path.stat()
    identity = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {dim}"
    return f"{path.stem}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _convert_into(target: Path, path: Path, dim: int, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        _convert(path, dim, scratch, progress)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _convert(path: Path, dim: int, folder: Path, progress: Progress) -> None:
    words: list[str] = []
    with (folder / "vectors.f32").open("wb") as matrix:
        for word, vector in _read(path, dim, progress):
            words.append(word)
            matrix.write(vector.tobytes())
        if not words:
            raise EmbeddingError(f"{path}: holds no word vectors")
        matrix.flush()
        os.fsync(matrix.fileno())
    table = pa.table({"word": pa.array(words, pa.large_string())})
    with pa.OSFile(str(folder / "words.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path, dim: int, progress: Progress) -> Iterator[tuple[str, Float32Array]]:
    # Lines end at \n only, and fields at a plain space only: some words hold other Unicode separators.
    done = 0
    with _opened(path) as (file, total):
        for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), start=1):
            done += len(line)
            # From the right, since some words of the published file hold spaces themselves.
            word, *numbers = line.rstrip(b"\n").rsplit(b" ", dim)
            try:
                vector = np.array(numbers, np.float32)
            except ValueError:
                vector = np.empty(0, np.float32)
            if len(vector) != dim or not np.isfinite(vector).all() or number > _MAX_WORDS:
                raise EmbeddingError(
                    f"{path}, line {number}: not a word and {dim} numbers; is the download complete?"
                )
            if number % _REPORT_EVERY == 0:
                progress(done, total)
            yield word.decode("utf-8", "replace"), vector
    progress(done, total)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            yield file, path.stat().st_size
        return
    with zipfile.ZipFile(path) as archive:
        texts = [member for member in archive.infolist() if member.filename.endswith(".txt")]
        if len(texts) != 1:
            raise EmbeddingError(f"{path}: holds {len(texts)} .txt files, expected one")
        with archive.open(texts[0]) as member:
            yield member, texts[0].file_size


def _report_on_stderr(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\rconverting word vectors: {100 * done // total} %{end}")
        sys.stderr.flush()
