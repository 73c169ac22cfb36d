"""Plays a media file: publishes its frames and its audio on the file's own timestamps."""

from __future__ import annotations

import contextlib

from models.media_messages import MediaMessages
from stream.clock import MediaClock, now_ns
from stream.windows import NS_PER_S
from workers.read_ahead import read_ahead
from workers.runtime import Worker

_LEAD_S = 0.2
# A second or so of a usual file: decoding one large picture must not delay the audio due meanwhile.
_READ_AHEAD_ITEMS = 48
_HEARTBEAT_NS = NS_PER_S // 4


def main(worker: Worker) -> None:
    """Play the file of `worker.source` once.

    At `pace: realtime` a frame goes out at its own time and a chunk of audio when it ends; at `lossless` as
    fast as the readers take them. Each topic ends when its stream does, which may be long before the other.

    Raises:
        MediaError: The file cannot be read, or breaks off; what came before it has been published.
    """
    assert worker.source.file is not None
    media = MediaMessages(worker.source.file.path, worker.source.name)
    worker.wait_for_readers()
    clock = MediaClock(hop_s=worker.config.window.hop_s, lead_s=_LEAD_S)
    worker.state("running", worker.source.file.path.name)
    with contextlib.closing(read_ahead(media.read(clock.at), _READ_AHEAD_ITEMS)) as ahead:
        for topic, message in ahead:
            if worker.config.pace == "realtime":
                _wait_until(message.time_ns, clock, worker)
            if worker.stop.is_set():
                return
            worker.heartbeat()
            worker.publish(topic, message)
            worker.counters["packets_corrupt"] = media.damaged
    if media.error is not None:
        raise media.error


def _wait_until(time_ns: int, clock: MediaClock, worker: Worker) -> None:
    while now_ns() < time_ns and not worker.stop.is_set():
        worker.heartbeat()
        clock.wait_until(min(time_ns, now_ns() + _HEARTBEAT_NS), worker.stop)
