"""Examples of one modality as windows, in batches, augmented where they are trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from models.training.corpora import Corpus, Example
from models.training.features import Features, FeatureTable
from models.training.metrics import BoolArray
from stream.messages import Float32Array, Int64Array

Windows = tuple[Float32Array, Float32Array]
"""Values `[N, T, D]` and mask `[N, T]`."""


class WindowSource(Protocol):
    """The windows of a list of examples."""

    def __len__(self) -> int:
        """How many examples."""

    def lengths(self) -> Int64Array:
        """Return `[n]`: how many steps the window of each example needs."""

    def windows(self, indices: Int64Array) -> Windows:
        """Return the windows of these examples as they are."""

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return the windows of these examples, varied at random."""


@dataclass(frozen=True)
class Dataset:
    """Windows with their targets.

    Attributes:
        windows: `[n]` examples.
        concepts: What the columns of `targets` stand for.
        targets: `[n, C]`, 1 where the example is labelled with the concept.
        allowed: `[n, C]`: the concepts of the example's corpus; the others are neither right nor wrong.
        corpora: Which corpus each example is from, by the corpus's name.
        multi_label: Whether examples may have several labels.
        examples: `[n]`, where they come from a corpus.
    """

    windows: WindowSource
    concepts: tuple[str, ...]
    targets: Float32Array
    allowed: BoolArray
    corpora: Mapping[str, Int64Array]
    multi_label: bool
    examples: tuple[Example, ...] = ()


def make_dataset(parts: Sequence[tuple[Corpus, Sequence[Example]]], windows: WindowSource) -> Dataset:
    """Return the dataset of the examples of several corpora, whose windows come in the same order."""
    concepts = tuple(dict.fromkeys(concept for corpus, _ in parts for concept in corpus.concepts))
    column = {concept: i for i, concept in enumerate(concepts)}
    count = sum(len(examples) for _, examples in parts)
    targets = np.zeros((count, len(concepts)), np.float32)
    allowed = np.zeros((count, len(concepts)), np.bool_)
    corpora, row = {}, 0
    for corpus, examples in parts:
        corpora[corpus.name] = np.arange(row, row + len(examples))
        for example in examples:
            targets[row, [column[concept] for concept in example.concepts]] = 1
            allowed[row, [column[concept] for concept in corpus.concepts]] = True
            row += 1
    several = any(corpus.multi_label for corpus, _ in parts)
    listed = tuple(example for _, examples in parts for example in examples)
    return Dataset(windows, concepts, targets, allowed, corpora, several, listed)


def joined(first: Dataset, second: Dataset) -> Dataset:
    """Return the examples of both, which are of the same corpora."""
    start = len(first.windows)
    return replace(
        first,
        windows=Joined([first.windows, second.windows]),
        targets=np.concatenate([first.targets, second.targets]),
        allowed=np.concatenate([first.allowed, second.allowed]),
        corpora={
            name: np.concatenate([rows, start + second.corpora[name]]) for name, rows in first.corpora.items()
        },
        examples=first.examples + second.examples,
    )


