"""Where emotion words lie on valence, arousal and dominance, and where a word nobody rated would lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.embeddings import EmbeddingSpace
from models.training.vectors import unit
from stream.errors import UserError
from stream.messages import Float32Array

AXES = ("valence", "arousal", "dominance")
DIRECTIONS = len(AXES) + 1
"""Numbers in a direction: the axes and a constant."""

_RIDGE = 0.3
# The constant gives words without affect, such as `neutral`, a direction of their own; dominance counts for
# less because faces and voices tell least about it.
_CONSTANT = 0.7
_WEIGHTS = (1.0, 1.0, 0.7)
_UNIT = 1.5  # rating points that count as much as the weights say


class UnratedConceptError(UserError):
    """A concept whose first word the recipe does not rate."""


class AffectLexicon:
    """Emotion words with their ratings on `AXES`.

    Args:
        space: Where the words are embedded.
        ratings: Valence, arousal and dominance of each word, -2..2.

    Raises:
        UnknownWordError: The space does not know one of them.
    """

    def __init__(self, space: EmbeddingSpace, ratings: Mapping[str, Sequence[float]]) -> None:
        self._ratings = dict(ratings)
        self.vectors: Float32Array = np.stack([space.phrase(word) for word in ratings])
        """`[W, E]`."""
        self.directions: Float32Array = directions(
            torch.tensor(list(ratings.values()), dtype=torch.float32)
        ).numpy()
        """`[W, DIRECTIONS]`, of length one."""

    def of(self, words: Sequence[str]) -> Float32Array:
        """Return the directions of some of its words, `[len(words), DIRECTIONS]`.

        Raises:
            UnratedConceptError: One has no rating.
        """
        known = list(self._ratings)
        for word in words:
            if word not in self._ratings:
                raise UnratedConceptError(
                    f"{word!r} has no rating; add it to `affect` of the recipe ({', '.join(AXES)}, -2..2)"
                )
        return self.directions[[known.index(word) for word in words]]

    def draw(self, count: int, random: np.random.Generator) -> tuple[Float32Array, Float32Array]:
        """Return vectors `[n, E]` and directions of up to `count` different words, drawn at random."""
        drawn = random.permutation(len(self.vectors))[:count]
        return self.vectors[drawn], self.directions[drawn]

    def fit(self) -> AffectMap:
        """Return the ridge regression from word vectors to ratings."""
        vectors = unit(torch.from_numpy(self.vectors)).numpy().astype(np.float64)
        ratings = np.array(list(self._ratings.values()), np.float64)
        middle, level = vectors.mean(axis=0), ratings.mean(axis=0)
        centred = vectors - middle
        gram = centred.T @ centred + _RIDGE * np.eye(vectors.shape[1])
        weight = np.linalg.solve(gram, centred.T @ (ratings - level))
        return AffectMap(weight.astype(np.float32), (level - middle @ weight).astype(np.float32))


class AffectMap(nn.Module):
    """Gives any emotion word a direction by what its vector says of its affect; it is not trained further.

    Args:
        weight: `[E, 3]`.
        level: `[3]`.
    """

    weight: Tensor
    level: Tensor

    def __init__(self, weight: Float32Array, level: Float32Array) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(weight))
        self.register_buffer("level", torch.from_numpy(level))

    def forward(self, emotions: Tensor) -> Tensor:
        """Return unit vectors `[K, DIRECTIONS]` for words `[K, E]`."""
        return directions(unit(emotions) @ self.weight + self.level)


def directions(ratings: Tensor) -> Tensor:
    """Return ratings `[K, 3]` as unit vectors `[K, DIRECTIONS]`."""
    scaled = ratings * torch.tensor(_WEIGHTS, device=ratings.device) / _UNIT
    return unit(nn.functional.pad(scaled, (0, 1), value=_CONSTANT))
