"""How many frames a second the face extractor manages, beside the package `fer`."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from models.assets import asset_path
from models.demo_clip import demo_clip
from models.extractors.face import FaceExtractor
from models.media import MAX_WIDTH, MediaReader, VideoFrame
from stream.errors import UserError
from stream.messages import Uint8Array
from stream.windows import seconds_to_ns
from workers.bench.tables import out, print_machine, table

_FER = """
import json, sys, time
import numpy
from fer.fer import FER
frames = numpy.load(sys.argv[1])
detector = FER(mtcnn=False)
detector.detect_emotions(frames[0])
started, found = time.perf_counter(), 0
for frame in frames:
    found += bool(detector.detect_emotions(frame))
print(json.dumps([time.perf_counter() - started, found]))
"""


class FerError(UserError):
    """`fer` that cannot be run."""


def face(
    frames: Annotated[int, typer.Option(help="How many frames, from the beginning of the clip.")] = 200,
    fer_python: Annotated[
        Path | None, typer.Option(help="A Python that has `fer`: it is timed on the same frames.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A media file, instead of the demo clip.")] = None,
) -> None:
    """Measure how many frames a second the face extractor manages, beside the package `fer`.

    Both are given the same decoded frames, one after the other, as fast as they take them. `fer` finds a face
    with OpenCV's cascade and classifies it into seven emotions; the extractor gives landmarks, blendshapes
    and pose, which is what the model scores any emotion from. `fer` brings TensorFlow and PyTorch, so it is
    best installed in an environment of its own:

      python -m venv /somewhere && /somewhere/bin/pip install fer

      python -m workers.bench face --fer-python /somewhere/bin/python
    """
    print_machine()
    clip = demo_clip() if file is None else file
    given = read_frames(clip, frames)
    found = table(f"{len(given)} frames of {clip.name}", "what", "frames a second", "faces found in")
    for name, (seconds, faces) in (
        ("face extractor", time_extractor(given)),
        *([("fer", _time_fer(fer_python, given))] if fer_python else []),
    ):
        found.add_row(name, f"{len(given) / seconds:.1f}", str(faces))
    out.print(found)


def read_frames(clip: Path, count: int) -> list[tuple[int, Uint8Array]]:
    """Return the time and the image of the first frames of a clip, as the daemon would see them."""
    found: list[tuple[int, Uint8Array]] = []
    for item in MediaReader(clip, MAX_WIDTH, kinds=("video",)):
        if isinstance(item, VideoFrame):
            found.append((seconds_to_ns(item.pts_s), item.image))
        if len(found) == count:
            break
    return found


def time_extractor(frames: list[tuple[int, Uint8Array]]) -> tuple[float, int]:
    """Return how many seconds the face extractor takes, and in how many frames it finds a face."""
    extractor = FaceExtractor(asset_path("face_landmarker"), max_faces=1)
    try:
        started = time.perf_counter()
        found = sum(bool(extractor.extract(image, time_ns)) for time_ns, image in frames)
        return time.perf_counter() - started, found
    finally:
        extractor.close()


def _time_fer(python: Path, frames: list[tuple[int, Uint8Array]]) -> tuple[float, int]:
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, np.stack([image for _, image in frames]))
        file.flush()
        done = subprocess.run(
            [str(python), "-c", _FER, file.name], capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise FerError(f"{python} cannot run `fer`: {last[0]}; install it there with `pip install fer`")
    seconds, found = json.loads(done.stdout.strip().splitlines()[-1])
    return float(seconds), int(found)
