"""Features of a corpus, extracted once in parallel and kept on disk: stop at any time, go on later.

The cache is a folder a corpus and layout (`fer2013/face@1/`), of shards named by what they hold. A feature is
found by the hash of the content it was extracted from, so a changed file is extracted anew; a new version of
an extractor has a new layout name, hence a new folder. What cannot be read is passed over and told with its
reason; it is not kept, so that it is tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.training.corpora import Corpus, CorpusError, EmptyPartError, Example
from stream.messages import Float32Array, Int64Array

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""

_SHARD = 256
_DIGEST_BYTES = 12


@dataclass(frozen=True)
class Features:
    """What was extracted from one example.

    Attributes:
        vectors: `[n, D]`; none where nothing was found, such as no face.
        speech: `[n]` probability of speech, 0..1; of a modality other than voice all ones.
    """

    vectors: Float32Array
    speech: Float32Array


class Extraction(Protocol):
    """A way from an example's content to features; picklable, so that worker processes can open it."""

    @property
    def layout(self) -> str:
        """Name of the feature layout and the view, such as `face@1-mirrored`."""

    @property
    def dtype(self) -> str:
        """How vectors are stored."""

    def open(self) -> AbstractContextManager[Callable[[bytes], Features]]:
        """Give the function that extracts; called once a process."""


