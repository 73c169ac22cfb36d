"""How the benchmarks print: a line about the machine, then tables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def print_machine() -> None:
    """Print what runs here, and how busy it was already: figures of a busy machine are worth little."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else os.uname().machine
    out.print(f"{model}, {os.cpu_count()} cores; load before: {os.getloadavg()[0]:.1f}\n")


def table(title: str, *columns: str) -> Table:
    """Return an empty table."""
    return Table(*columns, title=title, title_justify="left", box=None, padding=(0, 3, 0, 0))
