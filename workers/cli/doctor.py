"""`emostream doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workers.cli.common import ConfigOption, find_config, out
from workers.doctor import Finding, Status, examine

_MARKS = {
    Status.OK: Text("ok", "green"),
    Status.WARN: Text("warn", "bold yellow"),
    Status.FAIL: Text("fail", "bold red"),
}


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check this machine, and say how to mend what is wrong.

    Looks at Python and its libraries, limits and folders, the devices and files that the configuration names,
    the assets, the model, the vocabulary, and whether the inference backend gives the results stored with the
    model. Nothing is changed and nothing is recorded.

    Exit status: 0, or 1 when something that the configuration needs does not work.

    [bold]Examples[/]

      emostream doctor
      emostream doctor --config door.yaml
      emostream doctor --json | jq '.[] | select(.status != "ok")'
    """
    findings = list(examine(find_config(config)))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        out.print(_table(findings))
        out.print(_verdict(findings))
    if any(finding.status is Status.FAIL for finding in findings):
        raise typer.Exit(1)


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", max_width=28)
    table.add_column()
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            table.add_row("", Text(f"\n{area}" if table.row_count else area, "dim"))
        detail = Text(finding.detail)
        if finding.remedy and finding.status is not Status.OK:
            detail.append(f"\n→ {finding.remedy}", "red" if finding.status is Status.FAIL else "yellow")
        table.add_row(_MARKS[finding.status], Text(finding.name), detail)
    return table


def _verdict(findings: list[Finding]) -> Text:
    counts = {status: sum(finding.status is status for finding in findings) for status in Status}
    if counts[Status.FAIL]:
        return Text(f"\n{counts[Status.FAIL]} to mend before this configuration works", "bold red")
    if counts[Status.WARN]:
        return Text(f"\nready; {counts[Status.WARN]} to look at", "yellow")
    return Text("\nready", "bold green")
