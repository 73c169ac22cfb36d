"""What programs get over HTTP: messages as they come, scores of the last minutes, health, configuration."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from openapi_spec_validator import validate

from stream.public import EmotionMessage, HealthMessage
from tests.workers.public_messages import HOP_NS, emotion_message, health_message, transcript_message
from workers.gateway.openapi import ENDPOINTS
from workers.gateway.viewers import Viewers, Wanted


def test_health_is_the_newest_health_message(client):
    assert client.get("/api/health").status_code == 503
    client.feed(health_message(0), health_message(7))
    answer = client.get("/api/health")
    assert msgspec.json.decode(answer.content, type=HealthMessage) == health_message(7)


def test_a_daemon_that_fell_silent_does_not_answer(client, monkeypatch):
    client.feed(health_message())
    monkeypatch.setattr("workers.gateway.state.SILENT_S", 0.0)
    assert client.get("/api/health").json() == {"error": "the daemon does not answer"}


def test_scores_are_whole_messages_since_a_moment(client):
    messages = [emotion_message(seq) for seq in range(50)]
    client.feed(*messages, emotion_message(49, source="door"))
    answer = client.get("/api/scores", params={"since": messages[39].time_ns, "source": "desk"})
    assert msgspec.convert(answer.json()["scores"], list[EmotionMessage]) == messages[40:]
    assert len(client.get("/api/scores").json()["scores"]) == 51
    assert [m["seq"] for m in client.get("/api/scores", params={"limit": 3}).json()["scores"]] == [0, 1, 2]


def test_scores_are_kept_for_ten_minutes(client):
    client.feed(emotion_message(0), emotion_message(10), emotion_message(10 + 600 * 10))
    kept = [message["seq"] for message in client.get("/api/scores").json()["scores"]]
    assert kept == [10, 6010]
    assert 600 * 10 * HOP_NS == 600 * 1_000_000_000


@pytest.mark.parametrize("query", ["since=yesterday", "limit=0", "limit=many"])
def test_a_malformed_question_is_told_what_would_do(client, query):
    answer = client.get(f"/api/scores?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(query)


def test_the_websocket_gives_what_is_wanted_as_it_comes(client):
    client.feed(health_message(3))
    with client.watch("?source=desk") as socket:
        assert socket.receive_json()["message"]["seq"] == 3, "how the daemon is comes first"
        client.feed(emotion_message(1, source="door"), emotion_message(1), transcript_message("good day"))
        received = [socket.receive_json() for _ in range(2)]
    assert [each["topic"] for each in received] == ["emotion.desk", "transcript.desk"]
    assert msgspec.convert(received[0]["message"], EmotionMessage) == emotion_message(1)


def test_an_unknown_kind_is_refused_on_every_stream(client):
    assert client.get("/api/events?kinds=frame").json()["error"].startswith("kinds=frame")


def test_server_sent_events_carry_the_same_envelopes(served):
    served.feed([health_message(5)])
    with served.stream("api/events?kinds=health,emotion") as lines:
        next(line for line in lines if '"seq":5' in line)
        served.feed([emotion_message(9)])
        event = next(line for line in lines if "emotion.desk" in line)
    envelope = json.loads(event.removeprefix("data: "))
    assert msgspec.convert(envelope["message"], EmotionMessage) == emotion_message(9)


def test_a_slow_viewer_gets_the_newest_and_its_drops_are_counted():
    async def scenario() -> list[str]:
        with viewers.watching(Wanted()) as viewer:
            for seq in range(5):
                viewers.publish("emotion", "desk", f"desk {seq}", key="emotion.desk")
                viewers.publish(
                    "transcript", "desk", f"words {seq}", key="transcript.desk.0", supersedes=True
                )
            viewers.publish("emotion", "door", "door", key="emotion.door")
            return await viewer.take()

    viewers = Viewers()
    assert asyncio.run(scenario()) == ["desk 4", "words 4", "door"]
    assert viewers.dropped == 4, "words that are void by now are no loss"
    assert len(viewers) == 0


def test_the_configuration_holds_nothing_secret(client):
    config = client.get("/api/config").json()
    assert config["sources"][0]["camera"]["device"] == "rtsp://camera/1"
    assert config["vocabulary"].endswith("words.yaml")
    text = json.dumps(config)
    assert "secret" not in text
    assert "token" not in text
    assert "tls_" not in text


def test_the_openapi_document_is_valid_and_names_every_endpoint(client):
    document = client.get("/api/openapi.json").json()
    validate(document)
    named = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert named == {(each.path, each.method.replace("WEBSOCKET", "GET")) for each in ENDPOINTS}


def test_the_page_and_its_parts_are_served(client):
    assert client.get("/").text.startswith("<!doctype html>")
    for name in ("app.js", "style.css", "vendor/uplot/uPlot.esm.js", "vendor/uplot/LICENSE"):
        assert client.get(f"/static/{name}").status_code == 200, name
    assert client.get("/static/../app.py").status_code == 404
