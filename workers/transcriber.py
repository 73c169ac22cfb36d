"""Transcriber worker: audio in, words out."""

from __future__ import annotations

from models.stages.transcript import TranscriptStage, open_transcript_stage
from stream.config import Config
from workers.recycling import Recycling
from workers.runtime import Worker

Loaded = tuple[TranscriptStage, str]


def load(config: Config) -> Loaded:
    """Return the transcriber, and which one it is.

    Raises:
        UserError: See `open_transcript_stage`.
    """
    return open_transcript_stage(config)


def main(worker: Worker, loaded: Loaded | None = None) -> None:
    """Transcribe until the source ends."""
    stage, reason = loaded or load(worker.config)
    recycling = Recycling(
        "transcript.memory_ceiling_mb", worker.config.transcript.memory_ceiling_mb, stage.at_rest
    )
    worker.subscribe()
    worker.run_stage(stage, "words", reason, recycling)
