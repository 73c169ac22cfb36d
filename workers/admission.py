"""Who may connect from elsewhere: the keys a configuration needs, and the allow list while it is in use."""

from __future__ import annotations

from stream.config import Config
from stream.guarded_publisher import GuardedPublisher
from stream.keys import ALLOWED, DAEMON, key_file, read_allowed, read_pair
from workers.runtime import Worker


def check_keys(config: Config) -> None:
    """Refuse a configuration that admits clients by keys that cannot be used.

    Raises:
        KeyFileError: the daemon's pair or the allow list is missing, malformed, or open to others.
    """
    admits = config.stream.curve or config.features.endpoint is not None
    if admits or any(source.remote is not None for source in config.sources):
        read_pair(key_file(config.keys_folder, DAEMON))
    if admits:
        read_allowed(config.keys_folder / ALLOWED)


def look_after_clients(guarded: GuardedPublisher, worker: Worker) -> None:
    """Follow the allow list, and count who was refused; call it once a second."""
    error = guarded.error
    if guarded.poll():
        worker.log.info("the allow list has changed")
    if guarded.error is not None and guarded.error != error:
        worker.log.error("allow list not changed: %s", guarded.error)
    worker.counters["connections_refused"] = guarded.refused
