"""What the ROS 2 bridge makes of messages; the part that needs rclpy is not run here."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest

from stream.config import config_folder
from stream.vocabulary import load_vocabulary
from tests.workers.public_messages import emotion_message, evidence

BRIDGE = Path(__file__).parent.parent / "docs" / "clients" / "ros2_bridge.py"
ALLOWED = {
    "neutral", "angry", "sad", "happy", "surprised", "disgusted", "scared", "pleading", "vulnerable",
    "despaired", "guilty", "disappointed", "embarrassed", "horrified", "skeptical", "annoyed", "furious",
    "suspicious", "rejected", "bored", "tired", "asleep", "confused", "amazed", "excited",
}  # fmt: skip
"""The constants of hri_msgs/Expression."""


@pytest.fixture(scope="module")
def bridge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ros2_bridge", BRIDGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vocabulary_has_the_words_that_robots_know() -> None:
    vocabulary = load_vocabulary(config_folder() / "vocabularies" / "ros4hri.yaml")
    assert {emotion.name for emotion in vocabulary.emotions} == ALLOWED


def test_an_expression_is_the_most_probable_word(bridge: ModuleType) -> None:
    message = emotion_message(smoothed={"happy": 0.2, "amazed": 0.6})
    fields = bridge.expression_fields(message, 0.3)
    assert (fields["expression"], fields["confidence"]) == ("amazed", 0.6)
    assert math.isnan(fields["valence"])
    assert bridge.expression_fields(message, 0.7)["expression"] == ""


def test_no_evidence_is_no_expression(bridge: ModuleType) -> None:
    nothing = emotion_message(given=evidence(face=False, voice=False, text=False))
    assert bridge.expression_fields(nothing, 0.3) is None
