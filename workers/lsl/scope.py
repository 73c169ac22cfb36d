"""How far the Lab Streaming Layer may make itself known: by default not beyond this machine."""

from __future__ import annotations

import os

from stream.config import Config

_ENVIRONMENT = "LSLAPICFG"


def limit_scope(config: Config) -> None:
    """Write liblsl's settings and have it read them; call it before `pylsl` is imported.

    Somebody who has settings of their own, in `LSLAPICFG`, knows better.
    """
    if _ENVIRONMENT in os.environ:
        return
    path = config.run_folder / "lsl.cfg"
    lines = ["[multicast]", f"ResolveScope = {config.lsl.scope}"]
    if config.lsl.scope == "machine":
        lines += ["ListenAddress = 127.0.0.1", "[lab]", "KnownPeers = {127.0.0.1}"]
    path.write_text("\n".join([*lines, ""]))
    os.environ[_ENVIRONMENT] = str(path)
