"""Puts the units in place and takes them away again."""

from __future__ import annotations

import grp
import os
import re
import shutil
import subprocess
from pathlib import Path

from stream.config import load_config
from workers.systemd.of_source import UnitError
from workers.systemd.units import TARGET, USER, Place, Scope, unit_files

_SYSTEM_UNITS = Path("/etc/systemd/system")
_SYSTEM_CONFIG = Path("/etc/emostream/emostream.yaml")
_SYSUSERS = Path("/etc/sysusers.d/emostream.conf")
_OURS = re.compile(r"emostream(-[a-z]+(@[a-z0-9_-]*)?\.service(\.d)?|\.target)")


def unit_folder(scope: Scope) -> Path:
    """Return the folder that an administrator's, or a user's own, units lie in."""
    if scope == "system":
        return _SYSTEM_UNITS
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def config_file(scope: Scope, given: Path | None) -> Path:
    """Return the configuration that the services are to use, as an absolute path.

    Raises:
        UnitError: there is none, or units cannot name it.
    """
    own = Path.home() / ".config" / "emostream" / "emostream.yaml"
    path = (given or (_SYSTEM_CONFIG if scope == "system" else own)).absolute()
    if not path.is_file():
        raise UnitError(
            f"{path}: there is no such file; make it with `emostream config example > {path}` and edit it, "
            "or name another with --config"
        )
    if re.search(r"[\s%$\"'\\]", str(path)):
        raise UnitError(f"{path}: units cannot name this path; use one without spaces, quotes, $ and %")
    return path


def write_units(scope: Scope, config: Path, folder: Path) -> list[str]:
    """Write the units that `config` calls for into `folder`, instead of those of an earlier time.

    Returns:
        The names of the files, relative to `folder`.

    Raises:
        UserError: the configuration cannot be used.
        UnitError: the folder cannot be written.
    """
    groups = frozenset(group.gr_name for group in grp.getgrall())
    files = unit_files(load_config(config), Place(scope, config, systemd_version(), groups))
    try:
        remove_units(folder)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return list(files)


def remove_units(folder: Path) -> list[str]:
    """Remove every unit of ours from `folder`; return their names.

    Raises:
        UnitError: the folder cannot be written.
    """
    ours = sorted(path for path in folder.glob("emostream*") if _OURS.fullmatch(path.name))
    try:
        for path in ours:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error
    return [path.name for path in ours]


def install(scope: Scope, given: Path | None) -> list[str]:
    """Write the units, make the user they run as, and have systemd start them with machine or session.

    Raises:
        UserError: the configuration cannot be used, or systemd refuses.
    """
    names = write_units(scope, config_file(scope, given), unit_folder(scope))
    if scope == "system":
        _SYSUSERS.parent.mkdir(parents=True, exist_ok=True)
        _SYSUSERS.write_text(f'u {USER} - "emostream"\n', encoding="utf-8")
        _call("systemd-sysusers", str(_SYSUSERS))
    _systemctl(scope, "daemon-reload")
    _systemctl(scope, "enable", TARGET)
    return names


def uninstall(scope: Scope) -> list[str]:
    """Stop the services and remove their units; the configuration, cache and user stay.

    Raises:
        UserError: systemd refuses, or the folder cannot be written.
    """
    folder = unit_folder(scope)
    if (folder / TARGET).is_file():
        _systemctl(scope, "disable", "--now", TARGET)
    names = remove_units(folder)
    if scope == "system":
        _SYSUSERS.unlink(missing_ok=True)
    if names:
        _systemctl(scope, "daemon-reload")
    return names


def systemd_version() -> int:
    """Return systemd's version on this machine.

    Raises:
        UnitError: it has none.
    """
    found = re.match(r"systemd (\d+)", _call("systemctl", "--version"))
    if found is None:
        raise UnitError("systemctl does not say its version; is it systemd's?")
    return int(found[1])


def _systemctl(scope: Scope, *arguments: str) -> None:
    _call("systemctl", *(("--user",) if scope == "user" else ()), *arguments)


def _call(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UnitError(f"{command[0]}: {error.strerror}; this needs a machine that runs systemd") from error
    if done.returncode != 0:
        raise UnitError(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _unwritable(folder: Path, error: OSError) -> UnitError:
    return UnitError(
        f"{folder}: {error.strerror}; the machine's own units are for root (sudo), yours need --user"
    )
