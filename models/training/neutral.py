"""What a bundle says of everybody's neutral faces and speech: where the personal baseline starts from.

    python -m models.training.neutral BUNDLE --data FOLDER

measures it and writes it into the bundle's `model.yaml`, as training does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.assets import asset_path
from models.backends import Backend, open_backend
from models.baseline.excess import NEUTRAL
from models.bundle import Bundle, load_bundle
from models.bundle_manifest import MODALITIES, NeutralSection, read_manifest, write_manifest
from models.cache import cache_folder
from models.embeddings import EmbeddingSpace, open_space
from models.training.assembly import CorpusLoader
from models.training.corpora import EmptyPartError, Example
from models.training.datasets import Windows, right_aligned
from models.training.extraction import ClipExtraction, FaceExtraction
from models.training.features import Extraction, FeatureTable
from models.training.scoring import empty_inputs
from models.training.speakers import clip_windows
from stream.errors import UserError
from stream.messages import Float32Array

_DIGITS = 4
_AT_ONCE = 64


def add_neutral(bundle: Bundle, loader: CorpusLoader, space: EmbeddingSpace) -> Bundle:
    """Measure a bundle on the neutral examples it was trained on, write that into it, and load it again.

    A voice is normalised from its neutral speech alone, as when a new speaker begins at rest. Every speaker
    counts the same, and every corpus.

    Raises:
        CorpusError: A corpus that the bundle was trained on is missing or malformed.
    """
    manifest = read_manifest(bundle.folder)
    backend = open_backend(bundle)
    words = np.stack([space.phrase(word) for word in bundle.phrases])
    means: dict[str, list[Float32Array]] = {"face": [], "voice": []}
    spreads: dict[str, list[float]] = {"face": [], "voice": []}
    for source in manifest.sources:
        if source.modality in means and NEUTRAL in loader.corpus(source.name).concepts:
            cosines, people = _measured(bundle, backend, loader, source.name, words)
            own = [cosines[np.array(people) == person] for person in sorted(set(people))]
            if own:
                means[source.modality].append(np.mean([each.mean(axis=0) for each in own], axis=0))
            spreads[source.modality] += _spread(own if all(people) else [])
    # No corpus of faces may have several of one person; then they spread as voices do.
    everybody = [spread for several in spreads.values() for spread in several]
    neutral = {}
    for modality, corpora in means.items():
        if corpora and everybody:
            by_word = dict(zip(bundle.phrases, np.mean(corpora, axis=0).tolist(), strict=True))
            neutral[modality] = NeutralSection(
                cosines={
                    concept: [round(by_word[word], _DIGITS) for word in several]
                    for concept, several in bundle.words.items()
                },
                spread=round(float(np.mean(spreads[modality] or everybody)), _DIGITS),
            )
    write_manifest(bundle.folder, manifest.model_copy(update={"neutral": neutral}))
    return load_bundle(bundle.folder)


def _measured(
    bundle: Bundle, backend: Backend, loader: CorpusLoader, name: str, words: Float32Array
) -> tuple[Float32Array, list[str]]:
    """Return cosines `[n, W]` of the neutral training examples of a corpus, and whose each of them is."""
    modality = loader.corpus(name).modality
    try:
        batches, people = {"face": _faces, "voice": _voices}[modality](bundle, loader, name)
    except EmptyPartError:
        return np.zeros((0, len(words)), np.float32), []
    cosines = [modality_cosines(bundle, backend, modality, batch, words) for batch in batches]
    return np.concatenate([np.zeros((0, len(words)), np.float32), *cosines]), people


def _spread(own: Sequence[Float32Array]) -> list[float]:
    """Return how far examples are from the mean of the same person, if anybody has two."""
    found = [np.square(each - each.mean(axis=0)).mean() for each in own if len(each) > 1]
    return [float(np.mean(np.sqrt(found)))] if found else []


def _faces(bundle: Bundle, loader: CorpusLoader, name: str) -> tuple[Iterator[Windows], list[str]]:
    examples, table = _neutral_part(loader, name, FaceExtraction(asset_path("face_landmarker")))
    shown = np.flatnonzero(table.counts).tolist()
    steps = bundle.modalities["face"].steps
    batches = (
        right_aligned([table[i] for i in shown[start : start + _AT_ONCE]], steps)
        for start in range(0, len(shown), _AT_ONCE)
    )
    return batches, [examples[i].speaker for i in shown]


def _voices(bundle: Bundle, loader: CorpusLoader, name: str) -> tuple[Iterator[Windows], list[str]]:
    examples, clips = _neutral_part(loader, name, ClipExtraction(asset_path("silero-vad")))
    part = bundle.modalities["voice"]
    values, mask = clip_windows(
        examples,
        clips,
        bundle.speaker_prior,
        steps=part.steps,
        rate_hz=part.rate_hz or 0.0,
        random=np.random.default_rng(0),
    )
    batches = (
        (values[start : start + _AT_ONCE], mask[start : start + _AT_ONCE])
        for start in range(0, len(mask), _AT_ONCE)
    )
    return batches, [example.speaker for example in examples]


def _neutral_part(
    loader: CorpusLoader, name: str, extraction: Extraction
) -> tuple[list[Example], FeatureTable]:
    """Return the neutral training examples that can be read, and their features.

    Raises:
        EmptyPartError: There are none.
    """
    examples = [e for e in loader.examples(name, "train") if NEUTRAL in e.concepts]
    kept, table = loader.features(name, examples, extraction).readable()
    return [examples[i] for i in kept], table


def modality_cosines(
    bundle: Bundle, backend: Backend, modality: str, windows: Windows, words: Float32Array
) -> Float32Array:
    """Return `[n, W]` cosines of windows of one modality to words `[W, E]`."""
    values, mask = windows
    inputs = empty_inputs(bundle, len(mask))
    inputs[modality][:, -values.shape[1] :] = values
    inputs[f"{modality}_mask"][:, -values.shape[1] :] = mask
    place = MODALITIES.index(modality)
    inputs["present"][:, place] = 1
    return np.asarray(1 - backend.run(inputs | {"emotions": words})["modality_distance"][:, place])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write; see the module."""
    parser = argparse.ArgumentParser(prog="python -m models.training.neutral", description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora it was trained on")
    parser.add_argument("--cache", type=Path, default=cache_folder() / "training", help="folder of features")
    given = parser.parse_args(arguments)
    try:
        bundle = load_bundle(given.bundle)
        bundle = add_neutral(
            bundle, CorpusLoader(given.data, given.cache / "features"), open_space(bundle.space)
        )
    except UserError as error:
        sys.exit(f"error: {error}")
    for modality, part in bundle.neutral.items():
        named = dict(zip(bundle.phrases, part.cosines.tolist(), strict=True))
        first = ", ".join(f"{words[0]} {named[words[0]]:+.2f}" for words in bundle.words.values())
        sys.stdout.write(f"{modality}: {first}; spread {part.spread}\n")


if __name__ == "__main__":
    main()
