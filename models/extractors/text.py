"""Heard words to word vectors."""

from __future__ import annotations

from collections.abc import Iterable

from models.embeddings.space import EmbeddingSpace
from models.spec import FeatureSpec
from stream.messages import TextUtterance, Utterance


class TextExtractor:
    """Gives each word of an utterance its vector in an embedding space.

    An utterance that changed is encoded anew as a whole: where the space is contextual, a corrected word
    changes its neighbours too.

    Attributes:
        spec: `text-<space>@1`; the numbers of a vector have no meaning of their own.
    """

    def __init__(self, space: EmbeddingSpace) -> None:
        self._space = space
        names = tuple(f"{space.name}[{i}]" for i in range(space.dim))
        self.spec = FeatureSpec(name=f"text-{space.name}@1", modality="text", dim=space.dim, names=names)

    def extract(self, utterances: Iterable[Utterance]) -> list[TextUtterance]:
        """Return each of `utterances` with a vector a word; a zero row is a word without one."""
        return [
            TextUtterance(
                id=utterance.id,
                final=utterance.final,
                words=utterance.words,
                vectors=self._space.utterance([word.text for word in utterance.words]),
            )
            for utterance in utterances
        ]
