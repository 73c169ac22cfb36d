"""Fitting: it learns, stops early, goes on where it was stopped, and calibrates what it learned."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from models.bundle_manifest import MODALITIES
from models.training.branch_fit import fit_identity
from models.training.branches import BRANCHES
from models.training.calibration import calibrate
from models.training.datasets import Clips, Dataset, joined
from models.training.fit import Fit, cosines
from models.training.matching import shared_concepts
from models.training.network import LiveNetwork, ModalityScorer, WordMap
from models.training.preparation import Preparation
from models.training.recipe import Branch, load_recipe
from models.training.words import ConceptWords
from tests.models.training.rated_words import SPACE, Hashed, lexicon

CONCEPTS = ("joy", "anger", "fear")
DIM, STEPS = 6, 10


WORDS = ConceptWords(Hashed(), {"joy": ["joy", "happy"], "anger": ["anger"], "fear": ["fear"]})


def dataset(count: int, seed: int, *, multi_label: bool = False, noise: float = 0.7) -> Dataset:
    """Return windows whose mean says which concept they are labelled with."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % len(CONCEPTS)
    centres = np.random.default_rng(0).standard_normal((len(CONCEPTS), DIM))
    values = (centres[labels][:, None] + noise * random.standard_normal((count, STEPS, DIM))).astype(
        np.float32
    )
    targets = np.eye(len(CONCEPTS), dtype=np.float32)[labels]
    return Dataset(
        windows=Clips([(values, np.ones((count, STEPS), np.float32))]),
        concepts=CONCEPTS,
        targets=targets,
        allowed=np.ones_like(targets, np.bool_),
        corpora={"made": np.arange(count)},
        multi_label=multi_label,
    )


def branch(**changes: float) -> Branch:
    options: Mapping[str, object] = {
        "corpora": ["made"], "rate_hz": 2, "floor": 0.1, "width": 16, "dropout": 0.1, "rate": 0.01,
        "decay": 0.01, "batch": 16, "epochs": 6, "patience": 6, **changes,
    }  # fmt: skip
    return Branch.model_validate(options)


def new_scorer(modality: str = "face") -> ModalityScorer:
    torch.manual_seed(0)
    words = WordMap(SPACE, 8, 4, lexicon().fit(), affect_share=0.5)
    return ModalityScorer(BRANCHES[modality](DIM, 16, 8, 0.1), words, DIM)


def new_fit(
    scorer: ModalityScorer,
    folder: Path,
    *,
    identity: str = "made",
    multi_label: bool = False,
    examples: int = 64,
    **changes: float,
) -> Fit:
    train, validation = (dataset(n, seed, multi_label=multi_label) for n, seed in ((examples, 1), (48, 2)))
    return Fit(
        scorer, branch(**changes), WORDS, train, validation, lexicon=lexicon(),
        seed=1, checkpoint=folder / "face.pt", identity=identity,
    )  # fmt: skip


def weights(scorer: ModalityScorer) -> torch.Tensor:
    return torch.cat([value.flatten() for value in scorer.state_dict().values()])


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("modality", MODALITIES)
def test_it_learns(tmp_path: Path, modality: str, multi_label: bool) -> None:
    losses: list[float] = []
    fit = new_fit(new_scorer(modality), tmp_path, multi_label=multi_label, examples=480)
    assert fit.run(lambda _, loss, __: losses.append(loss)) > 0.9
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_word_that_fits_is_nearer_than_one(tmp_path: Path, modality: str) -> None:
    scorer = new_scorer(modality)
    new_fit(scorer, tmp_path, examples=480).run(lambda *_: None)
    test = dataset(60, 3)
    distance = 1 - cosines(scorer, test, WORDS.first(CONCEPTS))
    assert distance[test.targets == 1].mean() < 1 < distance[test.targets == 0].mean()


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    scorers = [new_scorer(), new_scorer()]
    for i, scorer in enumerate(scorers):
        new_fit(scorer, tmp_path / str(i), mixup=0.2, noise=0.1, smoothing=0.1, balance=0.5).run(
            lambda *_: None
        )
    torch.testing.assert_close(weights(scorers[0]), weights(scorers[1]))


def test_a_fit_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, stopped, resumed = new_scorer(), new_scorer(), new_scorer()
    new_fit(whole, tmp_path / "whole").run(lambda *_: None)

    def stop(epoch: int, *_: float) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        new_fit(stopped, tmp_path / "other").run(stop)
    epochs: list[int] = []
    new_fit(resumed, tmp_path / "other").run(lambda epoch, *_: epochs.append(epoch))
    assert epochs == [4, 5, 6]
    torch.testing.assert_close(weights(resumed), weights(whole))