class FeatureTable:
    """The features of a list of examples, by position; none of an example that could not be read.

    Attributes:
        broken: Why an example could not be read, by its position.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.floating],
        speech: Float32Array,
        starts: Int64Array,
        broken: Mapping[int, str] | None = None,
    ) -> None:
        self.broken = broken or {}
        self._vectors = vectors
        self._speech = speech
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> Features:
        rows = slice(self._starts[index], self._starts[index + 1])
        return Features(np.asarray(self._vectors[rows], np.float32), self._speech[rows])

    def __iter__(self) -> Iterator[Features]:
        return (self[i] for i in range(len(self)))

    @property
    def counts(self) -> Int64Array:
        """`[examples]`: vectors of each."""
        return np.diff(self._starts)

    def readable(self) -> tuple[list[int], FeatureTable]:
        """Return the positions of the examples that could be read, and the table of these alone."""
        kept = [i for i in range(len(self)) if i not in self.broken]
        # What is left out has no rows, so each of the others still ends where the next begins.
        starts = np.append(self._starts[kept], self._starts[-1])
        return kept, FeatureTable(self._vectors, self._speech, starts)


def load_features(
    corpus: Corpus,
    examples: Sequence[Example],
    extraction: Extraction,
    *,
    cache: Path,
    processes: int = 1,
    progress: Progress | None = None,
) -> FeatureTable:
    """Return the features of `examples`, extracting those that the cache does not hold.

    Args:
        corpus: Where the examples are from.
        examples: In the order wanted.
        extraction: How.
        cache: Folder of the cache; created where it is missing.
        processes: How many extract at the same time.
        progress: Told how far it is.

    Raises:
        EmptyPartError: No example can be read.
    """
    folder = cache / corpus.name / extraction.layout
    folder.mkdir(parents=True, exist_ok=True)
    digests, broken = _digests(corpus, examples)
    held = {digest for path in folder.glob("*.npz") for digest in _shard_digests(path)}
    missing = {
        digest: example
        for digest, example in zip(digests, examples, strict=True)
        if digest is not None and digest not in held
    }
    label = f"{corpus.name} {extraction.layout}"
    failed = _extract(
        corpus, missing, extraction, folder, processes, lambda n: _tell(progress, label, n, missing)
    )
    broken |= {i: failed[digest] for i, digest in enumerate(digests) if digest in failed}
    if len(broken) == len(examples):
        why = f"; the first: {broken[0]}" if broken else ""
        raise EmptyPartError(f"{corpus.name}: none of {len(examples)} examples can be read{why}")
    return _read_table(folder, [None if i in broken else digest for i, digest in enumerate(digests)], broken)


def _digests(corpus: Corpus, examples: Sequence[Example]) -> tuple[list[str | None], dict[int, str]]:
    digests: list[str | None] = []
    broken = {}
    for i, example in enumerate(examples):
        try:
            digests.append(_digest(corpus.content(example.key)))
        except CorpusError as error:
            digests.append(None)
            broken[i] = str(error)
    return digests, broken


def _tell(progress: Progress | None, label: str, done: int, missing: dict[str, Example]) -> None:
    if progress is not None:
        progress(label, done, len(missing))


def _extract(  # noqa: PLR0917 - private to this file
    corpus: Corpus,
    missing: dict[str, Example],
    extraction: Extraction,
    folder: Path,
    processes: int,
    told: Callable[[int], None],
) -> dict[str, str]:
    """Extract and keep what is missing; return why what failed did, by digest."""
    failed: dict[str, str] = {}
    todo = list(missing.items())
    shards = [todo[i : i + _SHARD] for i in range(0, len(todo), _SHARD)]
    if not shards:
        return failed
    told(0)
    if min(processes, len(shards)) == 1:
        with extraction.open() as extract:
            for number, shard in enumerate(shards):
                contents = [(digest, corpus.content(example.key)) for digest, example in shard]
                failed |= _write_shard(extract, folder, extraction.dtype, contents)
                told(number * _SHARD + len(shard))
        return failed
    # Spawned, not forked: MediaPipe and ONNX Runtime hold threads that a fork would lose.
    with ProcessPoolExecutor(
        min(processes, len(shards)), get_context("spawn"), _open_extraction, (extraction,)
    ) as pool:
        jobs: dict[Future[dict[str, str]], int] = {}
        waiting, done = iter(shards), 0
        try:
            while True:
                # Contents are read as they are needed: a corpus of videos may not fit into memory.
                for shard in islice(waiting, processes + 1 - len(jobs)):
                    contents = [(digest, corpus.content(example.key)) for digest, example in shard]
                    job = pool.submit(_write_shard_in_pool, folder, extraction.dtype, contents)
                    jobs[job] = len(contents)
                if not jobs:
                    return failed
                for job in wait(jobs, return_when=FIRST_COMPLETED).done:
                    failed |= job.result()
                    done += jobs.pop(job)
                    told(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_pool_extract: Callable[[bytes], Features] | None = None
_pool_resources = ExitStack()  # held until the worker process is gone


def _open_extraction(extraction: Extraction) -> None:
    global _pool_extract  # noqa: PLW0603 - one extractor a worker process, opened by the pool's initializer
    _pool_extract = _pool_resources.enter_context(extraction.open())


def _write_shard_in_pool(folder: Path, dtype: str, contents: list[tuple[str, bytes]]) -> dict[str, str]:
    assert _pool_extract is not None
    return _write_shard(_pool_extract, folder, dtype, contents)


def _write_shard(
    extract: Callable[[bytes], Features], folder: Path, dtype: str, contents: list[tuple[str, bytes]]
) -> dict[str, str]:
    found, digests, failed = [], [], {}
    for digest, content in contents:
        try:
            found.append(extract(content))
            digests.append(digest)
        except CorpusError as error:
            failed[digest] = str(error)
    if not found:
        return failed
    name = _digest("".join(digests).encode())
    partial = folder / f"{name}.partial"
    with partial.open("wb") as file:
        np.savez(
            file,
            digests=np.array(digests),
            counts=np.array([len(f.vectors) for f in found], np.int64),
            vectors=np.concatenate([f.vectors for f in found]).astype(dtype),
            speech=np.concatenate([f.speech for f in found]),
        )
    partial.replace(folder / f"{name}.npz")
    return failed


def _read_table(folder: Path, digests: Sequence[str | None], broken: Mapping[int, str]) -> FeatureTable:
    wanted = set(digests)
    vectors, speech, first = [], [], 0
    where: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as shard:
            held, counts = shard["digests"].tolist(), shard["counts"]
            if wanted.isdisjoint(held):
                continue
            starts = first + np.concatenate([[0], np.cumsum(counts)])
            where.update(zip(held, pairwise(starts), strict=True))
            vectors.append(shard["vectors"])
            speech.append(shard["speech"])
            first = int(starts[-1])
    spans = [(0, 0) if digest is None else where[digest] for digest in digests]
    rows = np.concatenate([np.arange(*span) for span in spans])
    bounds = np.cumsum([0, *(end - start for start, end in spans)], dtype=np.int64)
    return FeatureTable(np.concatenate(vectors)[rows], np.concatenate(speech)[rows], bounds, broken)


def _shard_digests(path: Path) -> list[str]:
    with np.load(path) as shard:
        digests: list[str] = shard["digests"].tolist()
    return digests


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
