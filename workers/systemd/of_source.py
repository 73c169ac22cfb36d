"""What the worker of one source may use beyond others of its kind: an address on the network, a file."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from stream.config import Source
from stream.errors import UserError
from workers.systemd.places import in_home


class UnitError(UserError):
    """Units that cannot be written, put in place, or taken away."""


def of_source(worker: str, source: Source, *, system: bool) -> list[str]:
    """Return the settings that the unit of `worker` for `source` has on top, none where it needs none.

    Raises:
        UnitError: the address of its camera, or of the other host, is not known.
    """
    if worker == "camera" and source.camera is not None:
        host = urlsplit(str(source.camera.device)).hostname
        no_devices = ["PrivateDevices=yes", "DeviceAllow="]
        return [*no_devices, *_one_host(host, source.name, "camera.device")] if host else []
    if worker == "remote" and source.remote is not None:
        host = urlsplit(source.remote.endpoint).hostname
        return _one_host(host, source.name, "remote.endpoint") if host else []
    if worker == "media" and source.file is not None and system and in_home(source.file.path):
        return ["ProtectHome=tmpfs", f"BindReadOnlyPaths={source.file.path.absolute()}"]
    return []


def _one_host(host: str, source: str, option: str) -> list[str]:
    """Return the settings that let a worker speak to `host` and nobody else."""
    return [
        "PrivateNetwork=no",
        "RestrictAddressFamilies=AF_INET AF_INET6",
        *(f"IPAddressAllow={address}" for address in _addresses(host, f"sources: {source}: {option}")),
    ]


def _addresses(host: str, where: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise UnitError(
            f"{where}: {host} has no known address ({error.strerror}), and its worker may speak to that "
            "alone; give the address as a number"
        ) from error
    return [*sorted(found), "localhost"]  # where systemd-resolved answers
