"""Relay: publishes the features of this host for the inference on another."""

from __future__ import annotations

import contextlib

from stream.clock import now_ns
from stream.feature_link import FeaturePublisher
from stream.messages import WorkerState
from stream.windows import NS_PER_S
from workers.admission import look_after_clients
from workers.runtime import Worker
from workers.table import SUPERVISOR, worker_processes


def main(worker: Worker) -> None:
    """Pass on features, and what the workers here say of themselves, until every source has ended."""
    config = worker.config
    assert config.features.endpoint is not None
    with contextlib.closing(FeaturePublisher(config.features.endpoint, config.keys_folder)) as link:
        worker.subscribe()
        worker.inbox.subscribe("state", [SUPERVISOR, *(process.id for process in worker_processes(config))])
        due_ns = 0
        for received in worker.messages():
            message = received.message
            if isinstance(message, WorkerState):
                link.send("state", message.worker, message)
            else:
                worker.running(config.features.endpoint)
                link.send(received.topic, message.source, message)
            if now_ns() >= due_ns:
                due_ns = now_ns() + NS_PER_S
                look_after_clients(link.guarded, worker)
