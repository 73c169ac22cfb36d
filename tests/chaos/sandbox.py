"""The daemon under what the units of systemd forbid, without systemd.

`python -m tests.chaos.sandbox UNIT COMMAND ...` takes the system calls away that the unit file does, and memory
that is both written and run where it does that, and becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stream.config import load_config
from tests.chaos.figures import Figure
from tests.chaos.shortages import goes_on
from workers.systemd.units import Place, unit_files

_PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001
_CONFIG = "sources: {name: desk, camera: {device: 0}, microphone: {}}\n"


def sandboxed() -> Iterator[Figure]:
    """Run all workers under the strictest unit, and with the transcriber under its own."""
    with tempfile.TemporaryDirectory(prefix="emo-") as name:
        config = Path(name) / "emostream.yaml"
        config.write_text(_CONFIG)
        for worker, words in (("face@", False), ("transcriber@", True)):
            files = unit_files(load_config(config), Place("system", config, 252, frozenset()))
            unit = Path(name) / f"emostream-{worker}.service"
            unit.write_text(files[unit.name])
            under = (sys.executable, "-m", "tests.chaos.sandbox", str(unit))
            yield goes_on(f"system calls and memory as in `{unit.name}`", under, words=words)


def main() -> None:
    """Restrict this process as the unit file says, and become the command."""
    unit, *command = sys.argv[1:]
    text = Path(unit).read_text()
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if "\nMemoryDenyWriteExecute=yes\n" in text:
        _check(libc.prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0), "memory")
    _forbid(_group("@known") - _allowed(re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE)))
    os.execvp(command[0], command)


def _allowed(filters: list[str]) -> set[str]:
    calls: set[str] = set()
    for each in filters:
        named = {call for name in each.removeprefix("~").split() for call in _group(name)}
        calls = calls - named if each.startswith("~") else calls | named
    return calls


def _group(name: str) -> set[str]:
    """Return the system calls of one of systemd's groups, or the one that `name` is."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    members = [line.strip() for line in listed.splitlines()[1:]]
    return {call for member in members if member and member[0] != "#" for call in _group(member)}


def _forbid(calls: set[str]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ALLOW))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            _check(seccomp.seccomp_rule_add(context, ctypes.c_uint32(_ERRNO_EPERM), number, 0), call)
    _check(seccomp.seccomp_load(context), "system calls")


def _check(status: int, what: str) -> None:
    if status != 0:
        sys.exit(f"{what}: this kernel cannot restrict that")


if __name__ == "__main__":
    main()
