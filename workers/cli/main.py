"""`emostream`: the table of commands, and what becomes of errors and Ctrl-C."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
_COMPLETING = "_EMOSTREAM_COMPLETE"

_HELP = """\
Scores what a camera sees and a microphone hears against the emotions you name, many times a second.

[bold]Start here[/]

  emostream assets fetch      [dim]the models it runs on, once[/]
  emostream demo              [dim]the whole daemon on a clip, with the live view[/]
  emostream doctor            [dim]what this machine still lacks, and how to get it[/]
  emostream run               [dim]the daemon on your own camera and microphone[/]

Every command explains itself: emostream COMMAND --help."""


@dataclass(frozen=True)
class Command:
    """One row of the table."""

    name: str
    target: str
    """`module:name` of a function, or of a `typer.Typer` with commands of its own."""
    panel: str
    summary: str
    """The first line of its help, known here so that the module need not be imported to show it."""


COMMANDS = (
    Command("run", "workers.cli.run:run", "Run", "Run the daemon until Ctrl-C."),
    Command("demo", "workers.cli.demo:demo", "Run", "Run the whole daemon on a clip, with the live view."),
    Command("calibrate", "workers.cli.calibrate:calibrate", "Run", "Learn your face and voice at rest."),
    Command("watch", "workers.cli.watch:watch", "Read", "Show the live view of a running daemon."),
    Command("subscribe", "workers.cli.subscribe:subscribe", "Read", "Print its messages as JSON lines."),
    Command("score", "workers.cli.score:score", "Read", "Score media files as fast as this machine can."),
    Command("doctor", "workers.cli.doctor:doctor", "Set up", "Check this machine, and say what to mend."),
    Command("assets", "workers.cli.assets:app", "Set up", "List, fetch and verify the models it runs on."),
    Command("systemd", "workers.cli.systemd:app", "Set up", "Run the daemon as services of systemd."),
    Command("engine", "workers.cli.engine:app", "Set up", "Build and check TensorRT engines for a GPU."),
    Command("vocabulary", "workers.cli.vocabulary:app", "Set up", "Check the words that are scored."),
    Command("keys", "workers.cli.keys:app", "Set up", "Say who may subscribe from other hosts."),
    Command("config", "workers.cli.config:app", "Set up", "Check, show or start a configuration file."),
    Command("train", "workers.cli.train:train", "Train", "Train a bundle from corpora."),
    Command("evaluate", "workers.cli.evaluate:evaluate", "Train", "Measure a bundle on test corpora."),
)  # fmt: skip


def build_app(chosen: str | None) -> typer.Typer:
    """Return the command line with the command `chosen` in full and the others by name and summary only.

    Each command brings libraries that the others do not need; so the help comes at once.
    """
    app = typer.Typer(
        name="emostream",
        help=_HELP,
        rich_markup_mode="rich",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    for command in COMMANDS:
        if command.name == chosen or _COMPLETING in os.environ:
            _add(app, command)
        else:
            app.command(command.name, help=command.summary, rich_help_panel=command.panel)(_not_imported)
    return app


def _add(app: typer.Typer, command: Command) -> None:
    module, _, name = command.target.partition(":")
    target = getattr(importlib.import_module(module), name)
    if isinstance(target, typer.Typer):
        for each in target.registered_commands:
            each.help = each.help or help_of(each.callback)
        app.add_typer(target, name=command.name, rich_help_panel=command.panel)
    else:
        app.command(command.name, help=help_of(target), rich_help_panel=command.panel)(target)


def help_of(function: object) -> str:
    """Return a docstring with the lines of each paragraph joined; indented lines stay as they are."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(text if text.startswith(" ") else " ".join(text.split("\n")) for text in paragraphs)


def _global_options(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            callback=lambda on: on and _print_version(),
        ),
    ] = False,
) -> None:
    pass


def _print_version() -> None:
    typer.echo(f"emostream {importlib.metadata.version('emostream')}")
    raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error that the user can mend is one message and exit status 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((argument for argument in given if not argument.startswith("-")), None)
    try:
        build_app(chosen)(given, prog_name="emostream")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        # Only a command that failed has imported it; nothing else needs it here.
        from stream.errors import UserError  # noqa: PLC0415

        if not isinstance(error, UserError):
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(EXIT_ERROR)


def _not_imported() -> None:
    raise AssertionError("a command that was not chosen was run")


if __name__ == "__main__":
    main()
