"""Where bytes of unknown origin are turned into something: no pickles, and media only where it is captured."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from workers.table import WORKERS

ROOT = Path(__file__).parent.parent
ROOMS = ("stream", "models", "workers")
CODE = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

RUNS_WHAT_IT_READS = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
}
SAFE_UNPICKLER = "models/training/corpora/safe_pickle.py"
"""Research corpora are published as pickles. It answers every name that one asks for with a function of its own."""

DECODES_MEDIA = {
    "av.open",
    "cv2.VideoCapture",
    "cv2.imread",
    "cv2.imdecode",
    "soundfile.read",
    "soundfile.SoundFile",
}
CAPTURE = {"models/media.py", "workers/camera.py"}
"""What the workers `media` and `camera` decode with; the first is `emostream score`'s as well."""
OWN_FILES = {"models/demo_clip.py"}
"""Reads only the assets of the demonstration, which are verified by hash."""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a module's function, as `module.function`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(path: Path) -> set[str]:
    """Return the packages that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_nothing_reads_pickles_but_the_unpickler_that_runs_nothing() -> None:
    assert {name(path) for path in CODE if imports(path) & RUNS_WHAT_IT_READS} == {SAFE_UNPICKLER}


def test_no_library_reads_pickles_for_us() -> None:
    for path in CODE:
        for function, call in calls(path):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert given.get("allow_pickle", "False") == "False", f"{name(path)}:{call.lineno}"
            if function == "torch.load":
                assert given.get("weights_only") == "True", f"{name(path)}:{call.lineno}"
            assert function not in ("pandas.read_pickle", "eval", "exec"), f"{name(path)}:{call.lineno}"
            if function == "YAML":
                assert given.get("typ", "'rt'") in ("'rt'", "'safe'"), f"{name(path)}:{call.lineno}"


def test_media_is_decoded_only_where_it_is_captured_or_trained_on() -> None:
    decoding = {name(path) for path in CODE for function, _ in calls(path) if function in DECODES_MEDIA}
    assert {each for each in decoding if not each.startswith("models/training/")} == CAPTURE | OWN_FILES


@pytest.mark.parametrize("worker", WORKERS)
def test_only_capture_workers_have_the_decoder_of_media_files(worker: str) -> None:
    graph = grimp.build_graph(*ROOMS)
    reached = graph.find_upstream_modules(f"workers.{worker}") & {"models.media", "workers.camera"}
    assert reached == ({"models.media"} if worker == "media" else set())


def test_the_workers_that_decode_are_those_that_capture() -> None:
    assert {"media", "camera", "microphone"} == {
        row.name for row in WORKERS.values() if not row.reads and row.name != "remote"
    }
