"""The code that calls TensorRT is checked against its type stubs, and would not pass with a mistake."""

from __future__ import annotations

from pathlib import Path

import mypy.api
import pytest

ROOT = Path(__file__).resolve().parents[3]


def check(*arguments: str) -> tuple[str, int]:
    """Run mypy with the project's settings; return what it says and its exit status."""
    said, errors, status = mypy.api.run([*arguments, "--config-file", str(ROOT / "pyproject.toml")])
    return said + errors, status


def test_the_code_passes() -> None:
    said, status = check("-p", "models.backends.tensorrt")
    assert status == 0, said


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        ("trt.Builder(trt.Logger()).build_cuda_engine()", 'has no attribute "build_cuda_engine"'),
        ("trt.Builder(1)", 'expected "ILogger"'),
        ("trt.BuilderFlag.NO_SUCH_FLAG", 'has no attribute "NO_SUCH_FLAG"'),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, mistake: str, complaint: str) -> None:
    file = tmp_path / "mistake.py"
    file.write_text(f"from models.backends.tensorrt.library import trt\n\n{mistake}\n")
    said, status = check(str(file))
    assert status == 1
    assert complaint in said
