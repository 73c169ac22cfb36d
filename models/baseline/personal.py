"""The personal baseline: what stands out in a person's face or voice at rest, taken out of the scores.

A cosine says how near what a window shows is to a word. What a person's cosines have in excess at rest is
subtracted from windows near that person's neutral point, and ever less of it from windows further away:
measured on speakers left out, the excess holds for speech at rest and near it, not for strong emotions. All
this acts on the cosines of each modality, before they become probabilities and are fused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.baseline.excess import Excess
from models.baseline.fusion import ShiftedFusion
from models.baseline.learning import Learner
from models.baseline.points import KeptPoints, NeutralPoint
from models.baseline.words import WordOffsets
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.outputs import Outputs
from models.vocabulary_embedding import EmbeddedVocabulary
from models.window_schedule import DueWindow
from stream.config import BaselineSection
from stream.messages import Float32Array
from stream.public import BaselineState

_SUBJECTS_KEPT = 16
"""People of one source and modality whose neutral points are remembered while others are scored."""


@dataclass(frozen=True)
class Corrected:
    """The scores of a batch with the baseline taken out."""

    outputs: Outputs
    states: Sequence[Mapping[str, BaselineState]]
    """Of each window, by modality; a modality without anybody is not there."""
    changed: Sequence[bool]
    """Of each window, whether a modality that was used has a neutral point."""


class PersonalBaseline:
    """Learns everybody's neutral point and corrects scores by it.

    Raises:
        BundleError: The bundle does not say what neutral evidence gives, or fuses in a way of its own.
    """

    def __init__(
        self,
        settings: BaselineSection,
        bundle: Bundle,
        words: Float32Array,
        *,
        hop_s: float,
        kept: KeptPoints | None = None,
    ) -> None:
        """Start with the points that were kept.

        Args:
            settings: What is corrected, and how.
            bundle: Whose scores these are.
            words: `[W, E]`, `Bundle.phrases` in the embedding space.
            hop_s: Seconds from one window of a source to the next.
            kept: Points that take the place of learning.
        """
        self._modalities: tuple[str, ...] = settings.modalities
        self._excess = {str(name): Excess(bundle, name) for name in self._modalities}
        self.words = words
        """What the graph must be asked beside the emotions."""
        self._settings = settings
        self._hop_s = hop_s
        self._fusion = ShiftedFusion(bundle)
        self._offsets = WordOffsets(words)
        self._shares: tuple[str, Float32Array] = ("", np.zeros((0, len(words)), np.float32))
        self._learners: dict[tuple[str, str], OrderedDict[int | None, Learner]] = {}
        self._kept = kept or KeptPoints()

    def use(self, kept: KeptPoints) -> None:
        """Take other points in the place of learning, from the next window on."""
        for source in {*kept.points, *self._kept.points}:
            for modality in self._modalities:
                before = self._kept.points.get(source, {}).get(modality)
                if not _same(before, kept.points.get(source, {}).get(modality)):
                    self._learners.pop((source, modality), None)
        self._kept = kept

    def correct(
        self,
        windows: Sequence[DueWindow],
        present: Float32Array,
        outputs: Outputs,
        cosines: Float32Array,
        emotions: EmbeddedVocabulary,
    ) -> Corrected:
        """Learn from a batch of windows, and return their scores as they are with what is known by then.

        Args:
            windows: N windows, those of a source in order.
            present: `[N, 3]`, 1 where a modality counts, else 0.
            outputs: What the graph said of them and the K emotions.
            cosines: `[N, 3, W]`: what it said of `words`.
            emotions: The K emotions.
        """
        shares = self._shares_of(emotions)
        shift = np.zeros(outputs.modality_distance.shape, np.float32)
        states: list[dict[str, BaselineState]] = []
        changed: list[bool] = []
        for row, window in enumerate(windows):
            learners = dict(self._people(window))
            known = False
            for modality, learner in learners.items():
                place = MODALITIES.index(modality)
                if window.modalities[modality].why is not None:
                    continue
                learner.take(window.modalities[modality], cosines[row, place])
                if learner.point is not None:
                    known = True
                    nearness = self._settings.strength * learner.nearness(cosines[row, place])
                    excess = self._excess[modality].of(learner.point.cosines)
                    shift[row, place] = -nearness * (shares @ excess)
            states.append({modality: _state(learner) for modality, learner in learners.items()})
            changed.append(known)
        return Corrected(self._fusion.shift(outputs, present, shift), states, changed)

    def learned(self, source: str) -> dict[str, NeutralPoint]:
        """Return the neutral point of whoever was scored last, by modality; none that is not complete."""
        found = {}
        for modality in self._modalities:
            people = self._learners.get((source, modality))
            if people and (point := next(reversed(people.values())).point) is not None:
                found[modality] = point
        return found

    def _people(self, window: DueWindow) -> Iterable[tuple[str, Learner]]:
        """Yield who is in a window, by modality: now the one that was scored last."""
        for modality in self._modalities:
            subject = window.modalities[modality].subject
            if subject is None:
                continue
            people = self._learners.setdefault((window.source, modality), OrderedDict())
            if subject not in people:
                people[subject] = Learner(
                    seconds=self._settings.seconds,
                    hop_s=self._hop_s,
                    follow_s=self._settings.follow_s,
                    reach=self._excess[modality].spread,
                    point=self._kept.points.get(window.source, {}).get(modality),
                )
            people.move_to_end(subject)
            if len(people) > _SUBJECTS_KEPT:
                people.popitem(last=False)
            yield modality, people[subject]

    def _shares_of(self, emotions: EmbeddedVocabulary) -> Float32Array:
        version = emotions.vocabulary.version
        if self._shares[0] != version:
            self._shares = (version, self._offsets.of(emotions.vectors))
        return self._shares[1]


def _same(a: NeutralPoint | None, b: NeutralPoint | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a.cosines, b.cosines))


def _state(learner: Learner) -> BaselineState:
    if learner.point is not None:
        return BaselineState(state="set", calibrated=learner.calibrated)
    return BaselineState(state="learning", seconds_left=round(learner.seconds_left, 2))
