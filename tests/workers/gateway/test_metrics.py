"""The metrics say what the health message says, in a form that Prometheus' own parser reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from stream.public import WorkerHealth
from tests.workers.public_messages import health_message
from workers.latencies import BOUNDS_MS, StageLatencies

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-dashboard.json"


def snapshot():
    stages = StageLatencies()
    for ms in (0.4, 30.0, 40.0, 9000.0):
        stages.observe("score", ms)
    worker = WorkerHealth(
        worker="face", source="desk", state="running", detail="", pid=7, cpu=0.25, rss_mb=170.5,
        counters={"faces": 3}, restarts=2, restart_cause="killed by SIGKILL",
    )  # fmt: skip
    message = health_message(workers=(worker,))
    return msgspec.structs.replace(message, backend="onnxruntime", latency=stages.summary())


def read(client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = client.get("/metrics").text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name, **labels):
    return (name, frozenset(labels.items()))


def test_metrics_are_those_of_the_health_message(client):
    client.feed(snapshot())
    values = read(client)
    face = {"worker": "face", "source": "desk"}
    assert values[key("emostream_up")] == 1
    assert values[key("emostream_worker_restarts_total", **face)] == 2
    assert values[key("emostream_worker_memory_bytes", **face)] == 170.5e6
    assert values[key("emostream_worker_cpu_cores", **face)] == 0.25
    assert values[key("emostream_worker_events_total", **face, event="faces")] == 3
    assert values[key("emostream_topic_rate_hertz", topic="face", source="desk")] == 24.8
    assert values[key("emostream_topic_dropped_total", topic="frame", source="desk")] == 4
    backends = {dict(labels).get("backend") for name, labels in values if name == "emostream_daemon_info"}
    assert backends == {"onnxruntime"}


def test_latencies_are_histograms_in_seconds(client):
    client.feed(snapshot())
    values = read(client)
    buckets = {
        float(dict(labels)["le"]): value
        for (name, labels), value in values.items()
        if name == "emostream_latency_seconds_bucket"
    }
    assert buckets == {**{b / 1000: 1 + 2 * (b >= 50) for b in BOUNDS_MS}, float("inf"): 4} | {0.025: 1}
    assert values[key("emostream_latency_seconds_sum", stage="score")] == 9.0704


def test_a_silent_daemon_is_down_and_nothing_stale_is_told(client):
    values = read(client)
    assert values[key("emostream_up")] == 0
    assert not any(name.startswith("emostream_worker") for name, _ in values)


def test_viewers_are_counted(client):
    client.feed(health_message())
    with client.watch() as socket:
        socket.receive_json()
        assert read(client)[key("emostream_gateway_viewers")] == 1
    assert read(client)[key("emostream_gateway_viewers_served_total")] == 1


def test_the_dashboard_asks_for_metrics_that_there_are(client):
    client.feed(snapshot())
    given = {name for name, _ in read(client)}
    asked = {
        name
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
        for name in re.findall(r"emostream_\w+", target["expr"])
    }
    assert asked
    assert asked <= given
