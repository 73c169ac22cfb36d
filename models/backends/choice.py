"""Which candidate is best here, by measurement; the verdict is kept for the same machine and work."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path

import msgspec
import onnxruntime as ort

from models.backends import MAX_WINDOWS, BackendError
from models.backends.candidates import Candidate, Report
from models.backends.measurement import Timing, measure
from models.bundle import Bundle
from models.cache import cache_folder, writing_cache
from stream.clock import now_ns, wall_time


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    timing: Timing | None = None
    problem: str | None = None
    """Why it was not timed."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and which came out best."""

    chosen: str
    """Name of the candidate with the smallest p99."""
    windows: int
    """In a batch."""
    threads: int
    """CPU threads of ONNX Runtime."""
    made: str
    """When, as RFC 3339."""
    rows: tuple[Measured, ...]

    @property
    def problems(self) -> dict[str, str]:
        """Why some were not timed, by name."""
        return {row.name: row.problem for row in self.rows if row.problem is not None}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What preparing the candidates came to."""

    chosen: str
    """Name of the one to take now."""
    problems: dict[str, str]
    """Why others cannot be taken, by name."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict depends on."""

    model_sha256: str
    candidates: tuple[str, ...]
    windows: int
    threads: int
    onnxruntime: str
    machine: tuple[str, ...]


def ask(bundle: Bundle, candidates: Sequence[Candidate], *, sources: int, threads: int) -> Question:
    """Return what is to be decided: which of `candidates` is best for the windows of `sources` sources."""
    return Question(
        model_sha256=bundle.sha256,
        candidates=tuple(candidate.name for candidate in candidates),
        windows=min(max(1, sources), MAX_WINDOWS),
        threads=threads,
        onnxruntime=ort.__version__,
        machine=machine(),
    )


def decide(question: Question, bundle: Bundle, candidates: Sequence[Candidate], report: Report) -> Verdict:
    """Time every candidate that was prepared; keep the verdict if all of them could be timed.

    Raises:
        BackendError: Not even ONNX Runtime on the CPU works.
        CacheError: The verdict cannot be kept.
    """
    rows = []
    for place, candidate in enumerate(candidates):
        report(f"timing {candidate.name}", place / len(candidates))
        rows.append(_measure(candidate, bundle, question))
    timed = {row.name: row.timing for row in rows if row.timing is not None}
    if not timed:
        raise BackendError("; ".join(f"{row.name}: {row.problem}" for row in rows))
    verdict = Verdict(
        chosen=min(timed, key=lambda name: timed[name].p99_ms),
        windows=question.windows,
        threads=question.threads,
        made=wall_time(now_ns()),
        rows=tuple(rows),
    )
    if not verdict.problems:  # what failed may work the next time
        with writing_cache():
            path = _path(question)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.format(msgspec.json.encode(verdict), indent=2) + b"\n")
    return verdict


def recall(question: Question) -> Verdict | None:
    """Return the verdict that was kept, if this was asked before."""
    try:
        return msgspec.json.decode(_path(question).read_bytes(), type=Verdict)
    except (OSError, msgspec.MsgspecError):
        return None


def forget(question: Question) -> None:
    """Drop a verdict that no longer holds."""
    _path(question).unlink(missing_ok=True)


def verdicts_folder() -> Path:
    """Return where verdicts lie; it may not exist."""
    return cache_folder() / "verdicts"


def machine() -> tuple[str, ...]:
    """Return what this machine computes with: processor, GPUs, their driver."""
    found = [platform.machine()]
    files = [Path("/proc/device-tree/model"), Path("/proc/driver/nvidia/version")]
    files += sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for file in files for line in _lines(file)[:1]]
    models = [
        line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if "model name" in line
    ]
    return (*found, *models[:1], *lines)


def _measure(candidate: Candidate, bundle: Bundle, question: Question) -> Measured:
    try:
        backend = candidate.open(bundle, question.threads)
        try:
            return Measured(name=candidate.name, timing=measure(backend, bundle, question.windows))
        finally:
            backend.close()
    except BackendError as error:
        return Measured(name=candidate.name, problem=str(error))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").replace("\0", "").splitlines()
    except OSError:
        return []


def _path(question: Question) -> Path:
    digest = hashlib.sha256(msgspec.json.encode(question)).hexdigest()[:16]
    return verdicts_folder() / f"{digest}.json"
