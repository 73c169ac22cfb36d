"""Takes the network away from a worker that has no use for it: namespaces(7), user_namespaces(7).

Faces and voices must not leave the host even if a library below would send something home. The bus goes on
working: its sockets are files.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


def leave_network() -> str | None:
    """Move this process, before it starts any thread, to a network namespace with nothing in it.

    Returns:
        Why that was not possible, or `None` when it is done.
    """
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return None
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        if _has_loopback_only():
            return (
                None  # who started this process has taken the network, and the right to do so, away already
            )
        return f"the kernel does not allow it: {os.strerror(ctypes.get_errno())}"
    try:
        # The new namespace knows no users; this one keeps its number in it.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError as error:
        return f"its user could not be kept: {error.strerror}"
    return None


def _has_loopback_only() -> bool:
    try:
        _, _, *interfaces = Path("/proc/self/net/dev").read_text().splitlines()
    except OSError:
        return False
    return {line.partition(":")[0].strip() for line in interfaces} <= {"lo"}
