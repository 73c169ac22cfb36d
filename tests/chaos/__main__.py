"""Faults done to the whole daemon, each with its figures: `make chaos`, or `python -m tests.chaos [FAULT ...]`.

Prints the tables of docs/reliability.md; exits with 1 where a goal was missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from tests.chaos import deaths, hour, sandbox, shortages, strangers, subscribers, unplugged
from tests.chaos.figures import HEAD, Figure, row
from tests.chaos.scene import TooBusyError

FAULTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "killed": deaths.killed,
    "stopped": deaths.stopped,
    "subscribers": subscribers.crowd,
    "strangers": strangers.strangers,
    "unplugged": unplugged.unplugged,
    "shortages": shortages.shortages,
    "sandbox": sandbox.sandboxed,
    "hour": hour.hour,
}


def main() -> int:
    """Do the faults that are named, or all but those that take an hour."""
    chosen = sys.argv[1:] or [name for name in FAULTS if name != "hour"]
    if unknown := set(chosen) - set(FAULTS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(FAULTS)}")
    missed = False
    for name in chosen:
        _print(f"\n### {name}\n\n{HEAD}")
        try:
            for figure in FAULTS[name]():
                _print(row(figure))
                missed |= not figure.met
        except TooBusyError as error:
            _print(row(Figure("not measured", str(error), met=False)))
            missed = True
    return int(missed)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
