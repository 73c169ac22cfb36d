"""Face worker: frames in, faces out."""

from __future__ import annotations

import contextlib

from models.opening import open_bundle
from models.stages.face import open_face_stage
from workers.recycling import Recycling
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Extract faces until the source ends."""
    with contextlib.closing(open_face_stage(worker.config, open_bundle(worker.config))) as stage:
        recycling = Recycling("face.memory_ceiling_mb", worker.config.face.memory_ceiling_mb)
        worker.subscribe()
        worker.run_stage(stage, "face", recycling=recycling)
