"""Colours a desk lamp after the nearest emotion, over MQTT; the lamp is one that Zigbee2MQTT knows.

    python examples/mood_lamp.py --source desk --lamp zigbee2mqtt/desk_lamp

The daemon needs `mqtt: {enabled: true}`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

COLOURS = {
    "joy": "#ffc23c",
    "sadness": "#3c6eff",
    "anger": "#ff3b2f",
    "fear": "#9a5bff",
    "disgust": "#3fae49",
    "surprise": "#ff8a1e",
}
WHITE = "#ffe6cc"


def main() -> None:
    """Follow the mood until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--broker", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--daemon", default="emostream")
    parser.add_argument("--source", default="desk")
    parser.add_argument("--lamp", default="zigbee2mqtt/desk_lamp")
    arguments = parser.parse_args()
    shown = ""

    def follow(client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        nonlocal shown
        scores = json.loads(message.payload)
        colour = COLOURS.get(scores["nearest"], WHITE)
        if colour != shown:
            shown = colour
            # As bright as the emotion is probable, and never quite dark.
            probability = scores["emotions"].get(scores["nearest"], {}).get("probability", 0.0)
            order = {"color": {"hex": colour}, "brightness": round(60 + 194 * probability), "transition": 2}
            client.publish(f"{arguments.lamp}/set", json.dumps(order))
            print(scores["nearest"] or "nothing to go by", colour, flush=True)

    lamp = paho.Client(CallbackAPIVersion.VERSION2)
    topic = f"emostream/{arguments.daemon}/{arguments.source}/scores"
    lamp.on_connect = lambda client, *_: client.subscribe(topic)
    lamp.on_message = follow
    lamp.connect(arguments.broker, arguments.port)
    lamp.loop_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
