"""`emostream config`: check, show, or start a configuration file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from ruamel.yaml import YAML

from stream.config import Config, load_config
from stream.vocabulary import load_vocabulary
from workers.admission import check_keys
from workers.cli.common import ConfigOption, find_config, out
from workers.cli.config_example import example_config
from workers.table import worker_processes

app = typer.Typer(no_args_is_help=True, help="Check, show or start a configuration file.")

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Configuration files.", metavar="FILE")],
) -> None:
    """Find every mistake in a configuration file.

    Each is named with its line, key and value, and what is allowed there. The vocabulary that it names is
    checked too. What the devices and models are like is the business of `emostream doctor`.

    Exit status: 0, or 2 when there is a mistake.

    [bold]Examples[/]

      emostream config check emostream.yaml
    """
    for path in files:
        config = load_config(path)
        vocabulary = load_vocabulary(Path(config.vocabulary))
        check_keys(config)
        out.print(Text.assemble(("ok  ", "green"), str(path)), soft_wrap=True)
        out.print(f"    sources:    {', '.join(source.name for source in config.sources)}", soft_wrap=True)
        out.print(
            f"    workers:    {', '.join(process.id for process in worker_processes(config))}", soft_wrap=True
        )
        names = ", ".join(emotion.name for emotion in vocabulary.emotions)
        out.print(f"    vocabulary: {vocabulary.version}: {names}", soft_wrap=True)
        guarded = ", CURVE" if config.stream.curve else ""
        where = f"{config.stream.endpoint}{guarded}, {config.stream.format}"
        out.print(f"    publishes:  {where}", soft_wrap=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    With the YAML plugin of your editor, a first line `# yaml-language-server: $schema=emostream.schema.json`
    in a configuration file gives completion, descriptions, and mistakes underlined while you type.

    [bold]Examples[/]

      emostream config schema > emostream.schema.json
    """
    content = {"$schema": _SCHEMA_DIALECT} | Config.model_json_schema()
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


@app.command()
def show(config: ConfigOption = None) -> None:
    """Print the configuration as the daemon sees it: with every default, and paths made absolute.

    [bold]Examples[/]

      emostream config show
      emostream config show --config door.yaml
    """
    path = find_config(config)
    content = load_config(path).model_dump(mode="json")
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(content, text)
    typer.echo(f"# {path}\n{text.getvalue()}", nl=False)


@app.command()
def example() -> None:
    """Print a configuration with every option, described, at its default, to start your own from.

    [bold]Examples[/]

      emostream config example > emostream.yaml
    """
    typer.echo(example_config(), nl=False)
