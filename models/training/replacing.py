"""Puts a finished bundle in the place of the one before it."""

from __future__ import annotations

import shutil
from pathlib import Path


def partial_folder(out: Path) -> Path:
    """Return an empty place beside `out` to write a bundle to; it does not exist yet."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    return partial


def replace_folder(partial: Path, out: Path) -> None:
    """Move the folder `partial` to `out`, whose content goes only once the new one is there."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    partial.rename(out)
    shutil.rmtree(old, ignore_errors=True)
