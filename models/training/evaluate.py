"""How good a bundle is, measured on the graph that the daemon runs; needs no PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.training.bootstrap import resampling
from models.training.corpora import Corpus, EmptyPartError
from models.training.corpora.goemotions import EKMAN, GoEmotions
from models.training.datasets import Dataset
from models.training.label_matched import label_matched
from models.training.metrics import BoolArray, best_thresholds
from models.training.results import Metrics, Scored, results, with_intervals
from models.training.scoring import BundleScores


def evaluate_bundle(scores: BundleScores, stage: Callable[[str], None] | None = None) -> Metrics:
    """Return the results on the test part of each corpus; thresholds come from the validation part.

    GoEmotions is there twice: with its own 28 labels, and as `goemotions-ekman` with their groups. `fusion`
    is measured where every modality has a corpus that it was trained on.

    Args:
        scores: Of the bundle that is measured, with the corpora to measure on.
        stage: Told what begins.

    Raises:
        CorpusError: None of the corpora has anything to measure on.
    """
    measured: Metrics = {}
    empty: EmptyPartError | None = None
    for name in scores.corpora:
        if stage is not None:
            stage(f"measuring {name}")
        try:
            measured |= _measured(scores, name)
        except EmptyPartError as error:
            empty = error
            if scores.loader.told is not None:
                scores.loader.told(f"not measured: {error}")
    if empty is not None and not measured:
        raise empty
    result: Metrics = {"bundle": scores.bundle.version, "sha256": scores.bundle.sha256, "corpora": measured}
    if fusion := label_matched(scores):
        result["fusion"] = fusion
    return result


def _measured(scores: BundleScores, name: str) -> Metrics:
    """Return the results of one corpus, by the name they are reported under."""
    corpus, loader = scores.loader.corpus(name), scores.loader
    test = scores.dataset(name, "test")
    validation = None
    if corpus.multi_label and loader.examples(name, "validation"):
        validation = scores.dataset(name, "validation")
    probability = scores.probability(corpus.modality, test, test.concepts)
    if validation is not None:
        tuned = scores.probability(corpus.modality, validation, test.concepts)
    measured = {}
    for reported, concepts, truth in _views(corpus, test):
        columns = [test.concepts.index(concept) for concept in concepts]
        thresholds = None
        if corpus.multi_label:
            thresholds = np.full(len(concepts), 0.5, np.float32)
        if validation is not None:
            thresholds = best_thresholds(truth(validation), tuned[:, columns])
        scored = Scored(concepts, truth(test), probability[:, columns], thresholds, test.examples)
        measured[reported] = {"modality": corpus.modality, **results(scored)}
        skipped = loader.skipped_in(name, "test")
        if corpus.modality == "face":
            _add_found(measured[reported], len(test.windows), len(loader.examples(name, "test")) - skipped)
        if skipped:
            measured[reported]["skipped"] = skipped
    return measured


def _views(corpus: Corpus, test: Dataset) -> list[tuple[str, Sequence[str], Callable[[Dataset], BoolArray]]]:
    """Return under which names a corpus is reported, on which emotions, and how to tell its labels."""
    if isinstance(corpus, GoEmotions):
        own, groups = list(corpus.labels), list(EKMAN)
        columns = [test.concepts.index(group) for group in groups]
        return [
            (corpus.name, own, lambda part: _finer(corpus, part, own)),
            (f"{corpus.name}-ekman", groups, lambda part: part.targets[:, columns] > 0),
        ]
    return [(corpus.name, test.concepts, lambda part: part.targets > 0)]


def _finer(corpus: GoEmotions, part: Dataset, labels: Sequence[str]) -> BoolArray:
    """Return `[n, labels]`: the comments' own labels, before they are grouped."""
    found = [corpus.labelled(example.key) for example in part.examples]
    return np.array([[label in own for label in labels] for own in found])


def _add_found(measured: Metrics, shown: int, total: int) -> None:
    """Add in which share of the stills or videos a face was found."""
    found = with_intervals(
        lambda rows: {"found": float((rows < shown).mean())}, total, resampling([""] * total)
    )
    measured["found"] = found["found"]
    measured["intervals"] |= found["intervals"]
