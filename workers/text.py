"""Text worker: words in, word vectors out, for all sources."""

from __future__ import annotations

from models.opening import open_bundle
from models.stages.text import open_text_stage
from workers.runtime import Worker


def main(worker: Worker) -> None:
    """Embed words until every source has ended."""
    stage = open_text_stage(open_bundle(worker.config))
    worker.subscribe()
    worker.run_stage(stage, "text")
