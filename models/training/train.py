"""Trains a bundle as its recipe says: branches, calibration, graph, evaluation, card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.bundle import Bundle, load_bundle
from models.bundle_manifest import MODALITIES, read_manifest
from models.embeddings import open_space
from models.training.affect import AffectLexicon
from models.training.assembly import CorpusLoader, load_prior
from models.training.branch_fit import EpochReport, fit_branch
from models.training.calibration import calibrate
from models.training.card import TrainingRecord, card_text
from models.training.corpora import Corpus
from models.training.device import open_device
from models.training.ensemble import fit_ensemble
from models.training.evaluate import evaluate_bundle
from models.training.features import Progress
from models.training.metrics_file import as_json, together
from models.training.network import LiveNetwork
from models.training.neutral import add_neutral
from models.training.preparation import Preparation
from models.training.recipe import Recipe, RecipeError
from models.training.replacing import partial_folder, replace_folder
from models.training.scoring import BundleScores
from models.training.words import ConceptWords
from models.training.writing import write_bundle


@dataclass(frozen=True)
class Reports:
    """Who is told how far training is.

    Attributes:
        stage: Called with what begins.
        extraction: Told how far the extraction of features is.
        epoch: Told of every epoch of every branch.
        skipped: Told of every example that cannot be read.
    """

    stage: Callable[[str], None]
    extraction: Progress
    epoch: EpochReport
    skipped: Callable[[str], None]


def train_bundle(
    recipe: Recipe,
    *,
    data: Path,
    out: Path,
    cache: Path,
    reports: Reports,
    processes: int = 1,
    device: str = "cpu",
) -> Bundle:
    """Train, evaluate and write the bundle of `recipe`; the folder `out` is replaced at the very end.

    Stopped at any time, it goes on from the features and checkpoints in `cache` when called again.

    Args:
        recipe: What is trained on what.
        data: Folder of the corpora.
        out: Folder of the bundle.
        cache: Folder of features and checkpoints.
        reports: Who is told how far it is.
        processes: How many extract features at the same time.
        device: Where the branches are fitted: `auto`, `cpu` or `cuda`.

    Raises:
        DeviceError: There is no such device.
        CorpusError: A corpus is missing or malformed.
        RecipeError: The recipe does not fit the corpora or the features.
        UnknownConceptError: The recipe has no words for a label of a corpus.
        ExportError: The graph does not give what PyTorch gives.
    """
    chosen = open_device(device)
    loader = CorpusLoader(data, cache / "features", processes, reports.extraction, reports.skipped)
    reports.stage("reading the corpora")
    space = open_space(recipe.space)
    words = ConceptWords(space, recipe.words)
    corpora = _checked_corpora(recipe, loader, words)
    prior = load_prior(loader, recipe.branch("voice").corpora, recipe.speaker_prior_s)
    preparation = Preparation(recipe, loader, space, words, AffectLexicon(space, recipe.affect), prior)
    scorers, validation, fits = {}, {}, {}
    for modality in MODALITIES:
        reports.stage(f"fitting {modality}, on {chosen.type}")
        validation[modality] = preparation.dataset(modality, "validation")
        scorers[modality], fits[modality] = fit_branch(
            preparation,
            modality,
            validation[modality],
            cache / "checkpoints" / recipe.name,
            reports.epoch,
            device=chosen,
        )
    reports.stage("calibrating")
    network = LiveNetwork(scorers)
    calibrate(network, validation, preparation.words, seed=recipe.seed)
    for modality in MODALITIES:
        if recipe.branch(modality).refits:
            reports.stage(f"fitting {modality} again, on the validation part too")
            network.scorers[modality] = fit_ensemble(
                preparation, modality, cache / "checkpoints" / recipe.name, reports.epoch, device=chosen
            )
    network.eval()

    reports.stage("writing and evaluating the bundle")
    partial = partial_folder(out)
    bundle = add_neutral(write_bundle(preparation, network, partial), loader, space)
    metrics = together({}, evaluate_bundle(BundleScores(bundle, loader, space)))
    (partial / "metrics.json").write_text(as_json(metrics), encoding="utf-8")
    record = TrainingRecord(
        epochs={name: fit.progress.epoch for name, fit in fits.items()},
        best_epochs={name: fit.progress.best_epoch for name, fit in fits.items()},
        validation={name: fit.progress.best_score for name, fit in fits.items()},
    )
    card = card_text(
        bundle,
        manifest=read_manifest(partial),
        recipe=recipe,
        corpora=corpora,
        metrics=metrics,
        record=record,
    )
    (partial / "card.md").write_text(card, encoding="utf-8")
    replace_folder(partial, out)
    return load_bundle(out)


def _checked_corpora(recipe: Recipe, loader: CorpusLoader, words: ConceptWords) -> list[Corpus]:
    """Return the corpora of the recipe, once each is known to be there and to fit its branch."""
    corpora = []
    for modality in MODALITIES:
        branch = recipe.branch(modality)
        strangers = set(branch.repeats) - set(branch.corpora)
        if strangers:
            raise RecipeError(f"branches.{modality}.repeats: {', '.join(sorted(strangers))} not in corpora")
        for corpus in map(loader.corpus, branch.corpora):
            if corpus.modality != modality:
                raise RecipeError(f"branches.{modality}.corpora: {corpus.name} is of {corpus.modality}")
            words.first(corpus.concepts)
            corpora.append(corpus)
    return corpora
