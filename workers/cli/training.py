"""What `train` and `evaluate` share: the cache, progress, and how results are printed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from models.cache import cache_folder
from models.training.features import Progress as ProgressReport
from models.training.measured import FIGURES, main_results, stated, with_interval
from stream.errors import UserError
from workers.cli.common import err, out

CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        help="Folder for features and checkpoints. By default `training` in emostream's cache.",
        show_default=False,
    ),
]


def need(*modules: str, extra: str = "train") -> None:
    """Refuse to go on without modules of an extra of emostream.

    Raises:
        UserError: One is not installed.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"{', '.join(missing)} is not installed; pip install 'emostream[{extra}]'")


def cache_of(given: Path | None) -> Path:
    """Return the folder of features and checkpoints: the one given, else that in emostream's cache."""
    return given or cache_folder() / "training"


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Give progress bars on stderr, which vanish at the end."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    ) as bars:
        yield bars


def extraction_bars(bars: Progress) -> ProgressReport:
    """Return what is told how far the extraction of features is."""
    tasks: dict[str, TaskID] = {}

    def told(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = bars.add_task(f"features of {label}", total=total)
        bars.update(tasks[label], completed=done, visible=done < total)

    return told


def skipped_line(bars: Progress) -> Callable[[str], None]:
    """Return what is told of an example that cannot be read."""
    return lambda text: bars.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def stage_line(bars: Progress) -> Callable[[str], None]:
    """Return what is told of what begins."""
    return lambda text: bars.print(f"{escape(text)} ...", soft_wrap=True)


def print_results(version: str, metrics: Mapping[str, Any]) -> None:
    """Print the main results, a row a corpus, and those of words left out of training, a row a word."""
    out.print(_results_table(version, metrics["corpora"]))
    for kind, title in (
        ("zero_shot", "Words left out of training"),
        ("few_shot", "Words with hardly any examples"),
    ):
        if metrics.get(kind):
            out.print(_transfer_table(title, metrics[kind]))
    out.print(
        "In brackets the 95 % interval of parts drawn anew by speaker, where there are more than five, or "
        "by example.",
        style="dim",
    )


def _results_table(version: str, corpora: Mapping[str, Any]) -> Table:
    table = Table(title=f"{version} on test parts", title_justify="left")
    for column in ("corpus", "modality", "examples", "result"):
        table.add_column(column, justify="right" if column == "examples" else "left")
    for name, found in corpora.items():
        lines = [*main_results(found), f"{FIGURES['ece']} {with_interval(found, 'ece')}"]
        table.add_row(name, found["modality"], str(found["examples"]), "\n".join(lines), end_section=True)
    return table


def _transfer_table(title: str, parts: Mapping[str, Any]) -> Table:
    table = Table(title=f"{title}: area under the ROC curve, chance 0.5", title_justify="left")
    for column in ("modality", "word", "corpus", "unseen", "seen"):
        table.add_column(column)
    for modality, part in parts.items():
        for word, corpora in part["words"].items():
            for corpus, each in corpora.items():
                unseen, seen = stated(each["auc"], each["interval"]), stated(each["seen_auc"], None)
                table.add_row(modality, word, corpus, unseen, seen)
        mean = stated(part["auc"], part["interval"])
        table.add_row(
            modality, "mean", "", mean, stated(part["seen_auc"], None), style="bold", end_section=True
        )
    return table