class Joined:
    """The windows of several sources one after the other, right-aligned with each other."""

    def __init__(self, sources: Sequence[WindowSource]) -> None:
        self._sources = list(sources)
        self._starts = np.cumsum([0, *(len(source) for source in sources)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def lengths(self) -> Int64Array:
        """Return `[n]`, those of the sources."""
        return np.concatenate([source.lengths() for source in self._sources])

    def windows(self, indices: Int64Array) -> Windows:
        """Return `[N, T, D]` and `[N, T]`, T that of the longest."""
        return self._gather(indices, lambda source, own: source.windows(own))

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return the windows as their sources vary them."""
        return self._gather(indices, lambda source, own: source.augmented(own, random))

    def _gather(self, indices: Int64Array, get: Callable[[WindowSource, Int64Array], Windows]) -> Windows:
        owner = np.searchsorted(self._starts, indices, side="right") - 1
        rows = [np.flatnonzero(owner == s) for s in range(len(self._sources))]
        parts = [
            get(source, indices[own] - start) if len(own) else None
            for source, own, start in zip(self._sources, rows, self._starts, strict=False)
        ]
        steps = max(part[1].shape[1] for part in parts if part)
        dim = next(part[0].shape[2] for part in parts if part)
        values = np.zeros((len(indices), steps, dim), np.float32)
        mask = np.zeros((len(indices), steps), np.float32)
        for own, part in zip(rows, parts, strict=True):
            if part:
                values[own, -part[1].shape[1] :], mask[own, -part[1].shape[1] :] = part
        return values, mask


class Stills:
    """Faces as windows of one frame.

    Args:
        faces: One vector an example.
        mirrored: The same faces mirrored, none where no face was found then; `None` to do without.
    """

    def __init__(self, faces: Iterable[Features], mirrored: Iterable[Features] | None = None) -> None:
        self._faces = np.stack([f.vectors[0] for f in faces])
        self._views = [self._faces]
        if mirrored is not None:
            flipped = [
                f.vectors[0] if len(f.vectors) else own for f, own in zip(mirrored, self._faces, strict=True)
            ]
            self._views.append(np.stack(flipped))

    def __len__(self) -> int:
        return len(self._faces)

    def lengths(self) -> Int64Array:
        """Return `[n]` ones."""
        return np.ones(len(self._faces), np.int64)

    def windows(self, indices: Int64Array) -> Windows:
        """Return `[N, 1, D]` and a mask of ones."""
        return self._faces[indices][:, None], np.ones((len(indices), 1), np.float32)

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return one view of each, drawn at random."""
        views = np.stack([view[indices] for view in self._views])
        drawn = views[random.integers(len(views), size=len(indices)), np.arange(len(indices))]
        return drawn[:, None], np.ones((len(indices), 1), np.float32)


class Clips:
    """Clips of speech as right-aligned windows.

    Args:
        takes: The same windows `[n, T, D]` and masks `[n, T]` under different histories of the speaker
            normalisation, the first being the one to test with.
        crop: Share of windows that lose their beginning or end when augmented.
    """

    def __init__(self, takes: Sequence[Windows], crop: float = 0.0) -> None:
        self._takes = list(takes)
        self._crop = crop

    def __len__(self) -> int:
        return len(self._takes[0][1])

    def lengths(self) -> Int64Array:
        """Return `[n]`, the same for all: clips are stored as whole windows."""
        _, mask = self._takes[0]
        return np.full(len(mask), mask.shape[1], np.int64)

    def windows(self, indices: Int64Array) -> Windows:
        """Return `[N, T, D]` and `[N, T]`."""
        values, mask = self._takes[0]
        return values[indices], mask[indices]

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return the windows under a random history, some cropped, with bands and stretches blanked."""
        values, mask = self._takes[random.integers(len(self._takes))]
        values, mask = values[indices].copy(), mask[indices].copy()
        steps, dim = values.shape[1:]
        for window, kept in zip(values, mask, strict=True):
            if random.random() < self._crop:
                _crop(kept, random)
            start = random.integers(steps)
            kept[start : start + random.integers(steps // 10 + 1)] = 0
            if not kept.any():
                kept[-1] = 1
            band = random.integers(dim)
            window[:, band : band + random.integers(dim // 8 + 1)] = 0
        return values * mask[..., None], mask


def right_aligned(clips: Sequence[Features], steps: int) -> Windows:
    """Return the last `steps` vectors of each clip as `[n, steps, D]` and mask, 0 where `speech` is 0."""
    values = np.zeros((len(clips), steps, clips[0].vectors.shape[1]), np.float32)
    mask = np.zeros((len(clips), steps), np.float32)
    for row, clip in enumerate(clips):
        last = clip.speech[-steps:]
        values[row, steps - len(last) :], mask[row, steps - len(last) :] = clip.vectors[-steps:], last
    return values, mask


def _crop(kept: Float32Array, random: np.random.Generator) -> None:
    speech = np.flatnonzero(kept)
    if len(speech):
        lost = random.integers(len(speech) // 2 + 1)
        if random.random() < 0.5:
            kept[speech[:lost]] = 0
        else:
            kept[speech[len(speech) - lost :]] = 0


class Comments:
    """Comments as right-aligned windows of word vectors, as wide as the longest in the batch.

    Args:
        views: The same comments as written and, if wanted, as heard.
        words: How many words a window holds at most; the last ones count.
        crop: Share of comments that lose words when augmented.
    """

    def __init__(self, views: Sequence[FeatureTable], words: int, crop: float = 0.0) -> None:
        self._views = list(views)
        self._words = words
        self._crop = crop

    def __len__(self) -> int:
        return len(self._views[0])

    def lengths(self) -> Int64Array:
        """Return `[n]`, up to the window's number of words."""
        return np.minimum(self._views[0].counts, self._words)

    def windows(self, indices: Int64Array) -> Windows:
        """Return `[N, W, E]` and `[N, W]` with W up to the window's number of words."""
        return self._stack([self._views[0][i].vectors for i in indices])

    def augmented(self, indices: Int64Array, random: np.random.Generator) -> Windows:
        """Return a random view of each, some reduced to their last words or with words dropped."""
        drawn = random.integers(len(self._views), size=len(indices))
        return self._stack(
            [self._vary(self._views[v][i].vectors, random) for i, v in zip(indices, drawn, strict=True)]
        )

    def _vary(self, words: Float32Array, random: np.random.Generator) -> Float32Array:
        if len(words) < 4 or random.random() >= self._crop:
            return words
        if random.random() < 0.5:
            return words[-int(random.integers(3, len(words) + 1)) :]
        return words[random.random(len(words)) > 0.15]

    def _stack(self, comments: Sequence[Float32Array]) -> Windows:
        longest = max(1, min(self._words, max(len(words) for words in comments)))
        values = np.zeros((len(comments), longest, comments[0].shape[1]), np.float32)
        mask = np.zeros((len(comments), longest), np.float32)
        for row, words in enumerate(comments):
            last = words[-longest:]
            if len(last):
                values[row, -len(last) :] = last
                mask[row, -len(last) :] = 1
        return values, mask
