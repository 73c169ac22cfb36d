"""`emostream keys`: who may subscribe from other hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from stream.config import load_config
from stream.keys import ALLOWED, DAEMON, allow, key_file, make_pair, read_allowed, read_pair, revoke
from workers.cli.common import ConfigOption, find_config, out

app = typer.Typer(no_args_is_help=True, help="Say who may subscribe from other hosts.")

NameArgument = Annotated[str, typer.Argument(help="Name of the client.", metavar="NAME")]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the pair.", metavar="NAME")] = DAEMON,
    config: ConfigOption = None,
) -> None:
    """Make a pair of keys: the daemon's, or with a name a client's.

    Its file is for you alone; keep it on the machine that uses it. The public key, which is printed, goes to
    the other side: the daemon's to every client, a client's into the daemon's allow list.

    [bold]Examples[/]

      emostream keys new              [dim]on the daemon's host[/]
      emostream keys new laptop       [dim]on the host called laptop[/]
    """
    folder = _folder(config)
    pair = make_pair(folder, name)
    out.print(Text(pair.public), soft_wrap=True)
    out.print(f"[dim]the pair is in {key_file(folder, name)}[/]", soft_wrap=True)


@app.command("allow")
def allow_client(
    name: NameArgument,
    key: Annotated[str, typer.Argument(help="Its public key.", metavar="KEY")],
    config: ConfigOption = None,
) -> None:
    """Admit a client by its public key; a running daemon does so within a second or two.

    [bold]Examples[/]

      emostream keys allow laptop KEY
    """
    allow(_folder(config), name, key)


@app.command("revoke")
def revoke_client(name: NameArgument, config: ConfigOption = None) -> None:
    """Stop admitting a client; a running daemon ends its connection within a second or two.

    All clients are cut off for a moment then. Those that may stay connect again by themselves, and see how
    many messages they missed.

    [bold]Examples[/]

      emostream keys revoke laptop
    """
    revoke(_folder(config), name)


@app.command("list")
def list_clients(config: ConfigOption = None) -> None:
    """Show the daemon's public key, and the clients that are admitted.

    [bold]Examples[/]

      emostream keys list
    """
    folder = _folder(config)
    table = Table("name", "public key", box=None)
    if key_file(folder, DAEMON).exists():
        table.add_row(f"{DAEMON} (this host)", Text(read_pair(key_file(folder, DAEMON)).public))
    if (folder / ALLOWED).exists():
        for name, public in sorted(read_allowed(folder / ALLOWED).items()):
            table.add_row(name, Text(public))
    out.print(table)


def _folder(config: Path | None) -> Path:
    return load_config(find_config(config)).keys_folder
