"""What a fault test has measured, beside what was hoped for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of docs/reliability.md."""

    what: str
    measured: str
    goal: str = ""
    met: bool = True


HEAD = "| what | measured | goal |\n|---|---|---|"


def row(figure: Figure) -> str:
    """Return a figure as a row of a Markdown table; one that missed its goal is marked."""
    missed = "" if figure.met else " **missed**"
    return f"| {figure.what} | {figure.measured}{missed} | {figure.goal} |"


def spread(values: list[float], unit: str = "s") -> str:
    """Return median and largest of `values` in `unit`."""
    if not values:
        return "never"
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.1f} {unit}, at most {ordered[-1]:.1f} {unit}, of {len(ordered)}"
