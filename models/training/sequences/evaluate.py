"""How good a bundle for a sequence corpus is, under the paper's protocols.

What a bundle was trained on is measured on its graph, without PyTorch. A zero-shot or few-shot figure needs a
network that did without the emotion, so unless the bundle is one, its recipe is trained anew without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.embeddings import open_space
from models.training.corpora.sequences import SequenceName
from models.training.recipe import RecipeError
from models.training.sequences.bundle import SequenceBundle
from models.training.sequences.protocol import PROTOCOLS, CorpusParts
from models.training.sequences.recipe import EmotionEmbeddings, FineTuning, SequenceRecipe, Unseen
from models.training.sequences.results import Results, emotion_results
from models.training.sequences.words import emotion_vectors
from stream.messages import Float32Array

Metrics = dict[str, Any]
"""What `metrics.json` holds: `bundle`, `sha256`, and under `corpora` the corpus with `accuracy` (which kind),
`sequences` and `protocols`: a list of `Results`, each with its `protocol` and, if there is one, `unseen`."""

EpochReport = Callable[[str, int, float, float], None]
"""Called after an epoch with what is fitted, the epoch from 1, its mean loss and its validation score."""


@dataclass(frozen=True)
class Anew:
    """How a network is trained that a protocol needs.

    Attributes:
        cache: Folder of checkpoints, and of the bundles trained for a protocol.
        device: `auto`, `cpu` or `cuda`.
        stage: Told what begins.
        epoch: Told of every epoch.
    """

    cache: Path
    device: str
    stage: Callable[[str], None]
    epoch: EpochReport


def evaluate_sequences(
    folder: Path,
    *,
    data: Path,
    anew: Anew,
    sequences: Sequence[SequenceName] = (),
    zero_shot: Sequence[str] = (),
    few_shot: Sequence[str] = (),
    fraction: float = 0.01,
) -> Metrics:
    """Measure a bundle on the test part of its corpus.

    Args:
        folder: Of the bundle.
        data: Folder of the corpora.
        anew: How to train what a protocol needs; unused without `zero_shot` and `few_shot`.
        sequences: Which modalities to use, if not all that the bundle reads.
        zero_shot: Emotions each of which is left out of training in turn; `all` for every one that can be.
        few_shot: Emotions of each of which, in turn, training sees few examples; likewise.
        fraction: Share of its examples that few are, 0..1.

    Raises:
        BundleError: The bundle cannot be used, or cannot do without a modality.
        CorpusError: The corpus is missing or malformed, or an emotion cannot be unseen in it.
        RecipeError: The bundle's network cannot score what it never saw, or `fraction` is no share.
        UnknownWordError: The embedding space does not know an emotion.
    """
    bundle = SequenceBundle(folder)
    recipe = bundle.manifest.recipe
    tuning = recipe.unseen.fine_tuning if recipe.unseen else None
    variants = [_variant(recipe, emotion, 0.0, None) for emotion in _each(recipe, zero_shot)]
    variants += [_variant(recipe, emotion, fraction, tuning) for emotion in _each(recipe, few_shot)]
    found = [measure(bundle, data, sequences)]
    for variant in variants:
        if variant.unseen != recipe.unseen:
            found += [measure(_trained(variant, data, anew), data, sequences)]
    return metrics_of(bundle, found, sequences)


def measure(bundle: SequenceBundle, data: Path, sequences: Sequence[SequenceName] = ()) -> Results:
    """Return the results of a bundle under the protocol that it was trained for."""
    recipe = bundle.manifest.recipe
    parts = CorpusParts(recipe.corpus, data, recipe.unseen, recipe.seed)
    test = parts.whole("test")
    words = words_of(recipe, test.emotions)
    _, probability = bundle.score(test, words, sequences)
    results = emotion_results(test, probability, bundle.manifest.thresholds, parts.protocol.accuracy)
    protocol: Results = {"protocol": protocol_name(recipe.unseen), "sha256": bundle.manifest.sha256}
    if recipe.unseen:
        protocol |= {"unseen": recipe.unseen.emotion, "fraction": recipe.unseen.fraction}
    return protocol | results


def metrics_of(
    bundle: SequenceBundle, found: Sequence[Results], sequences: Sequence[SequenceName] = ()
) -> Metrics:
    """Return what `metrics.json` holds of the results of a bundle."""
    manifest = bundle.manifest
    corpus = {
        "accuracy": PROTOCOLS[manifest.recipe.corpus].accuracy,
        "sequences": [name for name in manifest.in_order() if not sequences or name in sequences],
        "protocols": list(found),
    }
    return {
        "bundle": manifest.version,
        "sha256": manifest.sha256,
        "corpora": {manifest.recipe.corpus: corpus},
    }


def words_of(recipe: SequenceRecipe, emotions: Sequence[str]) -> Float32Array | None:
    """Return the word vectors `[C, E]` of emotions in a recipe's space; none for a classifier."""
    network = recipe.network
    if not isinstance(network, EmotionEmbeddings):
        return None
    return emotion_vectors(open_space(network.space), [network.word(emotion) for emotion in emotions])


def protocol_name(unseen: Unseen | None) -> str:
    """Return what a protocol is called: `supervised`, `zero-shot` or `few-shot`."""
    if unseen is None:
        return "supervised"
    return "few-shot" if unseen.fraction else "zero-shot"


def _each(recipe: SequenceRecipe, emotions: Sequence[str]) -> Sequence[str]:
    return PROTOCOLS[recipe.corpus].unseen if "all" in emotions else emotions


def _variant(
    recipe: SequenceRecipe, emotion: str, fraction: float, tuning: FineTuning | None
) -> SequenceRecipe:
    """Return the recipe for an unseen emotion, under a name of its own."""
    name = f"{recipe.name}-{'few-shot' if fraction else 'zero-shot'}-{emotion}"
    unseen = {"emotion": emotion, "fraction": fraction, "fine_tuning": tuning}
    options = recipe.model_dump() | {"name": name, "version": f"{name}@1", "unseen": unseen}
    try:
        return SequenceRecipe.model_validate(options)
    except ValidationError as error:
        problems = (str(problem["msg"]).removeprefix("Value error, ") for problem in error.errors())
        raise RecipeError(
            f"{emotion!r} as unseen emotion of {recipe.version}: {'; '.join(problems)}"
        ) from error


def _trained(recipe: SequenceRecipe, data: Path, anew: Anew) -> SequenceBundle:
    # PyTorch takes seconds to import, and is not there where nothing is trained.
    from models.training.sequences.train import train_sequences  # noqa: PLC0415

    return train_sequences(
        recipe,
        data=data,
        out=anew.cache / "protocols" / recipe.name,
        cache=anew.cache,
        device=anew.device,
        stage=anew.stage,
        epoch=anew.epoch,
    )
