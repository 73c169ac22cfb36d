"""Two hosts on one machine: network namespaces joined by a cable (veth(4)), with nothing else in them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

NEAR, FAR = "10.213.77.1", "10.213.77.2"


@dataclass
class Namespace:
    """One host; the process keeps it alive."""

    address: str
    keeper: subprocess.Popen[bytes]

    @property
    def under(self) -> tuple[str, ...]:
        """The command that runs another on this host."""
        return ("nsenter", f"--net=/proc/{self.keeper.pid}/ns/net")


class TwoHosts:
    """The two hosts; `close` ends them."""

    def __init__(self) -> None:
        """Make and join them.

        Raises:
            OSError: this machine or this user cannot; the text says why.
        """
        if missing := [name for name in ("ip", "unshare", "nsenter") if shutil.which(name) is None]:
            raise OSError(f"{', '.join(missing)} not installed")
        self._keepers: list[subprocess.Popen[bytes]] = []
        try:
            self.near, self.far = self._make(NEAR), self._make(FAR)
            self._ip(self.near, "link add cable type veth peer name cable netns", str(self.far.keeper.pid))
            for host in (self.near, self.far):
                self._ip(host, f"addr add {host.address}/24 dev cable")
                self._ip(host, "link set cable up")
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """End both; the cable goes with them."""
        for keeper in self._keepers:
            keeper.kill()
            keeper.wait()
            assert keeper.stdout is not None
            keeper.stdout.close()

    def _make(self, address: str) -> Namespace:
        command = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"]
        keeper = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._keepers.append(keeper)
        assert keeper.stdout is not None
        if not keeper.stdout.readline():
            raise OSError("this user may not make network namespaces")
        return Namespace(address, keeper)

    @staticmethod
    def _ip(host: Namespace, command: str, *rest: str) -> None:
        done = subprocess.run(
            [*host.under, "ip", *command.split(), *rest], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(f"ip {command}: {done.stderr.strip()}")
