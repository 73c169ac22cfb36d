"""An outlet's subscription to the public stream of its own daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stream.client import NoMessageError, Subscription, subscribe
from stream.config import Config
from stream.keys import DAEMON, key_file, read_pair
from stream.public import PublicMessage
from workers.runtime import Worker

_POLL_S = 0.2


def subscribe_to_own(
    config: Config, *kinds: type[PublicMessage], timeout_s: float | None = None
) -> Subscription[Any]:
    """Subscribe to what this daemon publishes; a stream that admits by keys admits the daemon's own.

    Raises:
        KeyFileError: the daemon's keys cannot be used.
    """
    endpoint = re.sub(r"^tcp://(0\.0\.0\.0|\*):", "tcp://127.0.0.1:", config.stream.endpoint)
    endpoint = endpoint.replace("tcp://[::]:", "tcp://[::1]:")
    if not config.stream.curve:
        return subscribe(*kinds, endpoint=endpoint, timeout_s=timeout_s)
    pair = key_file(config.keys_folder, DAEMON)
    server_key = read_pair(pair).public
    return subscribe(*kinds, endpoint=endpoint, timeout_s=timeout_s, key=pair, server_key=server_key)


def own_messages(worker: Worker, *kinds: type[PublicMessage]) -> Iterator[PublicMessage | None]:
    """Yield what this daemon publishes, `None` when nothing has come for a moment, until the worker stops.

    Raises:
        KeyFileError: the daemon's keys cannot be used.
    """
    with subscribe_to_own(worker.config, *kinds, timeout_s=_POLL_S) as messages:
        while not worker.stop.is_set():
            worker.heartbeat()
            worker.counters["missed"] = messages.missed
            try:
                yield next(messages)
            except NoMessageError:
                yield None
