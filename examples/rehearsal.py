"""Records a rehearsal of a talk as a table, and plots how it went.

    python examples/rehearsal.py talk --minutes 20

writes `talk.csv` and `talk.png`; Ctrl-C ends it early.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import matplotlib
import pandas

from stream import NoMessageError, rows, subscribe
from stream.client import DEFAULT_ENDPOINT

matplotlib.use("agg")


def main() -> None:
    """Record, then plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="what the files are called")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--endpoint", default=DEFAULT_ENDPOINT)
    parser.add_argument("--source", default=None)
    arguments = parser.parse_args()
    with subscribe(endpoint=arguments.endpoint, source=arguments.source, timeout_s=10) as messages:
        table = pandas.DataFrame(recorded(rows(messages, seconds=60 * arguments.minutes)))
    table.to_csv(f"{arguments.name}.csv", index=False)
    smoothed = [column for column in table if column.endswith(".smoothed")]
    if not smoothed:
        raise SystemExit(f"{len(table)} windows, none with evidence: nothing to plot")
    table["minute"] = (table["time_s"] - table["time_s"].iloc[0]) / 60
    axes = table.plot(x="minute", y=smoothed, figsize=(12, 5), ylabel="probability", ylim=(0, 1))
    axes.legend([column.removesuffix(".smoothed") for column in smoothed], frameon=False, ncols=len(smoothed))
    axes.figure.savefig(f"{arguments.name}.png", bbox_inches="tight")
    print(f"{len(table)} windows in {arguments.name}.csv and {arguments.name}.png")


def recorded(given: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what comes until Ctrl-C, or until nothing more does."""
    try:
        yield from given
    except (KeyboardInterrupt, NoMessageError):
        return


if __name__ == "__main__":
    main()
