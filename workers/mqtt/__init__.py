"""MQTT worker: scores and states for a broker, and Home Assistant's discovery of them."""

from __future__ import annotations

import time

from stream.public import EmotionMessage, HealthMessage
from workers.mqtt.broker import Broker
from workers.mqtt.discovery import Discovery
from workers.mqtt.topics import Topics, scores_payload
from workers.own_stream import own_messages
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Publish until the daemon ends; a broker that is away is awaited.

    Raises:
        UserError: the password or the certificate cannot be used.
    """
    section = worker.config.mqtt
    topics = Topics(section.prefix, worker.config.name)
    broker = Broker(section, topics.status)
    discovery = Discovery(section, topics, broker) if section.discovery else None
    worker.subscribe()
    due_s: dict[str, float] = {}
    try:
        for message in own_messages(worker, EmotionMessage, HealthMessage):
            _say(worker, broker)
            if isinstance(message, HealthMessage):
                for source in message.sources:
                    broker.publish(topics.state(source.source), source.state, retain=True)
            elif isinstance(message, EmotionMessage):
                now_s = time.monotonic()
                if discovery is not None:
                    discovery.see(message)
                if now_s >= due_s.get(message.source, 0.0):
                    due_s[message.source] = now_s + section.every_s
                    # Not retained: what somebody felt is not to be read after the daemon has ended.
                    broker.publish(topics.scores(message.source), scores_payload(message))
    finally:
        broker.close()


def _say(worker: Worker, broker: Broker) -> None:
    worker.counters["published"] = broker.published
    worker.counters["dropped"] = broker.dropped
    if broker.problem:
        worker.state("lost", broker.problem)
    else:
        worker.state("running", broker.address)
