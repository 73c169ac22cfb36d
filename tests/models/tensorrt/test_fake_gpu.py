"""The fake GPU offers nothing that the real libraries lack; else it would prove nothing."""

from __future__ import annotations

import ast
import importlib
import inspect
import platform
from pathlib import Path
from typing import Any

import pytest

from tests import fake_gpu

if platform.machine() != "x86_64":
    pytest.skip("the real libraries are installed on x86-64 only", allow_module_level=True)


def offered(file: str) -> dict[str, list[str]]:
    """Return the public names of a module of the fake, and those inside its classes."""
    names: dict[str, list[str]] = {}
    for node in ast.parse((fake_gpu.FOLDER / file).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = []
        elif isinstance(node, ast.ClassDef):
            names[node.name] = list(_inside(node))
    return {name: inside for name, inside in names.items() if not name.startswith("_")}


def _inside(node: ast.ClassDef) -> Any:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.Assign):
            yield from (target.id for target in each.targets if isinstance(target, ast.Name))


def lacking(names: dict[str, list[str]], real: Any) -> list[str]:
    """Return what of `names` the real module has not."""
    found = [name for name in names if not hasattr(real, name)]
    for name in set(names) - set(found):
        kind = getattr(real, name)
        if inspect.isclass(kind):
            found += [f"{name}.{inside}" for inside in names[name] if not hasattr(kind, inside)]
    return [name for name in found if not name.rpartition(".")[2].startswith("_")]


def test_tensorrt_has_all_that_the_fake_has() -> None:
    real = importlib.import_module("tensorrt_rtx_bindings")
    assert lacking(offered("tensorrt/__init__.py"), real) == []


def test_cuda_has_all_that_the_fake_has() -> None:
    real = importlib.import_module("cuda.bindings.driver")
    names = offered("cuda/bindings/driver.py")
    del names["state"]  # the fake's own
    names["CUstream"] = []  # what the fake's tests look at
    assert lacking(names, real) == []
    assert lacking({"NoSuchName": []}, real) == ["NoSuchName"]


def test_the_fake_is_found_only_where_it_is_asked_for() -> None:
    from models.backends.tensorrt.presence import tensorrt_module

    assert tensorrt_module() == "tensorrt_rtx_bindings"
    assert Path(fake_gpu.FOLDER).name == "fake_gpu"
