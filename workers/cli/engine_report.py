"""What `emostream engine` prints: engines, verdicts, and how far a build is."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from models.backends.choice import Verdict
from models.backends.tensorrt.engine_store import EngineRecord

_STATE_STYLES = {"proved": "green", "built": "", "refused": "bold red"}


def engine_table(engines: list[tuple[str, EngineRecord | None]]) -> Table:
    """Return a table of engines, given by the name of their folder and their record."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("bundle", "precision", "TensorRT", "card", "size", "built", "state"):
        table.add_column(column, justify="right" if column == "size" else "left")
    for folder, record in engines:
        if record is None:
            table.add_row(folder, "", "", "", "", "", Text("no record", "bold red"))
            continue
        key = record.key
        table.add_row(
            record.bundle,
            key.precision,
            f"{key.flavour} {key.version}",
            f"{key.card} {key.gpu}".strip(),
            megabytes(record.size),
            record.built[:10],
            Text(engine_state(record), _STATE_STYLES[record.state]),
        )
    return table


def engine_line(record: EngineRecord) -> Text:
    """Return what there is to say of an engine that has just been made ready."""
    key = record.key
    what = f"{record.bundle} in {key.precision} for {f'{key.card} {key.gpu}'.strip()}"
    how = f"{megabytes(record.size)}, built in {record.seconds:.0f} s by {key.flavour} {key.version}"
    return Text.assemble(("ok  ", "green"), f"{what}: {how}; {engine_state(record)}")


def engine_state(record: EngineRecord) -> str:
    """Return whether an engine may answer."""
    if record.refused:
        return f"refused: {record.refused}"
    if record.difference is None:
        return "not compared yet"
    return f"agrees with ONNX Runtime to {record.difference:.0e}"


def verdict_table(verdict: Verdict) -> Table:
    """Return what was measured, the best first."""
    threads = f"{verdict.threads} CPU thread{'s' * (verdict.threads > 1)}"
    windows = f"{verdict.windows} window{'s' * (verdict.windows > 1)} in a batch"
    table = Table(box=None, header_style="bold", pad_edge=False, title_justify="left")
    table.title = f"{windows}, {threads}"
    for column in ("runs on", "p50 ms", "p99 ms", ""):
        table.add_column(column, justify="right" if "ms" in column else "left")
    untimed = float("inf")
    for row in sorted(verdict.rows, key=lambda row: row.timing.p99_ms if row.timing else untimed):
        table.add_row(
            Text(row.name, "bold green" if row.name == verdict.chosen else ""),
            f"{row.timing.p50_ms:.3f}" if row.timing else "–",
            f"{row.timing.p99_ms:.3f}" if row.timing else "–",
            "best" if row.name == verdict.chosen else row.problem or "",
        )
    return table


def megabytes(size: int) -> str:
    """Return a number of bytes as it is shown."""
    return f"{size / 1e6:.1f} MB"


class ProgressBar:
    """A bar on a terminal; elsewhere a line whenever another tenth is done."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.percentage:>3.0f}%"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=1.0)
        self._tenths = -1

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def update(self, what: str, share: float) -> None:
        """Show what is being done and how much of it is done, 0..1."""
        self._progress.update(self._task, description=what, completed=share)
        tenths = int(10 * share)
        if not self._progress.console.is_terminal and tenths != self._tenths:
            self._tenths = tenths
            sys.stderr.write(f"{10 * tenths:3d}% {what}\n")
