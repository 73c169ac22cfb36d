"""Puts the fake GPU in the place of a real one, for one test, in this process."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import models.backends.tensorrt
from models.backends import Backend, candidates, open_backend
from models.backends.tensorrt import presence
from models.bundle import Bundle, load_bundle
from tests import fake_gpu

LIVE = Path(__file__).resolve().parents[3] / "models" / "bundles" / "live"
_LOADED_ONCE = "models.backends.tensorrt.presence"


class FakeGpu:
    """The fake GPU as a test sees it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def becomes(self, **state: Any) -> None:
        """Have the GPU be so from now on; see `tests.fake_gpu`."""
        self._file.write_text(json.dumps(state))

    def module(self, name: str) -> Any:
        """Import a module of `models.backends.tensorrt` on the fake."""
        return importlib.import_module(f"models.backends.tensorrt.{name}")

    @property
    def memory(self) -> dict[int, Any]:
        """What is allocated, of the host and of the GPU."""
        return dict(importlib.import_module("cuda.bindings.driver").memory)

    @property
    def streams(self) -> list[Any]:
        """The CUDA streams that there are now."""
        return list(importlib.import_module("cuda.bindings.driver").streams.values())


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeGpu]:
    """Give a fake GPU, with an empty cache folder."""
    file = tmp_path / "gpu.json"
    monkeypatch.setenv("EMOSTREAM_FAKE_GPU", str(file))
    monkeypatch.setenv("EMOSTREAM_CACHE", str(tmp_path / "cache"))
    before = _unload()
    # Only this is taken back afterwards: a library that is loaded meanwhile may add to the path for good.
    sys.path.insert(0, str(fake_gpu.FOLDER))
    importlib.invalidate_caches()
    presence.tensorrt_module.cache_clear()
    presence.has_cuda_python.cache_clear()
    monkeypatch.setattr(candidates, "has_driver", lambda: True)
    yield FakeGpu(file)
    sys.path.remove(str(fake_gpu.FOLDER))
    _unload()
    _load(before)
    presence.tensorrt_module.cache_clear()
    presence.has_cuda_python.cache_clear()


@pytest.fixture(scope="session")
def live() -> Bundle:
    """Give the live bundle."""
    return load_bundle(LIVE)


@pytest.fixture(scope="session")
def reference(live: Bundle) -> Backend:
    """Give ONNX Runtime on the CPU, on the live bundle."""
    return open_backend(live)


def _unload() -> dict[str, ModuleType]:
    """Take everything that is bound to a TensorRT out of the loaded modules; return it."""
    bound = [
        name
        for name in sys.modules
        if name.split(".")[0] in ("tensorrt", "cuda")
        or (name.startswith("models.backends.tensorrt.") and name != _LOADED_ONCE)
    ]
    for name in bound:
        # `from package import module` would find it there.
        vars(models.backends.tensorrt).pop(name.rpartition(".")[2], None)
    return {name: sys.modules.pop(name) for name in bound}


def _load(modules: dict[str, ModuleType]) -> None:
    """Put back what `_unload` has taken out."""
    sys.modules.update(modules)
    for name, module in modules.items():
        package, _, last = name.rpartition(".")
        if package == "models.backends.tensorrt":
            setattr(models.backends.tensorrt, last, module)
