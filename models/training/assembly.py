"""From the corpora on disk to the windows of one modality: the way training and evaluation share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.assets import asset_path
from models.extractors.speaker import SpeakerPrior
from models.training.corpora import Corpus, EmptyPartError, Example, Split, open_corpus
from models.training.datasets import (
    Clips,
    Comments,
    Dataset,
    Joined,
    Stills,
    Windows,
    WindowSource,
    make_dataset,
    right_aligned,
)
from models.training.extraction import ClipExtraction, CommentExtraction, FaceExtraction
from models.training.features import Extraction, FeatureTable, Progress, load_features
from models.training.speakers import clip_windows, speaker_prior


@dataclass
class CorpusLoader:
    """Opens corpora and gives their features, extracting what the cache does not hold.

    Attributes:
        data: Folder of the corpora.
        cache: Folder of the features.
        processes: How many extract at the same time.
        progress: Told how far extraction is.
        told: Told, once each, of the examples that cannot be read and are passed over.
        skipped: Why an example was passed over, by corpus and key.
    """

    data: Path
    cache: Path
    processes: int = 1
    progress: Progress | None = None
    told: Callable[[str], None] | None = None
    skipped: dict[str, dict[str, str]] = field(default_factory=dict)
    _corpora: dict[str, Corpus] = field(default_factory=dict)

    def corpus(self, name: str) -> Corpus:
        """Return the corpus `name`.

        Raises:
            CorpusError: It is unknown or missing.
        """
        if name not in self._corpora:
            self._corpora[name] = open_corpus(name, self.data)
        return self._corpora[name]

    def add(self, corpus: Corpus) -> None:
        """Take an opened corpus, to be found by its name like the others."""
        self._corpora[corpus.name] = corpus

    def examples(self, name: str, split: Split) -> list[Example]:
        """Return the examples of one part of a corpus."""
        return [example for example in self.corpus(name).examples() if example.split == split]

    def read(self, name: str, split: Split, extraction: Extraction) -> tuple[list[Example], FeatureTable]:
        """Return the examples of one part that can be read, and their features.

        Raises:
            EmptyPartError: The corpus has no such part, or nothing of it can be read.
        """
        examples = self.examples(name, split)
        if not examples:
            raise EmptyPartError(f"{name} has no {split} part; add examples to it")
        kept, table = self.features(name, examples, extraction).readable()
        return [examples[i] for i in kept], table

    def features(self, name: str, examples: Sequence[Example], extraction: Extraction) -> FeatureTable:
        """Return the features of some examples of a corpus, none of those that cannot be read."""
        table = load_features(
            self.corpus(name),
            examples,
            extraction,
            cache=self.cache,
            processes=self.processes,
            progress=self.progress,
        )
        skipped = self.skipped.setdefault(name, {})
        for i, reason in sorted(table.broken.items()):
            key = examples[i].key
            if self.told is not None and key not in skipped:
                self.told(f"{name}: {key} is skipped: {reason}")
            skipped[key] = reason
        return table

    def skipped_in(self, name: str, split: Split) -> int:
        """Return how many examples of one part were passed over so far."""
        skipped = self.skipped.get(name, {})
        return sum(example.key in skipped for example in self.examples(name, split))


@dataclass(frozen=True)
class Faces:
    """The faces found in one part of a corpus."""

    dataset: Dataset
    found: float
    """Share of the stills or videos in which one was, 0..1."""


def load_faces(
    loader: CorpusLoader, names: Sequence[str], split: Split, *, steps: int = 1, mirrored: bool = False
) -> Faces:
    """Return the stills and videos of `split` that show a face.

    Args:
        loader: Where the corpora come from.
        names: Which.
        split: Which part of them.
        steps: Frames of a video that a window holds at most; the last ones count.
        mirrored: Whether to draw from mirrored stills too.

    Raises:
        EmptyPartError: Nothing shows a face.
    """
    model = asset_path("face_landmarker")
    parts, total, found = [], 0, 0
    sources: list[WindowSource] = []
    for name in names:
        examples, table = loader.read(name, split, FaceExtraction(model))
        shown = np.flatnonzero(table.counts).tolist()
        total, found = total + len(examples), found + len(shown)
        if not shown:
            raise EmptyPartError(f"{name}: no face is found in any of its {len(examples)} {split} examples")
        kept = [examples[i] for i in shown]
        faces = [table[i] for i in shown]
        parts.append((loader.corpus(name), kept))
        if table.counts.max() > 1:
            sources.append(Clips([right_aligned(faces, steps)]))
            continue
        flipped = loader.features(name, kept, FaceExtraction(model, mirrored=True)) if mirrored else None
        sources.append(Stills(faces, flipped))
    return Faces(make_dataset(parts, Joined(sources)), found / total)


def load_prior(loader: CorpusLoader, names: Sequence[str], weight_s: float) -> SpeakerPrior:
    """Return the statistics of the speech of all training speakers."""
    clips = [clip for name in names for clip in _clips(loader, name, "train")[1]]
    return speaker_prior(clips, weight_s)


def load_clips(
    loader: CorpusLoader,
    names: Sequence[str],
    split: Split,
    prior: SpeakerPrior,
    *,
    steps: int,
    rate_hz: float,
    histories: int = 1,
    crop: float = 0.0,
) -> Dataset:
    """Return the clips of `split`, each under several histories of its speaker if wanted.

    A history is an order, drawn at random, in which a speaker's clips are heard; the first is always the same
    one. The order of their names would not do: it may be the order of the emotions, and how a voice is
    normalised would then tell them.
    """
    parts, takes = [], []
    for name in names:
        examples, clips = _clips(loader, name, split)
        parts.append((loader.corpus(name), examples))
        takes.append(
            [
                clip_windows(
                    examples,
                    clips,
                    prior,
                    steps=steps,
                    rate_hz=rate_hz,
                    random=np.random.default_rng(history),
                )
                for history in range(histories)
            ]
        )
    joined: list[Windows] = [
        (np.concatenate([v for v, _ in same]), np.concatenate([m for _, m in same]))
        for same in zip(*takes, strict=True)
    ]
    return make_dataset(parts, Clips(joined, crop))


def load_comments(
    loader: CorpusLoader,
    names: Sequence[str],
    split: Split,
    space: str,
    *,
    words: int,
    views: Sequence[str] = ("written",),
    crop: float = 0.0,
) -> Dataset:
    """Return the comments of `split`; `views` among `written` and `heard`, the first to test with."""
    parts, sources = [], []
    for name in names:
        first, *others = [CommentExtraction(space, heard=view == "heard") for view in views]
        examples, table = loader.read(name, split, first)
        tables = [table, *(loader.features(name, examples, view) for view in others)]
        parts.append((loader.corpus(name), examples))
        sources.append(Comments(tables, words, crop))
    return make_dataset(parts, Joined(sources))


def _clips(loader: CorpusLoader, name: str, split: Split) -> tuple[list[Example], FeatureTable]:
    return loader.read(name, split, ClipExtraction(asset_path("silero-vad")))
