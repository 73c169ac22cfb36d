"""The unit files: one template for every kind of worker, filled in from the tables and the configuration."""

from __future__ import annotations

import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stream.config import Config, stays_on_host
from stream.errors import EXIT_REFUSED
from workers.liveness import BUSY_LIMIT_S, SILENT_LIMIT_S
from workers.systemd.access import ACCESS, Access
from workers.systemd.of_source import of_source
from workers.systemd.places import in_home
from workers.table import WorkerRow, worker_processes

Scope = Literal["system", "user"]

TARGET = "emostream.target"
USER = "emostream"
_CACHE = Path("/var/cache/emostream")
# From here on systemd can lengthen the pause before each restart.
_STEPS_SINCE = 254


@dataclass(frozen=True)
class Place:
    """Where the units are to run.

    Args:
        scope: The machine's service manager, or the user's own.
        config: The configuration file, absolute.
        systemd: Version of systemd.
        groups: The groups that this machine has.
    """

    scope: Scope
    config: Path
    systemd: int
    groups: frozenset[str]


def unit_files(config: Config, place: Place) -> dict[str, str]:
    """Return the text of every unit file that `config` calls for, by its path within the folder of units.

    Raises:
        UnitError: the address of a camera, or of another host, is not known.
    """
    processes = worker_processes(config)
    rows = {process.row.name: process.row for process in processes}
    files = {f"{unit_name(row)}.service": _service(row, config, place) for row in rows.values()}
    for process in processes:
        if process.source is not None:
            lines = of_source(process.row.name, config.source(process.source), system=place.scope == "system")
            if lines:
                name = unit_name(process.row, process.source)
                files[f"{name}.service.d/source.conf"] = "\n".join(("[Service]", *lines)) + "\n"
    wants = [f"Wants={unit_name(process.row, process.source)}.service" for process in processes]
    wanted_by = "multi-user.target" if place.scope == "system" else "default.target"
    files[TARGET] = _template(TARGET).substitute(wants="\n".join(wants), wanted_by=wanted_by)
    return files


def unit_name(row: WorkerRow, source: str | None = None) -> str:
    """Return the name of a worker's unit, without `.service`; its template's where no source is given."""
    return f"emostream-{row.name}@{source or ''}" if row.per_source else f"emostream-{row.name}"


def _template(name: str) -> string.Template:
    packaged = Path(__file__).parent / "templates"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[2] / "systemd"
    return string.Template((folder / name).read_text(encoding="utf-8"))


def _service(row: WorkerRow, config: Config, place: Place) -> str:
    access = ACCESS[row.name]
    steps = place.systemd >= _STEPS_SINCE
    text = _template("worker.service").substitute(
        title=f"{row.name} of %i" if row.per_source else row.name,
        name=row.name,
        python=sys.executable,
        config=place.config,
        source=" --source %i" if row.per_source else "",
        refused=EXIT_REFUSED,
        start_limit_s=f"{BUSY_LIMIT_S:g}",
        watchdog_s=f"{BUSY_LIMIT_S if access.long_steps else SILENT_LIMIT_S:g}",
        memory=access.memory,
        restart_limit="StartLimitIntervalSec=0" if steps else "StartLimitIntervalSec=60\nStartLimitBurst=6",
        restart_pause="RestartSec=100ms" + ("\nRestartSteps=8\nRestartMaxDelaySec=60" if steps else ""),
        identity=_identity(access, place),
        devices=_devices(access),
        network=_network(row, access, config),
        home=_home(config, place),
        memory_maps="" if access.compiles else "MemoryDenyWriteExecute=yes",
    )
    return "\n".join(_without_gaps(text)) + "\n"


def _identity(access: Access, place: Place) -> str:
    lines = ["CacheDirectory=emostream", "CacheDirectoryMode=0755"] if access.writes_cache else []
    if place.scope == "system":
        groups = [group for group in access.groups if group in place.groups]
        lines += [f"User={USER}", f"Environment=EMOSTREAM_CACHE={_CACHE}"]
        lines += ["Environment=XDG_CONFIG_HOME=/etc XDG_STATE_HOME=/var/lib"]
        lines += [f"SupplementaryGroups={' '.join(groups)}"] if groups else []
    return "\n".join(lines)


def _devices(access: Access) -> str:
    if not access.devices:
        return "PrivateDevices=yes"
    return "\n".join(("PrivateDevices=no", *(f"DeviceAllow={device} rw" for device in access.devices)))


def _network(row: WorkerRow, access: Access, config: Config) -> str:
    if row.outlet:
        reached = "any" if row.reaches_out(config) else "localhost"
        return f"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nIPAddressAllow={reached}"
    endpoint = getattr(config, access.publishes).endpoint if access.publishes else None
    if endpoint is None or endpoint.startswith("ipc://"):
        return "PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX"
    # Who may connect from another host is decided by keys, not by address.
    clients = "localhost" if stays_on_host(endpoint) else "any"
    return f"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nIPAddressAllow={clients}"


def _home(config: Config, place: Place) -> str:
    if place.scope == "user":
        return "ProtectHome=read-only"
    # Python's own places, and where this package lies when it was installed for development.
    needed = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2], place.config.parent]
    hidden = sorted({str(path) for path in [*needed, Path(config.vocabulary).parent] if in_home(path)})
    if not hidden:
        return "ProtectHome=yes"
    return "\n".join(("ProtectHome=tmpfs", *(f"BindReadOnlyPaths={path}" for path in hidden)))


def _without_gaps(text: str) -> list[str]:
    """Return the lines without empty ones that follow each other, where nothing was filled in."""
    lines = text.splitlines()
    return [line for before, line in zip(["", *lines], lines, strict=False) if line or before]
