"""Zero-shot and few-shot: how well a word scores that training had no examples of, or hardly any.

Each emotion is left out of training in turn (Dai et al. 2020, section 5.3), and its word is then told from
the rest on test parts by its cosine alone. Needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.embeddings import EmbeddingSpace
from models.training.affect import AffectLexicon
from models.training.corpora import EmptyPartError, Split
from models.training.datasets import Dataset
from models.training.fit import cosines
from models.training.leave_out import fit_without
from models.training.network import ModalityScorer
from models.training.preparation import Preparation
from models.training.recipe import Recipe, RecipeError
from models.training.results import Metrics
from models.training.scoring import BundleScores
from models.training.unseen_words import UnseenWords, mean_area, truth_of
from models.training.words import ConceptWords

CHANCE = 0.5
"""The area under the ROC curve of scores that say nothing."""


@dataclass(frozen=True)
class TransferReports:
    """Who is told how far it is.

    Attributes:
        fits: Called with the modality, how many words are done, and of how many.
        epoch: Called after an epoch with what is fitted, the epoch, its loss and its validation score.
    """

    fits: Callable[[str, int, int], None]
    epoch: Callable[[str, int, float, float], None]


class Transfer:
    """Leaves the emotions of a bundle's recipe out of its training.

    Args:
        scores: Those of the bundle, for what it has seen.
        recipe: How the bundle was trained.
        space: Its embedding space.
        folder: Where fits are kept.
        reports: Who is told how far it is.

    Raises:
        RecipeError: The recipe is another bundle's.
    """

    def __init__(
        self,
        scores: BundleScores,
        recipe: Recipe,
        space: EmbeddingSpace,
        folder: Path,
        reports: TransferReports,
    ) -> None:
        bundle = scores.bundle
        if recipe.version != bundle.version:
            raise RecipeError(
                f"the recipe is that of {recipe.version}, but the bundle is {bundle.version}; "
                "name its own with --recipe"
            )
        self._scores = scores
        self._reports = reports
        self._folder = folder / recipe.name / "left-out"
        words = ConceptWords(space, recipe.words)
        lexicon = AffectLexicon(space, recipe.affect)
        self._preparation = Preparation(recipe, scores.loader, space, words, lexicon, bundle.speaker_prior)
        self._data: dict[str, dict[str, Dataset]] = {}

    def known(self, modality: str) -> list[str]:
        """Return the emotions that a modality was trained on, and then others that it can be tested on."""
        loader = self._scores.loader
        tests = [name for name in self._scores.corpora if loader.corpus(name).modality == modality]
        concepts = (concept for name in tests for concept in loader.corpus(name).concepts)
        return list(dict.fromkeys([*self._trained(modality), *concepts]))

    def _trained(self, modality: str) -> list[str]:
        names = self._preparation.recipe.branch(modality).corpora
        return list(dict.fromkeys(c for name in names for c in self._scores.loader.corpus(name).concepts))

    def results(self, modality: str, words: Sequence[str] = (), share: float = 0.0) -> Metrics | None:
        """Return the results of one modality; `None` if no word of `words` is in any of its test parts.

        `auc` is the mean over the corpora that the modality learns from, `elsewhere_auc` over the others.

        Args:
            modality: One of `MODALITIES`.
            words: Emotions to leave out; all that the modality was trained on if none are named.
            share: How much of the training examples of a word stays, 0..1; 0 is zero-shot.

        Raises:
            CorpusError: A corpus of the recipe is missing, or too little is left without a word.
        """
        tests = self._tests(modality)
        trained = self._trained(modality)
        chosen = [word for word in self.known(modality) if not words or word in words]
        parts = {name: self._part(modality, test, chosen) for name, test in tests.items()}
        chosen = [word for word in chosen if any(word in part.bundle for part in parts.values())]
        for done, word in enumerate(chosen):
            self._reports.fits(modality, done, len(chosen))
            self._leave_out(modality, word, share if word in trained else None, parts)
        self._reports.fits(modality, len(chosen), len(chosen))
        if not any(part.unseen for part in parts.values()):
            return None
        own = self._preparation.recipe.branch(modality).corpora
        inside = mean_area([part for name, part in parts.items() if name in own])
        elsewhere = mean_area([part for name, part in parts.items() if name not in own])
        scored = {name: part.results() for name, part in parts.items() if part.unseen}
        return {
            **inside,
            **{f"elsewhere_{key}": value for key, value in elsewhere.items()},
            "chance": CHANCE,
            "learned_from": list(own),
            "share": share,
            "complete": not words and set(own) <= set(self._scores.corpora),
            "words": {
                word: {name: part[word] for name, part in scored.items() if word in part} for word in chosen
            },
        }

    def _tests(self, modality: str) -> dict[str, Dataset]:
        tests = {}
        for name in self._scores.corpora:
            if self._scores.loader.corpus(name).modality == modality:
                try:
                    tests[name] = self._scores.dataset(name, "test")
                except EmptyPartError:
                    continue  # told when the bundle itself was measured
        return tests

    def _part(self, modality: str, test: Dataset, words: Sequence[str]) -> UnseenWords:
        """Return a test part with the bundle's scores of the words that it has examples with and without."""
        own = [word for word in words if word in test.concepts]
        told = [word for word in own if 0 < truth_of(test, word).sum() < len(test.windows)]
        if not told:
            return UnseenWords(test, {})
        scores = self._scores.probability(modality, test, told)
        return UnseenWords(test, {word: scores[:, i] for i, word in enumerate(told)})

    def _leave_out(
        self, modality: str, word: str, share: float | None, parts: Mapping[str, UnseenWords]
    ) -> None:
        """Add the scores of a fit without `word` to the parts; the bundle is one if it was never in training.

        Args:
            modality: Which to fit.
            word: What to leave out.
            share: How much of it stays; `None` if it was never in training.
            parts: Where the word may be tested.
        """
        scorer = None if share is None else self._fit(modality, word, share)
        emotion = self._scores.words.first([word])
        for part in parts.values():
            if word in part.bundle and scorer is None:
                part.unseen[word] = part.bundle[word]
            elif word in part.bundle and scorer is not None:
                part.unseen[word] = cosines(scorer, part.test, emotion)[:, 0]
                part.learned.append(word)

    def _fit(self, modality: str, word: str, share: float) -> ModalityScorer:
        if modality not in self._data:
            splits: tuple[Split, ...] = ("train", "validation")
            self._data = {modality: {split: self._preparation.dataset(modality, split) for split in splits}}
        return fit_without(
            self._preparation,
            modality,
            self._data[modality],
            word,
            share=share,
            folder=self._folder,
            report=lambda epoch, loss, score: self._reports.epoch(
                f"{modality} without {word}", epoch, loss, score
            ),
        )
