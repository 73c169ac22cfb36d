"""The daemon's health, and the gateway's own, as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stream.public import HealthMessage, StageLatency
from workers.gateway.state import Gateway

_PROCESS = ("worker", "source")
_TOPIC = ("topic", "source")


def exposition(gateway: Gateway) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(gateway))
    return generate_latest(registry)


class _Snapshot(Collector):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        health, viewers = self._gateway.health, self._gateway.viewers
        yield GaugeMetricFamily("emostream_up", "Whether the daemon answers.", float(health is not None))
        yield GaugeMetricFamily("emostream_gateway_viewers", "Viewers that watch now.", len(viewers))
        yield CounterMetricFamily(
            "emostream_gateway_viewers_served", "Viewers that ever came.", viewers.served
        )
        yield CounterMetricFamily(
            "emostream_gateway_viewer_dropped",
            "Messages that gave way to newer ones before a slow viewer took them.",
            viewers.dropped,
        )
        if health is not None:
            yield from _of_daemon(health)
            yield from _of_workers(health)
            yield from _of_topics(health)
            yield _of_stages(health.latency)


def _of_daemon(health: HealthMessage) -> Iterator[Metric]:
    facts = {
        "name": health.name,
        "version": health.version,
        "backend": health.backend,
        "vocabulary": health.vocabulary,
    }
    yield InfoMetricFamily("emostream_daemon", "What runs.", facts)
    yield GaugeMetricFamily(
        "emostream_degraded", "Whether scores come from a fallback.", float(health.degraded is not None)
    )
    yield GaugeMetricFamily(
        "emostream_vocabulary_refused",
        "Whether the vocabulary's file as it is now cannot be used.",
        float(health.vocabulary_error is not None),
    )
    yield _family(
        GaugeMetricFamily("emostream_source_running", "Whether a source runs.", labels=["source"]),
        (([each.source], each.state == "running") for each in health.sources),
    )


def _of_workers(health: HealthMessage) -> Iterator[Metric]:
    workers = [([each.worker, each.source], each) for each in health.workers]
    yield _family(
        GaugeMetricFamily("emostream_worker_ok", "Whether a worker does its work.", labels=_PROCESS),
        ((labels, each.state in ("ready", "running", "ended")) for labels, each in workers),
    )
    yield _family(
        CounterMetricFamily(
            "emostream_worker_restarts", "Times a worker was started again.", labels=_PROCESS
        ),
        ((labels, each.restarts) for labels, each in workers),
    )
    yield _family(
        GaugeMetricFamily("emostream_worker_memory_bytes", "Resident memory of a worker.", labels=_PROCESS),
        ((labels, each.rss_mb * 1e6) for labels, each in workers),
    )
    yield _family(
        GaugeMetricFamily("emostream_worker_cpu_cores", "CPU cores a worker uses.", labels=_PROCESS),
        ((labels, each.cpu) for labels, each in workers),
    )
    yield _family(
        CounterMetricFamily(
            "emostream_worker_events", "What a worker counts itself, by name.", labels=[*_PROCESS, "event"]
        ),
        (([*labels, name], count) for labels, each in workers for name, count in each.counters.items()),
    )


def _of_topics(health: HealthMessage) -> Iterator[Metric]:
    topics = [([each.topic, each.source], each) for each in health.topics]
    yield _family(
        GaugeMetricFamily("emostream_topic_rate_hertz", "Messages a second now.", labels=_TOPIC),
        ((labels, each.rate_hz) for labels, each in topics),
    )
    yield _family(
        GaugeMetricFamily("emostream_topic_expected_hertz", "Messages a second expected.", labels=_TOPIC),
        ((labels, each.expected_hz) for labels, each in topics),
    )
    yield _family(
        GaugeMetricFamily("emostream_topic_alive", "Whether messages come.", labels=_TOPIC),
        ((labels, each.alive) for labels, each in topics),
    )
    yield _family(
        CounterMetricFamily("emostream_topic_received", "Messages received by all readers.", labels=_TOPIC),
        ((labels, each.received) for labels, each in topics),
    )
    yield _family(
        CounterMetricFamily("emostream_topic_dropped", "Messages lost or skipped.", labels=_TOPIC),
        ((labels, each.dropped) for labels, each in topics),
    )


def _of_stages(stages: Sequence[StageLatency]) -> Metric:
    family = HistogramMetricFamily(
        "emostream_latency_seconds",
        "face, voice, text: capture to features; window: its end to its score; inference: the model; "
        "score: capture of the newest evidence to the score.",
        labels=["stage"],
    )
    for each in stages:
        buckets = [
            (str(bound / 1000), float(count))
            for bound, count in zip(each.bounds_ms, each.counts, strict=True)
        ]
        family.add_metric([each.stage], [*buckets, ("+Inf", float(each.count))], each.sum_ms / 1000)
    return family


def _family(
    family: GaugeMetricFamily | CounterMetricFamily, samples: Iterator[tuple[list[str], float]]
) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
