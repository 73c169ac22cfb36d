"""A batch of windows through a bundle's graph, and through the personal baseline where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.backends import Backend
from models.baseline import Corrected, PersonalBaseline
from models.bundle_manifest import MODALITIES
from models.encoding_memory import EncodingMemory
from models.outputs import Outputs, outputs_from
from models.vocabulary_embedding import EmbeddedVocabulary
from models.window_schedule import DueWindow


@dataclass(frozen=True)
class WindowScores:
    """What became of a batch: what the graph said, and what the personal baseline made of it."""

    before: Outputs
    corrected: Corrected | None

    @property
    def after(self) -> Outputs:
        """The scores that count."""
        return self.before if self.corrected is None else self.corrected.outputs


def score_windows(
    memory: EncodingMemory,
    backend: Backend,
    windows: Sequence[DueWindow],
    emotions: EmbeddedVocabulary,
    baseline: PersonalBaseline | None,
) -> WindowScores:
    """Score N windows, those of a source in order, against K emotions.

    Raises:
        BackendError: The graph gave no usable answer.
    """
    if baseline is None:
        return WindowScores(outputs_from(memory.run(backend, windows, emotions.vectors)), None)
    count = len(emotions.vectors)
    asked = np.concatenate([emotions.vectors, baseline.words])
    outputs = outputs_from(memory.run(backend, windows, asked))
    before, cosines = outputs.first(count), 1 - outputs.modality_distance[..., count:]
    present = [[window.modalities[name].why is None for name in MODALITIES] for window in windows]
    corrected = baseline.correct(windows, np.array(present, np.float32), before, cosines, emotions)
    return WindowScores(before, corrected)
