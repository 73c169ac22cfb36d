"""The MQTT worker and a real broker: scores, states, Home Assistant's discovery, and the last will."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from pydantic import ValidationError

from stream.config import MqttSection
from tests.workers.mosquitto import Listener, Mosquitto, mosquitto_program
from tests.workers.outlet import RunningOutlet, running_outlet
from tests.workers.public_messages import EKMAN, emotion_message, evidence, health_message

STATUS, STATE = "emostream/emostream/status", "emostream/emostream/desk/state"
SCORES = "emostream/emostream/desk/scores"
NODE = "homeassistant/sensor/emostream_emostream_desk"
NOTHING = emotion_message(given=evidence(face=False, voice=False, text=False))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed (package mosquitto)")
    broker = Mosquitto(tmp_path_factory.mktemp("broker"), "allow_anonymous true")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    listener = Listener(broker.port)
    yield listener
    listener.close()


@pytest.fixture(scope="module")
def running(broker: Mosquitto, make_short_folder: Callable[[], Path]) -> Iterator[RunningOutlet]:
    settings = {"enabled": True, "port": broker.port, "every_s": 0}
    with running_outlet("mqtt", make_short_folder(), mqtt=settings) as outlet:
        yield outlet


@pytest.fixture
def outlet(running: RunningOutlet) -> RunningOutlet:
    """Give the worker of all tests that leave it running, with a face that shows joy."""
    running.say([health_message(), emotion_message()])
    return running


def scores(listener: Listener) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(listener.newest.get(SCORES, b"{}"))
    return found


def sensors(listener: Listener) -> dict[str, dict[str, Any]]:
    """Return the sensors that Home Assistant would have, by name."""
    found = [json.loads(c) for t, c in listener.newest.items() if t.startswith(NODE) and c]
    return {sensor["name"]: sensor for sensor in found}


def rendered(template: str, listener: Listener) -> str:
    """Return what Home Assistant makes of a value template."""
    return jinja2.Environment(autoescape=False).from_string(template).render(value_json=scores(listener))


def test_scores_and_states_are_published(
    outlet: RunningOutlet, listener: Listener, broker: Mosquitto
) -> None:
    outlet.wait_until(lambda: {SCORES, STATE, STATUS} <= set(listener.newest))
    assert scores(listener)["nearest"] == "joy"
    assert scores(listener)["emotions"]["joy"] == {"probability": 0.72, "distance": 0.64}
    assert listener.newest[STATUS] == b"online"
    late = Listener(broker.port)
    outlet.wait_until(lambda: {STATUS, STATE} <= late.retained)
    late.close()
    assert SCORES not in late.retained, "what somebody felt is not kept"


def test_home_assistant_finds_a_sensor_for_each_emotion(outlet: RunningOutlet, listener: Listener) -> None:
    outlet.wait_until(lambda: len(sensors(listener)) == len(EKMAN) and SCORES in listener.newest)
    joy = sensors(listener)["joy"]
    assert (joy["state_topic"], joy["unit_of_measurement"]) == (SCORES, "%")
    assert joy["availability"][0]["topic"] == STATUS
    assert len({sensor["unique_id"] for sensor in sensors(listener).values()}) == len(EKMAN)
    assert {sensor["device"]["name"] for sensor in sensors(listener).values()} == {"emostream desk"}
    assert rendered(joy["value_template"], listener) == "72.0"
    assert rendered(joy["availability"][1]["value_template"], listener) == "online"
    outlet.say([health_message(), NOTHING])
    outlet.wait_until(lambda: scores(listener)["emotions"] == {})
    assert rendered(joy["availability"][1]["value_template"], listener) == "offline", "no evidence is no zero"


def test_sensors_follow_the_vocabulary_also_after_a_restart(
    outlet: RunningOutlet, listener: Listener
) -> None:
    listener.publish(f"{NODE}/from_before/config", b'{"name": "from before"}')
    outlet.wait_until(lambda: len(sensors(listener)) == len(EKMAN))
    words = {"joy": 0.5, 'so-called "fun"': 0.4}
    outlet.say([emotion_message(smoothed=words, vocabulary="mine@0000")])
    outlet.wait_until(lambda: set(sensors(listener)) == set(words))
    quoted = sensors(listener)['so-called "fun"']
    outlet.wait_until(
        lambda: SCORES in listener.newest and rendered(quoted["value_template"], listener) == "40.0"
    )


def test_a_broker_that_goes_away_is_awaited(
    outlet: RunningOutlet, listener: Listener, broker: Mosquitto
) -> None:
    outlet.wait_until(lambda: SCORES in listener.newest)
    broker.kill()
    outlet.wait_until(lambda: "127.0.0.1:" in outlet.log and "trying again" in outlet.log)
    broker.start()
    again = Listener(broker.port)
    outlet.wait_until(
        lambda: {STATUS, STATE, SCORES} <= set(again.newest) and len(sensors(again)) == len(EKMAN)
    )
    again.close()


def test_when_it_is_stopped_it_says_so_itself(outlet: RunningOutlet, listener: Listener) -> None:
    outlet.wait_until(lambda: listener.newest.get(STATUS) == b"online")
    outlet.process.terminate()
    assert outlet.process.wait(60) == 0, outlet.log
    outlet.wait_until(lambda: listener.newest[STATUS] == b"offline")


def test_when_it_crashes_its_last_will_says_so(
    broker: Mosquitto, listener: Listener, short_folder: Path
) -> None:
    with running_outlet("mqtt", short_folder, mqtt={"enabled": True, "port": broker.port}) as outlet:
        outlet.wait_until(lambda: listener.newest.get(STATUS) == b"online")
        outlet.kill()
        outlet.wait_until(lambda: listener.newest[STATUS] == b"offline")


def test_a_broker_that_asks_for_a_password_gets_it(short_folder: Path, tmp_path: Path) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed (package mosquitto)")
    passwords, password = tmp_path / "passwords", short_folder / "password"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), "me", "let me in"], check=True)
    password.write_text("let me in\n")
    password.chmod(0o600)
    broker = Mosquitto(tmp_path, "user root", "allow_anonymous false", f"password_file {passwords}")
    broker.start()
    settings = {"enabled": True, "port": broker.port, "username": "me", "password_file": "password"}
    listener = Listener(broker.port, username="me", password="let me in")
    try:
        with running_outlet("mqtt", short_folder, mqtt=settings) as outlet:
            outlet.say([emotion_message()])
            outlet.wait_until(lambda: SCORES in listener.newest)
            assert "let me in" not in outlet.log
    finally:
        listener.close()
        broker.kill()


def test_another_host_demands_tls_or_consent() -> None:
    with pytest.raises(ValidationError, match="demands `tls: true`"):
        MqttSection(host="broker.lan")
    assert MqttSection(host="broker.lan", tls=True).tls
    assert MqttSection(host="broker.lan", allow_plain=True).allow_plain
