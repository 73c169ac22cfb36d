"""Fixtures shared by all tests: fetched assets, clips that only some machines have, and short folders."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from models.assets import AssetError, asset_path
from models.media import read_audio
from tests.clips import write_clip

pytest_plugins = ["tests.browser"]

# No test is timed, and the suite looks at the same examples each time; `--hypothesis-profile desk` looks for new ones.
_NOT_TIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("desk", _NOT_TIMED)
settings.register_profile("suite", _NOT_TIMED, derandomize=True)
settings.load_profile("suite")

_CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"


@pytest.fixture(scope="session")
def asset() -> Callable[[str], Path]:
    """Give the path of an asset by name; skip the test where it has not been fetched."""

    def find(name: str) -> Path:
        try:
            return asset_path(name)
        except AssetError as error:
            pytest.skip(f"{error} (or `make test`, which fetches all)")

    return find


@pytest.fixture(scope="session")
def shared_clip() -> Callable[[str], Path]:
    """Give a clip of the folder beside the repository by file name; skip the test where it is absent."""

    def find(name: str) -> Path:
        path = _CLIPS / name
        if not path.is_file():
            pytest.skip(f"{path} is not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def talking_clip(shared_clip: Callable[[str], Path]) -> Path:
    """Give 8 s of a face that talks, with its voice; skip the test where the clip is absent."""
    return shared_clip("talking_face_8s.mp4")


@pytest.fixture(scope="session")
def long_speech(asset: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give nearly nine minutes of speech: more than any test listens to, however slow the machine."""
    samples = np.tile(read_audio(asset("two-cities")), 12)
    return write_clip(tmp_path_factory.mktemp("speech") / "long.wav", samples=samples)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give an empty folder whose path is short enough for sockets; pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="emo-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_short_folder() -> Iterator[Callable[[], Path]]:
    """Give a function that makes empty folders whose paths are short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="emo-", dir="/tmp") as folder:
        yield lambda: Path(tempfile.mkdtemp(dir=folder))
