"""Builds engines: a strongly typed network from the bundle's ONNX, one profile a bucket of batch sizes."""

from __future__ import annotations

import importlib.util
import time

from models.backends import BackendError
from models.backends.precision import Precision
from models.backends.providers import profile_shapes
from models.backends.tensorrt.buckets import BUCKETS, MAX_EMOTIONS, USUAL_EMOTIONS
from models.backends.tensorrt.engine_key import EngineKey
from models.backends.tensorrt.engine_store import EngineRecord, save_engine, timing_cache_path
from models.backends.tensorrt.flavour import configure, flavour, network_flags
from models.backends.tensorrt.half_precision import half_precision_graph
from models.backends.tensorrt.library import trt
from models.backends.tensorrt.messages import Messages
from models.backends.tensorrt.progress import ProgressMonitor, Report
from models.bundle import Bundle
from models.cache import writing_cache


def build_engine(bundle: Bundle, key: EngineKey, report: Report) -> EngineRecord:
    """Build the engine of `key` and put it in the cache.

    Args:
        bundle: Whose graph to build; `key` is of it.
        key: Names precision and card.
        report: Told how far it is.

    Raises:
        BackendError: TensorRT cannot build it; the message is TensorRT's own.
        CacheError: The cache cannot be written.
    """
    started = time.monotonic()
    graph = half_precision_graph(bundle) if key.precision == "fp16" else bundle.graph.read_bytes()
    plan = build_plan(graph, bundle, key, report)
    return save_engine(bundle, key, plan, seconds=time.monotonic() - started)


def build_plan(graph: bytes, bundle: Bundle, key: EngineKey, report: Report) -> bytes:
    """Return the serialized engine of an ONNX graph; see `build_engine`."""
    messages = Messages()
    builder = trt.Builder(messages)
    network = builder.create_network(network_flags())
    parser = trt.OnnxParser(network, messages)
    if not parser.parse(graph):
        errors = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise BackendError(f"{bundle.graph}: TensorRT cannot read it: {errors}; use `backend: onnxruntime`")
    config = builder.create_builder_config()
    configure(config, key.card)
    for bucket in BUCKETS:
        profile = builder.create_optimization_profile()
        least = profile_shapes(bundle, bucket.least, 1)
        usual = profile_shapes(bundle, bucket.windows, USUAL_EMOTIONS)
        most = profile_shapes(bundle, bucket.windows, MAX_EMOTIONS)
        for name in usual:
            profile.set_shape(name, *(trt.Dims(list(shapes[name])) for shapes in (least, usual, most)))
        config.add_optimization_profile(profile)
    monitor = ProgressMonitor(report)
    config.progress_monitor = monitor
    _load_timing_cache(config, key)
    plan = builder.build_serialized_network(network, config)
    if monitor.raised is not None:
        raise monitor.raised
    if plan is None:
        raise BackendError(f"{bundle.graph}: TensorRT cannot build it: {messages.last_error()}")
    _save_timing_cache(config, key)
    return bytes(memoryview(plan))


def can_build(precision: Precision) -> bool:
    """Return whether engines of `precision` can be built here; fp16 takes the package `onnx`."""
    return precision != "fp16" or importlib.util.find_spec("onnx") is not None


def _load_timing_cache(config: trt.IBuilderConfig, key: EngineKey) -> None:
    if flavour().is_rtx:
        return
    path = timing_cache_path(key)
    stored = path.read_bytes() if path.is_file() else b""
    cache: trt.ITimingCache | None = config.create_timing_cache(stored)
    # A damaged one is worth no more than none.
    config.set_timing_cache(cache or config.create_timing_cache(b""), ignore_mismatch=False)


def _save_timing_cache(config: trt.IBuilderConfig, key: EngineKey) -> None:
    if flavour().is_rtx:
        return
    path = timing_cache_path(key)
    with writing_cache():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(memoryview(config.get_timing_cache().serialize()))
        draft.replace(path)
