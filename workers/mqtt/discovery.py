"""Home Assistant's MQTT discovery: a device for each source, with one sensor for each emotion.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import threading

from stream.config import MqttSection
from stream.public import EmotionMessage
from workers.mqtt.broker import Broker
from workers.mqtt.topics import Topics


class Discovery:
    """Tells Home Assistant of the sensors that there are, and takes back those that there are no more."""

    def __init__(self, section: MqttSection, topics: Topics, broker: Broker) -> None:
        self._prefix = section.discovery_prefix
        self._topics = topics
        self._broker = broker
        self._lock = threading.Lock()
        self._vocabularies: dict[str, str] = {}
        """The version that the sensors of each source are of."""
        self._wanted: dict[str, set[str]] = {}
        """The topics of each node that are in use."""
        self._found: dict[str, set[str]] = {}
        """Those that the broker holds, also from before."""

    def see(self, message: EmotionMessage) -> None:
        """Tell of the emotions of a message if they are others than before."""
        if not message.emotions or self._vocabularies.get(message.source) == message.vocabulary:
            return
        first = message.source not in self._vocabularies
        self._vocabularies[message.source] = message.vocabulary
        node = f"emostream_{self._topics.daemon}_{message.source}"
        sensors = {
            self._topic(node, score.name): self._sensor(message, node, score.name)
            for score in message.emotions
        }
        with self._lock:
            self._wanted[node] = set(sensors)
            old = self._found.get(node, set()) - set(sensors)
        for topic, sensor in sensors.items():
            self._broker.publish(topic, json.dumps(sensor), retain=True)
        for topic in old:
            self._broker.forget(topic)
        if first:
            # What an earlier run left behind is known to the broker alone.
            self._broker.subscribe(f"{self._prefix}/sensor/{node}/+/config", self._retained)

    def _retained(self, topic: str, content: bytes) -> None:
        node = topic.split("/")[-3]
        with self._lock:
            known = self._found.setdefault(node, set())
            if not content:
                known.discard(topic)
                return
            known.add(topic)
            unwanted = topic not in self._wanted.get(node, set())
        if unwanted:
            self._broker.forget(topic)

    def _topic(self, node: str, emotion: str) -> str:
        return f"{self._prefix}/sensor/{node}/{_slug(emotion)}/config"

    def _sensor(self, message: EmotionMessage, node: str, emotion: str) -> dict[str, object]:
        name = json.dumps(emotion)
        scores = self._topics.scores(message.source)
        return {
            "name": emotion,
            "unique_id": f"{node}_{_slug(emotion)}",
            "state_topic": scores,
            "value_template": "{{ (value_json.emotions.get("
            + name
            + ", {}).get('probability', 0) * 100) | round(1) }}",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "icon": "mdi:emoticon-outline",
            # Without evidence there is no score: the sensor is then unavailable, not at 0 %.
            "availability_mode": "all",
            "availability": [
                {"topic": self._topics.status},
                {
                    "topic": scores,
                    "value_template": "{{ 'online' if " + name + " in value_json.emotions else 'offline' }}",
                },
            ],
            "device": {
                "identifiers": [node],
                "name": f"emostream {message.source}",
                "manufacturer": "emostream",
                "model": message.model,
                "sw_version": importlib.metadata.version("emostream"),
            },
            "origin": {"name": "emostream", "sw_version": importlib.metadata.version("emostream")},
        }


def _slug(emotion: str) -> str:
    """Return a name that topics may hold, and that no other emotion gets."""
    plain = re.sub(r"[^a-z0-9]+", "_", emotion.lower()).strip("_")
    if plain == emotion:
        return plain
    return f"{plain[:40]}_{hashlib.sha256(emotion.encode()).hexdigest()[:6]}"
