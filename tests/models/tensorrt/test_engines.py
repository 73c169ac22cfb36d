"""Which engine answers: built once, kept under its key, and only if it agrees with ONNX Runtime."""

from __future__ import annotations

import dataclasses
import re

import msgspec
import pytest

from models.backends import Backend, BackendError
from models.bundle import Bundle
from tests.models.tensorrt.conftest import FakeGpu


def quiet(name: str, share: float) -> None:
    """Take no notice of progress."""


def test_half_precision_answers_where_it_agrees(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    record = gpu.module("engines").prepare_engine(live, reference, quiet)
    assert (record.key.precision, record.state) == ("fp16", "proved")
    assert 0 < record.difference < 5e-3
    backend = gpu.module("engines").open_engine(live, reference)
    assert backend.name == "tensorrt-fp16"


def test_single_precision_answers_where_half_is_refused(
    gpu: FakeGpu, live: Bundle, reference: Backend
) -> None:
    gpu.becomes(wrong=["fp16"])
    engines = gpu.module("engines")
    assert engines.prepare_engine(live, reference, quiet).key.precision == "fp32"
    assert engines.open_engine(live, reference).name == "tensorrt-fp32"
    states = {record.key.precision: record.state for _, record in gpu.module("engine_store").list_engines()}
    assert states == {"fp16": "refused", "fp32": "proved"}


def test_a_refusal_says_by_how_much_and_where(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    gpu.becomes(wrong=["fp16", "fp32"])
    engines = gpu.module("engines")
    with pytest.raises(BackendError) as raised:
        engines.prepare_engine(live, reference, quiet)
    assert re.search(
        r"tensorrt-fp16 differs from ONNX Runtime by 1\.0e-01 \(in \w+, \d+ windows, \d+ emotions\), more than "
        r"the 5e-03 that fp16 is allowed; tensorrt-fp32 differs .* more than the 1e-04 that fp32",
        str(raised.value),
    )
    gpu.becomes()
    with pytest.raises(BackendError, match="differs"):
        engines.prepare_engine(live, reference, quiet)  # it is not asked again
    assert engines.prepare_engine(live, reference, quiet, anew=True).state == "proved"


def test_an_engine_that_has_gone_wrong_since_does_not_answer(
    gpu: FakeGpu, live: Bundle, reference: Backend
) -> None:
    gpu.module("engines").prepare_engine(live, reference, quiet)
    gpu.becomes(wrong=["fp16"])
    with pytest.raises(BackendError, match="differs from ONNX Runtime"):
        gpu.module("engines").open_engine(live, reference)


def test_every_bucket_of_batches_is_compared(gpu: FakeGpu) -> None:
    buckets = gpu.module("buckets")
    compared = [buckets.bucket_of(windows) for windows in gpu.module("engines").PROOF_WINDOWS]
    assert compared == list(buckets.BUCKETS)


def test_an_engine_is_built_once(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    engines = gpu.module("engines")
    engines.prepare_engine(live, reference, quiet)
    gpu.becomes(build_fails="nothing may be built now")
    assert engines.prepare_engine(live, reference, quiet).state == "proved"


def test_a_damaged_engine_is_built_again(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    engines, store = gpu.module("engines"), gpu.module("engine_store")
    record = engines.prepare_engine(live, reference, quiet)
    path = store.engine_path(record.bundle, record.key)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BackendError, match="is damaged; run `emostream engine build`"):
        engines.open_engine(live, reference)
    assert engines.prepare_engine(live, reference, quiet).state == "proved"
    engines.open_engine(live, reference)


def test_without_an_engine_the_remedy_is_named(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    with pytest.raises(
        BackendError, match=f"no engine of {live.version} for the Fake GPU.*`emostream engine build`"
    ):
        gpu.module("engines").open_engine(live, reference)


def test_an_engine_answers_only_where_its_whole_key_fits(
    gpu: FakeGpu, live: Bundle, reference: Backend
) -> None:
    engines, store = gpu.module("engines"), gpu.module("engine_store")
    key = engines.prepare_engine(live, reference, quiet).key
    changes = {
        "model_sha256": "0" * 64,
        "flavour": "tensorrt_rtx",
        "version": "10.98.0",
        "card": "sm89",
        "gpu": "Another GPU",
        "precision": "fp32",
        "sizes": "1-8x8-256",
    }
    assert set(changes) == set(msgspec.structs.asdict(key))
    others = [msgspec.structs.replace(key, **{field: value}) for field, value in changes.items()]
    assert all(store.find_engine(live, other) is None for other in others)
    assert len({other.digest for other in (key, *others)}) == len(changes) + 1
    retrained = dataclasses.replace(live, sha256="0" * 64)
    with pytest.raises(BackendError, match="no engine"):
        engines.open_engine(retrained, reference)


def test_what_tensorrt_says_of_a_failed_build_is_passed_on(
    gpu: FakeGpu, live: Bundle, reference: Backend
) -> None:
    gpu.becomes(build_fails="no kernel\n  for this layer")
    with pytest.raises(BackendError, match="cannot build it: no kernel for this layer"):
        gpu.module("engines").prepare_engine(live, reference, quiet)


def test_progress_is_one_share_that_rises(gpu: FakeGpu, live: Bundle) -> None:
    told: list[tuple[str, float]] = []
    engines = gpu.module("engines")
    key = engines.engine_key(live, "fp32", "sm86", "Fake GPU")
    gpu.module("build").build_engine(live, key, lambda name, share: told.append((name, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.8 < shares[-1] <= 1
    assert {"Building engine", "Part 1", "Part 2"} == {name for name, _ in told}


def test_a_build_can_be_broken_off(gpu: FakeGpu, live: Bundle) -> None:
    def interrupt(name: str, share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    key = gpu.module("engines").engine_key(live, "fp32", "sm86", "Fake GPU")
    with pytest.raises(KeyboardInterrupt):
        gpu.module("build").build_engine(live, key, interrupt)
    assert list(gpu.module("engine_store").list_engines()) == []


def test_what_was_timed_is_kept_for_the_next_build(gpu: FakeGpu, live: Bundle, reference: Backend) -> None:
    record = gpu.module("engines").prepare_engine(live, reference, quiet)
    cache = gpu.module("engine_store").timing_cache_path(record.key)
    assert cache.read_bytes() == b"timed"
    gpu.module("engines").prepare_engine(live, reference, quiet, anew=True)
    assert cache.read_bytes() == b"timedtimed"


def test_another_card_needs_tensorrt_rtx(gpu: FakeGpu, live: Bundle) -> None:
    with pytest.raises(BackendError, match="builds only on the card itself; TensorRT-RTX builds for others"):
        gpu.module("engines").build_for(live, "sm89", quiet)


def test_a_gpu_that_does_not_work_is_an_error_that_says_so(
    gpu: FakeGpu, live: Bundle, reference: Backend
) -> None:
    gpu.becomes(lost="CUDA_ERROR_NO_DEVICE")
    with pytest.raises(BackendError, match=r"no NVIDIA GPU can be used here: .*CUDA_ERROR_NO_DEVICE"):
        gpu.module("engines").prepare_engine(live, reference, quiet)
