"""Transcriber worker: audio in, words out."""

from __future__ import annotations

from models.stages.transcript import open_transcript_stage
from workers.recycling import Recycling
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Transcribe until the source ends."""
    stage, reason = open_transcript_stage(worker.config)
    recycling = Recycling(
        "transcript.memory_ceiling_mb", worker.config.transcript.memory_ceiling_mb, stage.at_rest
    )
    worker.subscribe()
    worker.run_stage(stage, "words", reason, recycling)
