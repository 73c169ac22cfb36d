"""Examines this machine for what a configuration needs; every finding comes with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.config import load_config
from stream.errors import UserError
from workers.doctor.devices import examine_devices, examine_sources
from workers.doctor.findings import Finding, Status
from workers.doctor.models import examine_models
from workers.doctor.system import examine_runtime, examine_system

__all__ = ["Finding", "Status", "examine"]


def examine(config_path: Path) -> Iterator[Finding]:
    """Yield what is found, as it is found; a failure is something that `config_path` needs."""
    yield from examine_system()
    try:
        config = load_config(config_path)
    except UserError as error:
        yield Finding("configuration", "file", Status.FAIL, str(error), "mend what it names")
        return
    sources = ", ".join(source.name for source in config.sources)
    yield Finding("configuration", "file", Status.OK, f"{config_path}: {sources}")
    yield from examine_runtime(config)
    yield from examine_devices()
    yield from examine_sources(config)
    yield from examine_models(config)
