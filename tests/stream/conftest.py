"""A short folder for sockets, whose paths may not be long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def run_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emo", dir="/tmp") as folder:
        yield Path(folder)
