"""What fusion gives beside each modality alone, on windows put together from test parts by their labels.

No corpus here has face, voice and words of one moment, so this is as good as it can be shown: each window has
an example of every modality with the same label, drawn at random. It takes the modalities to err
independently, which in one person they do not; with real people less is to be gained.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from models.bundle_manifest import MODALITIES, read_manifest
from models.training.bootstrap import bootstrap, interval, resampling
from models.training.corpora import EmptyPartError
from models.training.datasets import Dataset
from models.training.matching import common_labels, drawn_examples, shared_concepts, single_labels
from models.training.results import Metrics, rounded
from models.training.scoring import BundleScores
from stream.messages import Float32Array, Int64Array

_LARGEST = 2048  # windows put together
_AN_EXAMPLE = 8  # windows that an example may be in, on average, of the modality with the fewest
_SEED = 0


def label_matched(scores: BundleScores) -> Metrics | None:
    """Return the accuracy with every subset of modalities, all labels being equally frequent.

    Returns:
        `concepts`; `examples`, the number of windows; `subsets`: by names such as `face+voice`, the
        `accuracy` with its `interval`, and where there are several modalities `best_single`, that of the best
        of them alone, and `gain` over it with `gain_interval`. `None` where a modality has no test part, or
        they have fewer than two labels in common.

    Raises:
        CorpusError: A corpus is missing or malformed.
    """
    tests = {modality: _test(scores, modality) for modality in MODALITIES}
    known = {modality: test for modality, test in tests.items() if test is not None}
    if len(known) < len(MODALITIES):
        return None
    concepts = shared_concepts(known)
    labels = {modality: single_labels(test, concepts) for modality, test in known.items()}
    common = common_labels(labels)
    if len(common) < 2:
        return None
    fewest = min(int((own >= 0).sum()) for own in labels.values())
    random = np.random.default_rng(_SEED)
    truth = random.choice(common, size=min(_LARGEST, _AN_EXAMPLE * fewest))
    parts = {name: (test, drawn_examples(labels[name], truth, random)) for name, test in known.items()}
    emotions = scores.words.first([concepts[each] for each in common])
    right = {
        subset: _right(
            scores, {name: parts[name] for name in subset}, emotions, np.searchsorted(common, truth)
        )
        for count in range(1, len(MODALITIES) + 1)
        for subset in itertools.combinations(MODALITIES, count)
    }
    return {
        "concepts": [concepts[each] for each in common],
        "examples": len(truth),
        "subsets": {"+".join(subset): _result(subset, right) for subset in right},
    }


def _test(scores: BundleScores, modality: str) -> Dataset | None:
    """Return the test part of the first corpus that the modality was trained on and that is there."""
    learned = {each.name for each in read_manifest(scores.bundle.folder).sources if each.modality == modality}
    for name in scores.corpora:
        if name in learned:
            try:
                return scores.dataset(name, "test")
            except EmptyPartError:
                continue
    return None


def _right(
    scores: BundleScores,
    parts: Mapping[str, tuple[Dataset, Int64Array]],
    emotions: Float32Array,
    truth: Int64Array,
) -> Float32Array:
    """Return `[n]`: 1 where the most probable emotion is the label, with these modalities present."""
    return (scores.together(parts, emotions).argmax(axis=1) == truth).astype(np.float32)


def _result(subset: Sequence[str], right: Mapping[tuple[str, ...], Float32Array]) -> Metrics:
    own = right[tuple(subset)]
    figures = {"accuracy": own}
    if len(subset) > 1:
        best = max((right[(name,)] for name in subset), key=lambda each: float(each.mean()))
        figures |= {"gain": own - best}
    drawn = bootstrap(
        lambda chosen: {name: float(values[chosen].mean()) for name, values in figures.items()},
        resampling([""] * len(own)),
    )
    result: Metrics = {
        "accuracy": rounded(float(own.mean())),
        "interval": [rounded(bound) for bound in interval(drawn["accuracy"])],
    }
    if "gain" in figures:
        result |= {
            "best_single": rounded(float(best.mean())),
            "gain": rounded(float(figures["gain"].mean())),
            "gain_interval": [rounded(bound) for bound in interval(drawn["gain"])],
        }
    return result
