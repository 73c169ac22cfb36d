"""`emostream score`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from models.media import probe
from models.offline import score_media
from stream.config import Config, load_config
from stream.errors import UserError
from stream.public import EmotionMessage
from workers.cli.common import VocabularyOption, err, file_config
from workers.cli.score_summary import ScoreSummary
from workers.plot import check_plot, write_plot


def score(  # noqa: PLR0917 - typer takes options as positional parameters
    files: Annotated[
        list[Path], typer.Argument(help="Video or audio files.", metavar="FILE", show_default=False)
    ],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "-p", help="Draw the curves: .png, .svg, .pdf or .html.", metavar="OUT.png"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the scores as JSON lines.", metavar="OUT.jsonl")
    ] = None,
    vocabulary: VocabularyOption = None,
    bundle: Annotated[
        str | None,
        typer.Option("--bundle", "-b", help="Name or folder of another model.", metavar="NAME_OR_FOLDER"),
    ] = None,
    hop: Annotated[
        float | None, typer.Option("--hop", help="Seconds from one score to the next.", show_default=False)
    ] = None,
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="Let a word count from when it was said, not known.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Configuration for all else; its sources play no part."),
    ] = None,
) -> None:
    """Score media files as fast as this machine can.

    The daemon's own extractors and model in one process, without sockets: the scores are those that the
    daemon gives at `pace: lossless`. They are causal, as live: a word counts from when it was known, unless
    `--hindsight` is given. Times are those of the file. JSON lines go to `--out`, or to standard output when
    neither `--out` nor `--plot` is given; progress and a summary go to standard error.

    With several files the name of each is put into the names that `--out` and `--plot` give: `scores.jsonl`
    becomes `scores-talk.jsonl`. A file that cannot be read is reported and the others go on.

    Exit status: 0, or 1 when a file could not be scored to its end.

    [bold]Examples[/]

      emostream score talk.mp4 --plot talk.png
      emostream score talk.mp4 --plot talk.html --vocabulary meeting --hindsight
      emostream score *.mp4 --out scores.jsonl --hop 0.5
      emostream score talk.mp4 | jq -c '[.window.end_ns, .emotions[0].smoothed]'
    """
    base = load_config(config) if config else None
    if plot is not None:
        check_plot(plot)
    failed = 0
    for path in files:
        try:
            settings = file_config(
                path, base, vocabulary=vocabulary, inference={"bundle": bundle}, window={"hop_s": hop}
            )
            _score_file(
                path,
                settings,
                hindsight=hindsight,
                out=_named(out, path, several=len(files) > 1),
                plot=_named(plot, path, several=len(files) > 1),
            )
        except UserError as error:
            failed += 1
            err.print(f"[bold red]error:[/] {_escaped(error)}", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _score_file(path: Path, config: Config, *, hindsight: bool, out: Path | None, plot: Path | None) -> None:
    """Score one file; what was scored before it broke off is written, summed up and drawn in any case."""
    summary = ScoreSummary()
    messages: list[EmotionMessage] = []
    try:
        # The bar looks at the file first: one that cannot be read leaves no empty output behind.
        with _progress_bar(path) as progress, _writer(out, silent=out is None and plot is not None) as write:
            for message in score_media(path, config, hindsight=hindsight, progress=progress):
                write(message)
                summary.take(message)
                if plot is not None:
                    messages.append(message)
    finally:
        if summary.windows:
            err.print("\n".join(summary.lines(path.name)), soft_wrap=True, markup=False)
        if messages and plot is not None:
            write_plot(plot, path.name, messages)
            err.print(f"  {plot}", soft_wrap=True, markup=False)


@contextmanager
def _writer(out: Path | None, *, silent: bool) -> Iterator[Callable[[EmotionMessage], None]]:
    """Give a function that writes a message as a line to `out`, or to standard output."""
    if silent:
        yield lambda _: None
        return
    if out is None:
        yield lambda message: _write(sys.stdout, message)
        return
    try:
        file = out.open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    with file:
        yield lambda message: _write(file, message)


def _write(file: TextIO, message: EmotionMessage) -> None:
    file.write(msgspec.json.encode(message).decode() + "\n")


@contextmanager
def _progress_bar(path: Path) -> Iterator[Callable[[float], None]]:
    """Show how far a file is, and how much faster than it plays."""
    duration_s = probe(path).duration_s or 0.0
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[speed]}", style="dim"),
        console=err,
        transient=True,
        disable=not err.is_terminal,
        refresh_per_second=4,
    )
    with bar:
        task = bar.add_task(path.name, total=1.0, speed="")

        def update(share: float) -> None:
            elapsed_s = bar.tasks[task].elapsed or 0.0
            speed = f"{share * duration_s / elapsed_s:.1f}× real time" if elapsed_s > 0.5 else ""
            bar.update(task, completed=share, speed=speed)

        yield update


def _named(target: Path | None, path: Path, *, several: bool) -> Path | None:
    if target is None or not several:
        return target
    return target.with_name(f"{target.stem}-{path.stem}{target.suffix}")


def _escaped(error: Exception) -> str:
    return str(error).replace("[", "\\[")
