"""Voice worker: audio in, voice vectors out."""

from __future__ import annotations

from models.opening import open_bundle
from models.stages.voice import open_voice_stage
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Extract voice vectors until the source ends."""
    stage = open_voice_stage(open_bundle(worker.config))
    worker.subscribe()
    worker.run_stage(stage, "voice")
