"""The scores of words that training had no examples of, or hardly any, on one test part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from models.training.bootstrap import Resampling, bootstrap, interval, resampling
from models.training.datasets import Dataset
from models.training.metrics import BoolArray, Float64Array
from models.training.rank_scores import RankedScores
from models.training.results import Metrics, rounded
from stream.messages import Float32Array, Int64Array


@dataclass
class UnseenWords:
    """A test part with the scores of words, of fits that have seen none of them and of the bundle.

    Attributes:
        test: The part.
        bundle: The bundle's scores of each word that can be told here.
        unseen: Those of the fit without the word; the bundle's, where it was never in training.
        learned: The words that the bundle has learned.
    """

    test: Dataset
    bundle: Mapping[str, Float32Array]
    unseen: dict[str, Float32Array] = field(default_factory=dict)
    learned: list[str] = field(default_factory=list)

    @cached_property
    def unit(self) -> Resampling:
        """How the part is drawn anew."""
        return resampling([example.speaker for example in self.test.examples])

    @cached_property
    def areas(self) -> dict[str, float]:
        """The area of each word in `unseen`."""
        return self._areas(self.unseen)(np.arange(len(self.test.windows)))

    @cached_property
    def seen_areas(self) -> dict[str, float]:
        """The area of each word in `learned`."""
        return self._areas({word: self.bundle[word] for word in self.learned})(
            np.arange(len(self.test.windows))
        )

    @cached_property
    def draws(self) -> dict[str, Float64Array]:
        """`[draws]` areas of each word in `unseen`."""
        return bootstrap(self._areas(self.unseen), self.unit)

    def results(self) -> dict[str, Metrics]:
        """Return the results of each word."""
        return {
            word: {
                "auc": rounded(area),
                "interval": [rounded(bound) for bound in interval(self.draws[word])],
                "seen_auc": rounded(self.seen_areas[word]) if word in self.learned else None,
                "examples": int(truth_of(self.test, word).sum()),
                "of": len(self.test.windows),
                "resampled": self.unit.unit,
            }
            for word, area in self.areas.items()
        }

    def _areas(self, scores: Mapping[str, Float32Array]) -> Callable[[Int64Array], dict[str, float]]:
        if not scores:
            return lambda _: {}
        truth = np.stack([truth_of(self.test, word) for word in scores], axis=1)
        ranked = RankedScores(truth, np.stack(list(scores.values()), axis=1))
        return lambda rows: dict(zip(scores, ranked.aucs(rows).tolist(), strict=True))


def mean_area(parts: Sequence[UnseenWords]) -> Metrics:
    """Return the mean area over words and parts, of those words that the bundle has learned."""
    pairs = [(part, word) for part in parts for word in part.learned]
    if not pairs:
        return {"auc": None, "interval": None, "seen_auc": None}
    drawn = np.array([part.draws[word] for part, word in pairs])
    with np.errstate(invalid="ignore"):
        draws = np.nansum(drawn, axis=0) / (~np.isnan(drawn)).sum(axis=0)
    return {
        "auc": rounded(float(np.mean([part.areas[word] for part, word in pairs]))),
        "interval": [rounded(bound) for bound in interval(draws)],
        "seen_auc": rounded(float(np.mean([part.seen_areas[word] for part, word in pairs]))),
    }


def truth_of(test: Dataset, word: str) -> BoolArray:
    """Return `[n]`: which examples carry the word."""
    return test.targets[:, test.concepts.index(word)] > 0
