"""Test parts, and the probabilities that a bundle's graph gives them, one modality at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.backends import open_backend
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.embeddings import EmbeddingSpace
from models.training.assembly import CorpusLoader, load_clips, load_comments, load_faces
from models.training.corpora import Split, corpora_in
from models.training.datasets import Dataset
from models.training.words import ConceptWords
from stream.messages import Float32Array, Int64Array

_AT_ONCE = 64


class BundleScores:
    """What a bundle gives for the examples of corpora.

    A label that the bundle has no words for is scored as the word that it is.

    Args:
        bundle: What is measured.
        loader: Where the corpora come from.
        space: The bundle's embedding space.
        corpora: By name; all that the loader's folder holds if none are named.

    Raises:
        CorpusError: A corpus is unknown, missing or malformed.
        BundleError: `space` is another than the bundle's.
        UnknownWordError: The space does not know a label.
    """

    def __init__(
        self, bundle: Bundle, loader: CorpusLoader, space: EmbeddingSpace, corpora: Sequence[str] = ()
    ) -> None:
        bundle.check_space(space.name)
        self.corpora = list(corpora) or corpora_in(loader.data)
        labels = {concept: (concept,) for name in self.corpora for concept in loader.corpus(name).concepts}
        self.bundle = bundle
        self.loader = loader
        self.words = ConceptWords(space, {**labels, **bundle.words})
        self._backend = open_backend(bundle, threads=2)

    def dataset(self, name: str, split: Split) -> Dataset:
        """Return the windows of one part of a corpus, as the daemon would see them.

        Of stills and videos those in which a face is found; each clip heard after those of the same speaker
        before it.

        Raises:
            EmptyPartError: Nothing in it can be used.
        """
        modality = self.loader.corpus(name).modality
        part = self.bundle.modalities[modality]
        if modality == "face":
            return load_faces(self.loader, [name], split, steps=part.steps).dataset
        if modality == "voice":
            prior, rate_hz = self.bundle.speaker_prior, part.rate_hz or 0.0
            return load_clips(self.loader, [name], split, prior, steps=part.steps, rate_hz=rate_hz)
        return load_comments(self.loader, [name], split, self.bundle.space, words=part.steps)

    def probability(self, modality: str, dataset: Dataset, concepts: Sequence[str]) -> Float32Array:
        """Return `[n, K]`: the fused probability of each concept with only `modality` present."""
        return self.together(
            {modality: (dataset, np.arange(len(dataset.windows)))}, self.words.first(concepts)
        )

    def together(
        self, parts: Mapping[str, tuple[Dataset, Int64Array]], emotions: Float32Array
    ) -> Float32Array:
        """Return `[n, K]`: the fused probabilities of windows put together from examples of some modalities.

        Args:
            parts: By modality, a dataset and the `[n]` examples of it; the other modalities are absent.
            emotions: `[K, E]`, the words.
        """
        found = []
        count = len(next(iter(parts.values()))[1])
        for start in range(0, count, _AT_ONCE):
            inputs = empty_inputs(self.bundle, min(_AT_ONCE, count - start))
            for modality, (dataset, examples) in parts.items():
                values, mask = dataset.windows.windows(examples[start : start + _AT_ONCE])
                inputs[modality][:, -values.shape[1] :] = values
                inputs[f"{modality}_mask"][:, -values.shape[1] :] = mask
                inputs["present"][:, MODALITIES.index(modality)] = 1
            found.append(self._backend.run(inputs | {"emotions": emotions})["probability"])
        return np.concatenate(found)


def empty_inputs(bundle: Bundle, windows: int) -> dict[str, Float32Array]:
    """Return the graph's inputs, all but the emotions, for windows in which nothing is."""
    shapes: Mapping[str, tuple[int | None, ...]] = bundle.input_shapes()
    return {
        name: np.zeros((windows, *(size or 0 for size in shape[1:])), np.float32)
        for name, shape in shapes.items()
        if name != "emotions"
    }
