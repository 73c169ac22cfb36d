"""The one clock: monotonic at capture; a media file brings its own, `start + pts`."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

from stream.windows import NS_PER_S, seconds_to_ns


def now_ns() -> int:
    """Return the capture clock, `time.monotonic_ns()`."""
    return time.monotonic_ns()


def wall_time(time_ns: int) -> str:
    """Return the UTC wall time of a moment on the capture clock, ISO 8601 with milliseconds."""
    elapsed_s = (now_ns() - time_ns) / NS_PER_S
    moment = datetime.fromtimestamp(time.time() - elapsed_s, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class MediaClock:
    """Places the timestamps of a media file on the capture clock.

    The file starts where a window could end, so that windows end at the same media times in every run.
    """

    def __init__(self, *, hop_s: float, lead_s: float = 0.0) -> None:
        hop_ns = seconds_to_ns(hop_s)
        earliest_ns = now_ns() + seconds_to_ns(lead_s)
        self.start_ns = -(-earliest_ns // hop_ns) * hop_ns

    def at(self, pts_s: float) -> int:
        """Return the capture time of media time `pts_s`."""
        return self.start_ns + seconds_to_ns(pts_s)

    def wait_until(self, time_ns: int, stop: threading.Event) -> None:
        """Sleep until `time_ns`, or until `stop` is set."""
        delay_s = (time_ns - now_ns()) / NS_PER_S
        if delay_s > 0:
            stop.wait(delay_s)
