"""A recipe's data and networks: what is fitted, modality by modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.bundle_manifest import MODALITIES
from models.embeddings import EmbeddingSpace
from models.extractors.face_geometry import SPEC as FACE
from models.extractors.speaker import SpeakerPrior
from models.extractors.voice_layout import SPEC as VOICE
from models.spec import FeatureSpec
from models.training.affect import AffectLexicon
from models.training.assembly import CorpusLoader, load_clips, load_comments, load_faces
from models.training.branches import BRANCHES, VoiceBranch
from models.training.corpora import Split
from models.training.datasets import Dataset
from models.training.network import ModalityScorer, WordMap
from models.training.normalization import Standardize
from models.training.recipe import Recipe, RecipeError
from models.training.words import ConceptWords

SHUFFLED_HISTORIES = 3
"""Orders of each speaker's clips that training sees, beside the one they are listed in."""
_STANDARDIZED_ON = 4096
_LEAST_STD = 1e-3


@dataclass(frozen=True)
class Preparation:
    """What all branches of a recipe share.

    Attributes:
        recipe: What is trained.
        loader: Where the corpora come from.
        space: Where emotion words and heard words are embedded.
        words: The emotion words.
        lexicon: Rated emotion words.
        prior: Where speaker normalisation starts.
    """

    recipe: Recipe
    loader: CorpusLoader
    space: EmbeddingSpace
    words: ConceptWords
    lexicon: AffectLexicon
    prior: SpeakerPrior

    def dataset(self, modality: str, split: Split, *, learned_from: bool = False) -> Dataset:
        """Return the windows of one modality; those to learn from come with every view and history."""
        recipe, training = self.recipe, learned_from or split == "train"
        branch = recipe.branch(modality)
        if modality == "face":
            mirrored = training and "mirrored" in branch.views
            return load_faces(self.loader, branch.corpora, split, mirrored=mirrored).dataset
        crop = branch.crop if training else 0.0
        if modality == "voice":
            return load_clips(
                self.loader,
                branch.corpora,
                split,
                self.prior,
                steps=recipe.steps("voice"),
                rate_hz=branch.rate_hz or 0.0,
                histories=1 + SHUFFLED_HISTORIES if training else 1,
                crop=crop,
            )
        views = ["written", *branch.views] if training else ["written"]
        return load_comments(
            self.loader,
            branch.corpora,
            split,
            recipe.space,
            words=recipe.steps("text"),
            views=views,
            crop=crop,
        )

    def spec(self, modality: str) -> FeatureSpec | None:
        """Return the feature layout of face or voice; that of text follows from the space."""
        return {"face": FACE, "voice": VOICE}.get(modality)

    def dim(self, modality: str) -> int:
        """Return how many numbers a vector of `modality` has."""
        spec = self.spec(modality)
        return spec.dim if spec else self.space.dim

    def scorer(self, modality: str, train: Dataset | None) -> ModalityScorer:
        """Return a new network for `modality`, standardising as `train` asks for."""
        branch = self.recipe.branch(modality)
        torch.manual_seed(self.recipe.seed + MODALITIES.index(modality))
        encoder = BRANCHES[modality](
            self.dim(modality), branch.width, self.recipe.joint, branch.dropout, branch.noise
        )
        recipe = self.recipe
        word_map = WordMap(
            self.space.dim,
            recipe.joint,
            recipe.word_rank,
            self.lexicon.fit(),
            affect_share=branch.affect_share,
            meaning_share=branch.meaning_share,
        )
        word_map.common.copy_(torch.from_numpy(self.words.all.mean(axis=0)))
        scorer = ModalityScorer(encoder, word_map, self.dim(modality))
        if train is not None and not isinstance(encoder, VoiceBranch):
            standardize_on(encoder.standardize, train, self.ignored(modality))
            if scorer.meaning is not None:
                scorer.meaning.common.copy_(encoder.standardize.mean)
        return scorer

    def ignored(self, modality: str) -> list[int]:
        """Return the positions of the features that the recipe ignores.

        Raises:
            RecipeError: There is no such feature.
        """
        names = self.recipe.branch(modality).ignore
        spec = self.spec(modality)
        if names and modality == "voice":
            raise RecipeError("branches.voice.ignore: voice features are all used; leave it empty")
        known: Sequence[str] = spec.names if spec else ()
        unknown = [name for name in names if name not in known]
        if unknown:
            raise RecipeError(f"branches.{modality}.ignore: there is no feature {', '.join(unknown)}")
        return [known.index(name) for name in names]


def standardize_on(standardize: Standardize, train: Dataset, ignored: Sequence[int]) -> None:
    """Set mean and scale to those of the first examples, spread over the set; scale 0 for ignored ones."""
    count = len(train.windows)
    rows = np.unique(np.linspace(0, count - 1, min(count, _STANDARDIZED_ON)).astype(np.int64))
    values, mask = train.windows.windows(rows)
    seen = values[mask > 0]
    scale = 1 / np.maximum(seen.std(axis=0), _LEAST_STD)
    scale[list(ignored)] = 0
    standardize.mean.copy_(torch.from_numpy(seen.mean(axis=0)))
    standardize.scale.copy_(torch.from_numpy(scale))
