"""A training recipe: the YAML that says what is trained on what, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.bundle_manifest import MODALITIES, SpaceName
from stream.errors import UserError
from stream.yaml_file import Section, YamlFileError, load_yaml


class RecipeError(UserError):
    """A recipe that cannot be used; the message names the file, the key and what is wrong."""


Rating = Annotated[float, Field(ge=-2, le=2)]


class Branch(Section):
    """One modality: its corpora, its part of the window, its encoder and how that is trained."""

    corpora: list[str] = Field(min_length=1, description="corpora to learn from")
    repeats: dict[str, int] = Field(
        default={}, description="how many times a corpus is learned from in an epoch, where not once"
    )
    rate_hz: float | None = Field(default=None, gt=0, description="bins a second; words have none")
    words: int | None = Field(default=None, gt=0, description="words in a window, where there is no rate")
    floor: float = Field(ge=0, le=1, description="coverage below which the modality is not used live")
    ignore: list[str] = Field(
        default=[], description="features that tell the corpus from life rather than emotions apart"
    )
    views: list[Literal["mirrored", "heard"]] = Field(
        default=[], description="further views of the training examples: faces mirrored, words as heard"
    )
    width: int = Field(gt=0, description="hidden units")
    dropout: float = Field(ge=0, lt=1)
    noise: float = Field(default=0.0, ge=0, description="standard deviation of noise on normalised features")
    mixup: float = Field(default=0.0, ge=0, description="alpha of mixup's Beta distribution; 0 for none")
    crop: float = Field(default=0.0, ge=0, le=1, description="share of windows that are cropped at random")
    smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of the target that goes to similar words"
    )
    affect_share: float = Field(
        default=0.0, ge=0, le=1, description="how much of a cosine the words' affect decides"
    )
    meaning_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="how much of a cosine the embedding of what is heard decides by itself; words only",
    )
    spread: float = Field(
        default=0.0,
        ge=0,
        description="weight of the loss that spreads each label over the rated words by their affect",
    )
    balance: float = Field(
        default=0.0, ge=0, le=1, description="0 takes classes as they come, 1 as if all were equally many"
    )
    rate: float = Field(gt=0, description="peak learning rate")
    decay: float = Field(ge=0, description="weight decay")
    batch: int = Field(gt=0)
    epochs: int = Field(gt=0)
    patience: int = Field(gt=0, description="epochs without a better validation score before it stops")
    refits: int = Field(
        default=0,
        ge=0,
        description="how many fits follow on training and validation parts together, each from another seed; "
        "the mean of their cosines is then what the bundle gives",
    )
    zero_shot_epochs: int | None = Field(
        default=None, gt=0, description="epochs of the fits that leave a word out, if not as many"
    )


class Recipe(Section):
    """Everything that decides how a bundle comes out, apart from the data itself."""

    name: str = Field(min_length=1)
    version: str = Field(pattern=r"^[\w.-]+@\d+$")
    licence: str = Field(min_length=1, description="the strictest among those of the corpora")
    data: Path = Field(description="folder of the corpora, relative to the working folder")
    space: SpaceName = Field(description="embedding space of emotion words and heard words")
    seed: int
    window_s: float = Field(gt=0)
    speaker_prior_s: float = Field(
        gt=0, description="seconds of speech that the prior of speaker normalisation counts for"
    )
    joint: int = Field(gt=4, description="dimension of the space of cosines; four of it are affect")
    word_rank: int = Field(gt=0, description="rank of the map from emotion words into that space")
    words: dict[str, list[str]] = Field(description="the words of each concept; the first stands for it")
    affect: dict[str, tuple[Rating, Rating, Rating]] = Field(
        min_length=1, description="valence, arousal and dominance of emotion words, -2..2"
    )
    notes: list[str] = Field(default=[], description="what was tried on the way; goes into the card")
    branches: dict[Literal["face", "voice", "text"], Branch]

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        missing = set(MODALITIES) - set(self.branches)
        if missing:
            raise ValueError(f"branches: {', '.join(sorted(missing))} missing")
        for name, branch in self.branches.items():
            if (branch.rate_hz is None) == (branch.words is None):
                raise ValueError(f"branches.{name}: give one of rate_hz and words")
            if branch.meaning_share and branch.words is None:
                raise ValueError(f"branches.{name}.meaning_share: only what is heard in words has meanings")
        if self.steps("voice") % 2:
            raise ValueError("branches.voice.rate_hz: a window must hold an even number of bins")
        for concept, words in self.words.items():
            if not words:
                raise ValueError(f"words.{concept} is empty")
        return self

    def branch(self, modality: str) -> Branch:
        """Return the branch of `modality`, one of `MODALITIES`."""
        return {str(name): branch for name, branch in self.branches.items()}[modality]

    def steps(self, modality: str) -> int:
        """Return how many bins, or words, of `modality` a window has."""
        branch = self.branch(modality)
        return branch.words or round((branch.rate_hz or 0) * self.window_s)


def load_recipe(path: Path) -> Recipe:
    """Read the recipe `path`.

    Raises:
        RecipeError: It is missing, no YAML, or has a key that is unknown, missing or wrong.
    """
    try:
        return load_yaml(path, Recipe)
    except YamlFileError as error:
        raise RecipeError(str(error)) from error
