"""Every bundle that comes along compiles under TensorRT-RTX, for cards that are not here."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from models.backends import BackendError
from models.bundle import load_bundle

if platform.machine() != "x86_64":
    pytest.skip("TensorRT-RTX comes for x86-64 only", allow_module_level=True)

from models.backends.tensorrt.engine_store import engine_path, find_engine, read_engine
from models.backends.tensorrt.engines import build_for, engine_key
from models.backends.tensorrt.flavour import flavour

pytestmark = pytest.mark.timeout(600)  # compilers take their time on a busy machine
BUNDLES = sorted(path.parent for path in Path("models/bundles").resolve().glob("*/model.yaml"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path))


@pytest.mark.parametrize("card", ["sm86", "sm89"])
@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_a_bundle_compiles_in_both_precisions(folder: Path, card: str) -> None:
    bundle = load_bundle(folder)
    told: list[tuple[str, float]] = []
    records = build_for(bundle, card, lambda name, share: told.append((name, share)))
    assert [record.key.precision for record in records] == ["fp16", "fp32"]
    for record in records:
        assert record.key == engine_key(bundle, record.key.precision, card, "")
        assert record.state == "built", "only the card itself can prove it"
        assert find_engine(bundle, record.key) == record
        plan = read_engine(record)
        assert plan is not None
        assert len(plan) == record.size > 100_000
        assert engine_path(bundle.version, record.key).name.startswith(
            f"tensorrt_rtx-{flavour().version}-{card}-"
        )
    assert "Building engine" in {name for name, _ in told}
    assert 0.7 < max(share for _, share in told) <= 1


def test_a_card_that_it_does_not_know_is_named_with_those_it_does() -> None:
    with pytest.raises(BackendError, match=r"does not build for sm61; choose .*sm86, sm89"):
        build_for(load_bundle(BUNDLES[0]), "sm61", lambda name, share: None)
