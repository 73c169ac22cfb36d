"""Everything that emostream needs can be had for a Jetson: wheels for aarch64, but for what is known to have none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("pyaudio", "srt")
"""What has no wheel: one is compiled during set-up, the other is plain Python."""
GLIBC = "2_35"
"""That of JetPack 6's Ubuntu 22.04; JetPack 7's is newer."""


def resolve(python: str, *built: str) -> subprocess.CompletedProcess[str]:
    """Resolve all that a Jetson needs, for aarch64 and a release of Python, from wheels and the sources `built`."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        str(ROOT / "pyproject.toml"),
        "--quiet",
        "--no-config",
    ]
    command += ["--extra", "tensorrt", "--extra", "plot", "--no-header", "--no-annotate"]
    command += ["--python-version", python, "--python-platform", f"aarch64-manylinux_{GLIBC}"]
    command += ["--only-binary", ":all:", *(part for name in built for part in ("--no-binary", name))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    if any(sign in done.stderr for sign in ("Failed to fetch", "Could not connect", "dns error")):
        pytest.skip("the package index cannot be reached")
    return done


@pytest.mark.parametrize("python", ["3.10", "3.12"], ids=["JetPack 6", "JetPack 7"])
def test_all_dependencies_have_a_wheel_for_aarch64(python: str) -> None:
    done = resolve(python, *SOURCES)
    assert done.returncode == 0, done.stderr
    found = dict(line.split("==") for line in done.stdout.split())
    assert set(SOURCES) <= set(found)
    assert found["mediapipe"] == "1.2.2"
    assert found["cuda-bindings"].startswith("12."), "a Jetson's driver may be older than CUDA 13"
    assert {"onnxruntime", "vosk", "ctranslate2", "kaldi-native-fbank", "opencv-contrib-python"} <= set(found)
    assert [name for name in found if name.startswith(("torch", "tensorrt", "nvidia"))] == []


def test_the_exceptions_are_needed() -> None:
    done = resolve("3.12")
    assert done.returncode != 0
    assert "no usable wheels" in done.stderr