def test_a_checkpoint_of_another_recipe_is_not_gone_on_from(tmp_path: Path) -> None:
    new_fit(new_scorer(), tmp_path).run(lambda *_: None)
    epochs: list[int] = []
    new_fit(new_scorer(), tmp_path, identity="other").run(lambda epoch, *_: epochs.append(epoch))
    assert epochs[0] == 1


@pytest.mark.parametrize(
    ("changed", "same"), [({"refits": 5, "floor": 0.5, "zero_shot_epochs": 2}, True), ({"epochs": 5}, False)]
)
def test_a_checkpoint_is_of_what_decides_its_fit(changed: dict[str, float], same: bool) -> None:
    recipe = load_recipe(Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml")
    voice = recipe.branch("voice").model_copy(update=changed)
    other = recipe.model_copy(update={"branches": {**recipe.branches, "voice": voice}})
    found = {
        fit_identity(cast(Preparation, SimpleNamespace(recipe=each)), "voice", dataset(4, 0), dataset(2, 0))
        for each in (recipe, other)
    }
    assert (len(found) == 1) == same


def test_it_stops_when_validation_gets_no_better(tmp_path: Path) -> None:
    epochs: list[int] = []
    fit = new_fit(new_scorer(), tmp_path, epochs=50, patience=2)
    fit.run(lambda epoch, *_: epochs.append(epoch))
    assert epochs[-1] == fit.progress.best_epoch + 2 < 50


def test_without_validation_the_last_epoch_is_kept(tmp_path: Path) -> None:
    fit = new_fit(new_scorer(), tmp_path, patience=1)
    fit.validation = None
    fit.run(lambda *_: None)
    assert fit.progress.best_epoch == fit.progress.epoch == fit.branch.epochs


def test_examples_of_both_parts_are_joined_in_order() -> None:
    first, second = dataset(5, 1), dataset(3, 2)
    both = joined(first, second)
    rows = np.arange(8)
    np.testing.assert_array_equal(both.windows.windows(rows)[0][5:], second.windows.windows(rows[:3])[0])
    np.testing.assert_array_equal(both.targets[:5], first.targets)
    np.testing.assert_array_equal(both.corpora["made"], rows)


def test_a_corpus_that_is_repeated_is_learned_from_as_often(tmp_path: Path) -> None:
    scorer = new_scorer()
    train = dataset(96, 1)
    repeated = branch().model_copy(update={"repeats": {"made": 3}})
    fit = Fit(
        scorer, repeated, WORDS, train, train,
        lexicon=lexicon(), seed=1, checkpoint=tmp_path / "face.pt", identity="made",
    )  # fmt: skip
    assert np.bincount(fit.rows).tolist() == [3] * 96


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> LiveNetwork:
    """Give a network whose branches are fitted, not yet calibrated; copy it before changing it."""
    folder = tmp_path_factory.mktemp("fitted")
    scorers = {name: new_scorer(name) for name in MODALITIES}
    for name, scorer in scorers.items():
        new_fit(scorer, folder / name, examples=480).run(lambda *_: None)
    return LiveNetwork(scorers)


def test_calibration_makes_cosines_probabilities_and_weighs_modalities(fitted: LiveNetwork) -> None:
    network = copy.deepcopy(fitted)
    validation = {name: dataset(48, 2) for name in MODALITIES}
    calibrate(network, validation, WORDS, seed=0)
    network.eval()
    assert (network.calibration.scale > 0).all()
    assert network.fusion.weights.sum().item() == pytest.approx(1)
    test = dataset(60, 3)
    cosine = torch.from_numpy(cosines(network.scorers["face"], test, WORDS.first(CONCEPTS)))
    probability = (
        torch.sigmoid(network.calibration.scale[0] * cosine + network.calibration.bias[0]).detach().numpy()
    )
    assert probability[test.targets == 1].mean() > 0.7
    assert probability[test.targets == 0].mean() < 0.3


def test_a_modality_that_knows_nothing_weighs_less(fitted: LiveNetwork) -> None:
    network = copy.deepcopy(fitted)
    network.scorers["voice"] = new_scorer("voice")
    # Where a modality is never wrong, another's weight makes no difference.
    calibrate(network, {name: dataset(240, 2, noise=4) for name in MODALITIES}, WORDS, seed=0)
    face, voice, text = network.fusion.weights.tolist()
    assert voice < min(face, text)


def test_fusion_is_fitted_on_what_every_modality_has_labels_for() -> None:
    few = dataset(6, 0)
    assert shared_concepts(dict.fromkeys(MODALITIES, few)) == list(CONCEPTS)
    other = Dataset(few.windows, ("fear", "calm"), few.targets, few.allowed, few.corpora, multi_label=False)
    assert shared_concepts({"face": few, "voice": other, "text": few}) == ["fear"]
