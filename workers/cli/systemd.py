"""`emostream systemd`: the workers as services."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.common import out
from workers.systemd import installation
from workers.systemd.units import TARGET, Scope

app = typer.Typer(
    no_args_is_help=True,
    help="Run the daemon as services of systemd, started with the machine or your session.\n\n"
    "Each worker is a service of its own, which sees the devices and the network it needs and no others.",
)

UserOption = Annotated[
    bool, typer.Option("--user", help="Your own services, which hear your desktop's sound server.")
]


@app.command()
def install(
    user: UserOption = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Configuration file. By default /etc/emostream/emostream.yaml, with --user "
            "~/.config/emostream/emostream.yaml.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="Only write the units, into this folder.", metavar="FOLDER")
    ] = None,
) -> None:
    """Write the units that the configuration calls for, and enable them.

    Run it again when a source was added or removed, or a camera's address changed.

    [bold]Examples[/]

      sudo emostream systemd install
      emostream systemd install --user --config desk.yaml
      emostream systemd install --into units     [dim]to look at them[/]
    """
    scope = _scope(user)
    if into is not None:
        _show(installation.write_units(scope, installation.config_file(scope, config), into))
        return
    _show(installation.install(scope, config))
    out.print(f"start them with: systemctl{' --user' if user else ''} start {TARGET}", soft_wrap=True)


@app.command()
def uninstall(user: UserOption = False) -> None:
    """Stop the services and remove their units.

    Your configuration, the models and the user `emostream` stay.

    [bold]Examples[/]

      sudo emostream systemd uninstall
      emostream systemd uninstall --user
    """
    _show(installation.uninstall(_scope(user)) or ["nothing was installed"])


def _scope(user: bool) -> Scope:
    return "user" if user else "system"


def _show(names: list[str]) -> None:
    for name in names:
        out.print(name, soft_wrap=True)
