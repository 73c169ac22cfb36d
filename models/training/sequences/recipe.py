"""The recipe of a network on a sequence corpus: the paper's, or one that it is measured against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from models.bundle_manifest import SpaceName
from models.training.corpora.sequences import SEQUENCES, SequenceName
from stream.yaml_file import Section

Dropout = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[int, Field(gt=0)]
Weights: TypeAlias = Literal["float32", "int8"]


class Recurrent(Section):
    """What all recurrent networks have."""

    layers: Size = 1
    bidirectional: bool = False
    dropout: Dropout = Field(default=0.0, description="between layers, and in the perceptron of a baseline")


class EmotionEmbeddings(Recurrent):
    """The paper's network: sequences scored against the word embeddings of emotions."""

    type: Literal["emotion-embeddings"]
    space: SpaceName = Field(description="embedding space of the emotion words")
    words: dict[str, str] = Field(
        default={}, description="the word that stands for an emotion, where it is not its name in the corpus"
    )
    cell: Literal["lstm", "gru"] = "lstm"
    hidden: dict[SequenceName, Size] = Field(
        description="state size of each encoder; that of text is the size of the word embeddings"
    )

    def word(self, emotion: str) -> str:
        """Return the word that stands for an emotion."""
        return self.words.get(emotion, emotion)


class EarlyFusion(Recurrent):
    """One LSTM over the features of all modalities side by side."""

    type: Literal["early-fusion"]
    hidden: Size = Field(description="state size")


class LateFusion(Recurrent):
    """An LSTM a modality, their last states side by side."""

    type: Literal["late-fusion"]
    hidden: dict[SequenceName, Size] = Field(description="state size of each LSTM")


class CrossmodalTransformer(Section):
    """MulT: every modality attends to every other (Tsai et al. 2019)."""

    type: Literal["mult"]
    width: Size = Field(default=40, description="common width; even, and a multiple of heads")
    heads: Size = 8
    layers: Size = 4
    kernel: Size = Field(default=3, description="steps that the convolution sees; odd")
    dropout: Dropout = 0.1

    @model_validator(mode="after")
    def _fits(self) -> CrossmodalTransformer:
        if self.width % 2 or self.width % self.heads or self.kernel % 2 == 0:
            raise ValueError("width must be even and a multiple of heads, kernel odd")
        return self


Network: TypeAlias = Annotated[
    EmotionEmbeddings | EarlyFusion | LateFusion | CrossmodalTransformer, Field(discriminator="type")
]


class Schedule(Section):
    """How a network is fitted, with Adam."""

    rate: float = Field(gt=0, description="learning rate at the start")
    decay: float = Field(default=0.0, ge=0, description="weight decay")
    batch: Size
    epochs: Size
    patience: Size = Field(description="epochs without a better validation score before it stops")
    plateau: Size = Field(
        description="epochs without a lower validation loss before the rate falls to a tenth"
    )
    clip: float = Field(gt=0, description="largest norm of a gradient")


class FineTuning(Schedule):
    """How a network that was trained without an emotion learns it from a few examples."""

    rehearse: bool = Field(
        default=False,
        description="take no step that worsens the emotions learned before (gradient episodic memory)",
    )


class Unseen(Section):
    """An emotion that training does without, or with a few examples of."""

    emotion: str
    fraction: float = Field(
        default=0.0, ge=0, lt=1, description="share of its examples to learn from; 0 for zero-shot"
    )
    fine_tuning: FineTuning | None = Field(
        default=None, description="learn the few afterwards; without it, among all others from the start"
    )

    @model_validator(mode="after")
    def _has_something_to_tune_on(self) -> Unseen:
        if self.fine_tuning and not self.fraction:
            raise ValueError("fine_tuning needs a fraction of the emotion's examples")
        return self


class SequenceRecipe(Section):
    """Everything that decides how a bundle comes out, apart from the corpus itself."""

    name: str = Field(min_length=1)
    version: str = Field(pattern=r"^[\w.-]+@\d+$")
    licence: str = Field(min_length=1, description="what the weights may be used for")
    data: Path = Field(description="folder of the corpora, relative to the working folder")
    corpus: Literal["iemocap", "mosei"]
    seed: int
    modalities: list[SequenceName] = Field(default=list(SEQUENCES), min_length=1)
    network: Network
    training: Schedule
    chosen_by: Literal["weighted_accuracy", "accuracy", "auc"] = Field(
        description="what of the validation part, averaged over emotions, decides which epoch is kept"
    )
    weights: Weights = Field(
        default="float32",
        description="of LSTMs in the bundle; int8 is a quarter of the size, faster on a CPU, and a little "
        "less accurate: `emostream evaluate` measures what is in the bundle",
    )
    unseen: Unseen | None = None
    notes: list[str] = Field(default=[], description="what was tried on the way; goes into the card")

    @model_validator(mode="after")
    def _consistent(self) -> SequenceRecipe:
        hidden = getattr(self.network, "hidden", None)
        if isinstance(hidden, dict):
            missing = set(self.modalities) - set(hidden)
            if missing:
                raise ValueError(f"network.hidden: {', '.join(sorted(missing))} missing")
        if self.unseen and not isinstance(self.network, EmotionEmbeddings):
            if not self.unseen.fraction:
                raise ValueError(f"unseen: a {self.network.type} network has no score for what it never saw")
            if self.unseen.fine_tuning:
                raise ValueError(
                    f"unseen.fine_tuning: a {self.network.type} network takes no further emotion"
                )
        if self.weights == "int8" and (
            self.network.type == "mult" or getattr(self.network, "cell", "") == "gru"
        ):
            raise ValueError("weights: int8 is for LSTMs, of which this network has none; leave it out")
        return self

    @property
    def sequences(self) -> tuple[SequenceName, ...]:
        """The modalities that are used, in the common order."""
        return tuple(name for name in SEQUENCES if name in self.modalities)
