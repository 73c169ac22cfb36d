"""What each kind of worker may use of the machine, one row a worker of `workers.table`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Access:
    """One row of the table."""

    worker: str
    memory: str
    """`MemoryMax`: several times what the worker takes, so that only a leak comes near it."""
    devices: tuple[str, ...] = ()
    """`DeviceAllow`, for reading and writing."""
    groups: tuple[str, ...] = ()
    """The groups those devices belong to, as far as this machine has them."""
    publishes: Literal["stream", "features"] | None = None
    """The section of the configuration whose `endpoint` it binds; others have a network with nobody in it."""
    writes_cache: bool = False
    compiles: bool = False
    """Whether its libraries write machine code while they run, as Whisper's do, and CUDA's may."""
    long_steps: bool = False
    """Whether one step of its work can take long on a slow machine, as Whisper's utterances do."""


# What NVIDIA's drivers call themselves in /proc/devices, on a workstation and on a Jetson.
_GPU = ("char-nvidia*", "char-nvhost*", "char-nvmap*", "char-nvgpu*")

ACCESS = {
    row.worker: row
    for row in (
        Access("gateway", "2G"),
        Access("mqtt", "1G"),
        Access("lsl", "1G"),
        Access(
            "inference", "6G", _GPU, ("video", "render"), publishes="stream", writes_cache=True, compiles=True
        ),
        Access("relay", "1G", publishes="features"),
        Access("text", "2G"),
        Access("transcriber", "8G", compiles=True, long_steps=True),
        Access("voice", "1G"),
        Access("face", "3G"),
        Access("remote", "1G"),
        Access("media", "2G"),
        Access("camera", "1G", ("char-video4linux",), ("video",)),
        Access("microphone", "1G", ("char-alsa",), ("audio",)),
    )
}
