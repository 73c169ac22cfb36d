"""Publishes the scores of a daemon as ROS4HRI expressions (REP-155): `python ros2_bridge.py`.

Runs where ROS 2 is, with `rclpy` and the package `hri_msgs`; ../ros2.md says what becomes of what. The daemon
needs `vocabulary: ros4hri`, whose words are those of hri_msgs/Expression.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

from stream import EmotionMessage, subscribe
from stream.client import DEFAULT_ENDPOINT


def expression_fields(message: EmotionMessage, least: float) -> dict[str, Any] | None:
    """Return what an hri_msgs/Expression is to hold; `None` where there was no evidence.

    Args:
        message: one scored window.
        least: below this probability nothing is claimed, and `expression` is empty.
    """
    if not message.emotions:
        return None
    top = max(message.emotions, key=lambda score: score.smoothed)
    return {
        "expression": top.name if top.smoothed >= least else "",
        "confidence": top.smoothed,
        # Not measured: REP-155 wants -1..1, and NaN is in no danger of being taken for a value.
        "valence": math.nan,
        "arousal": math.nan,
    }


def main() -> None:
    """Publish until ROS or the user stops it."""
    # Where ROS is not, what is above can still be used.
    import rclpy  # noqa: PLC0415
    from hri_msgs.msg import Expression, IdsList  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--endpoint", default=DEFAULT_ENDPOINT)
    parser.add_argument("--least", type=float, default=0.3, help="least probability of an expression")
    arguments = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node("emostream_bridge")
    tracked = node.create_publisher(IdsList, "/humans/faces/tracked", 1)
    publishers: dict[str, Any] = {}
    with subscribe(endpoint=arguments.endpoint) as messages:
        for message in messages:
            if not rclpy.ok():
                break
            if message.source not in publishers:
                face = message.source.replace("-", "_")
                topic = f"/humans/faces/{face}/expression"
                publishers[message.source] = node.create_publisher(Expression, topic, 10)
            fields = expression_fields(message, arguments.least)
            stamp = node.get_clock().now().to_msg()
            seen = IdsList(ids=[name.replace("-", "_") for name in publishers] if fields else [])
            seen.header.stamp = stamp
            tracked.publish(seen)
            if fields is not None:
                expression = Expression(**fields)
                expression.header.stamp = stamp
                publishers[message.source].publish(expression)
    node.destroy_node()


if __name__ == "__main__":
    main()
