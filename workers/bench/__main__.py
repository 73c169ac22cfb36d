"""The benchmarks' command line: `python -m workers.bench COMMAND`."""

from __future__ import annotations

import sys

import typer

from stream.errors import UserError
from workers.bench.bus import bus
from workers.bench.daemon import daemon
from workers.bench.face import face
from workers.bench.model import model
from workers.bench.once import once
from workers.bench.soak import soak
from workers.bench.sources import sources
from workers.bench.viewers import viewers
from workers.cli.main import help_of

app = typer.Typer(
    name="python -m workers.bench",
    help="Measure what emostream costs on this machine. Figures of a busy machine are worth little.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for each in (daemon, model, once, sources, bus, face, soak, viewers):
    app.command(help=help_of(each))(each)


def main() -> None:
    """Run one benchmark; what the user can mend is one message."""
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
