"""What an inference worker leaves to its successor about the device it ran on: in use, or lost.

A file in the daemon's run folder. A worker that dies without a word, as some drivers have it, leaves it
`in_use`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

FIRST_RETRY_S = 10.0
LONGEST_RETRY_S = 600.0
_GOOD_S = 300.0
"""A device that has worked for so long is as good as new."""


class DeviceRecord(msgspec.Struct, kw_only=True):
    """What is known of the device; times are seconds since the epoch."""

    supervisor: int
    """Pid of the daemon; what another one left is of no interest."""
    in_use: str = ""
    """Name of the backend that answers now; empty for the CPU."""
    since: float = 0.0
    """Since when it answers."""
    failures: int = 0
    """In a row."""
    why: str = ""
    """What happened the last time."""
    retry_at: float = 0.0
    """When the device is tried again; 0 if it has not failed."""

    def fail(self, why: str) -> None:
        """Take note of a failure: each in a row doubles the time to the next try."""
        if self.in_use and time.time() - self.since >= _GOOD_S:
            self.failures = 0
        delay_s = min(FIRST_RETRY_S * 2.0**self.failures, LONGEST_RETRY_S)
        self.failures += 1
        self.in_use, self.why, self.retry_at = "", why, time.time() + delay_s

    def serve(self, backend: str) -> None:
        """Take note that `backend` answers from now on; empty for the CPU."""
        self.in_use, self.since, self.retry_at = backend, time.time(), 0.0


class DeviceRecordFile:
    """The file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "device.json"

    def read(self) -> DeviceRecord:
        """Return what the predecessor left; a device in whose use it died has failed."""
        fresh = DeviceRecord(supervisor=os.getppid())
        try:
            record = msgspec.json.decode(self._path.read_bytes(), type=DeviceRecord)
        except (OSError, msgspec.MsgspecError):
            return fresh
        if record.supervisor != fresh.supervisor:
            return fresh
        if record.in_use:
            record.fail(f"the worker died while it ran on {record.in_use}")
        return record

    def write(self, record: DeviceRecord) -> None:
        """Leave `record` to the successor."""
        draft = self._path.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(record))
        draft.replace(self._path)
