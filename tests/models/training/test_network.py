"""The network: pooling, cosines and fusion keep their promises for any weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.training.branches import BRANCHES
from models.training.ensemble import Ensemble
from models.training.fusion import Calibration, Fusion
from models.training.network import ModalityScorer, WordMap
from models.training.normalization import Standardize
from models.training.pooling import MaskedAttentionPool
from models.training.vectors import unit
from tests.models.training.rated_words import SPACE, lexicon

DIM, WIDTH, JOINT = 6, 16, 8


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def scorer(modality: str, *, meaning_share: float = 0.0, dim: int = DIM) -> ModalityScorer:
    words = WordMap(SPACE, JOINT, 4, lexicon().fit(), affect_share=0.5, meaning_share=meaning_share)
    return ModalityScorer(BRANCHES[modality](dim, WIDTH, JOINT, 0.1, 0.1), words, dim).eval()


def right(steps: int, evidence: int) -> Tensor:
    return (torch.arange(steps) >= steps - evidence).float()[None]


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_a_constant_sequence_pools_to_its_value(steps: int) -> None:
    value = torch.randn(1, 1, WIDTH)
    pooled = MaskedAttentionPool(WIDTH, heads=4)(value.expand(1, 50, WIDTH), right(50, steps))
    torch.testing.assert_close(pooled, value[:, 0])


def test_pooling_nothing_gives_zero() -> None:
    assert not MaskedAttentionPool(WIDTH, heads=1)(torch.randn(1, 5, WIDTH), torch.zeros(1, 5)).any()


def test_a_feature_that_is_ignored_has_no_influence() -> None:
    standardize = Standardize(3)
    standardize.scale[1] = 0
    values = torch.tensor([[1.0, 2.0, 3.0], [1.0, 99.0, 3.0]])
    first, second = standardize(values)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("modality", BRANCHES)
@settings(max_examples=20)
@given(evidence=st.integers(0, 20))
def test_scores_are_cosines_of_the_evidence_alone(modality: str, evidence: int) -> None:
    network, mask, words = scorer(modality), right(20, evidence), torch.randn(5, SPACE)
    values = torch.randn(1, 20, DIM)
    cosine = network(values, mask, words)
    assert cosine.shape == (1, 5)
    assert (cosine.abs() <= 1 + 1e-5).all()
    torch.testing.assert_close(network(values + 9 * (1 - mask.unsqueeze(-1)), mask, words), cosine)


@pytest.mark.parametrize("modality", ["face", "text"])
def test_a_longer_window_with_the_same_evidence_scores_the_same(modality: str) -> None:
    network, words, values = scorer(modality), torch.randn(5, SPACE), torch.randn(1, 4, DIM)
    longer = torch.nn.functional.pad(values, (0, 0, 10, 0))
    short = network(values, torch.ones(1, 4), words)
    torch.testing.assert_close(network(longer, right(14, 4), words), short)


def test_a_word_scores_the_same_whatever_its_length() -> None:
    network, words = scorer("text"), torch.randn(5, SPACE)
    window = (torch.randn(1, 4, DIM), torch.ones(1, 4))
    torch.testing.assert_close(network(*window, 3 * words), network(*window, words))


@pytest.mark.parametrize("modality", BRANCHES)
def test_evidence_says_nothing_of_any_word_on_average(modality: str) -> None:
    network, words = scorer(modality), torch.randn(5, SPACE)
    seen = (3 + torch.randn(400, 4, DIM), torch.ones(400, 4))
    before = network(*seen, words).mean(dim=0).abs()
    network.train()
    for _ in range(250):
        network.encode(*seen)
    after = network.eval()(*seen, words).mean(dim=0).abs()
    assert after.max() < 0.1
    assert after.max() < before.max() / 3


def test_a_word_that_is_heard_is_near_to_itself_without_any_training() -> None:
    network, words = scorer("text", meaning_share=0.9, dim=SPACE), torch.randn(5, SPACE)
    cosine = network(words.unsqueeze(1), torch.ones(5, 1), words)
    assert (cosine.argmax(dim=1) == torch.arange(5)).all()
    assert (cosine.diagonal() > 0.8).all()


@pytest.mark.parametrize("modality", BRANCHES)
def test_an_ensemble_gives_the_mean_of_its_cosines(modality: str) -> None:
    members = [scorer(modality) for _ in range(3)]
    window, words = (torch.randn(2, 4, DIM), torch.ones(2, 4)), torch.randn(5, SPACE)
    ensemble = Ensemble(members)
    each = torch.stack([member(*window, words) for member in members])
    torch.testing.assert_close(ensemble(*window, words), each.mean(dim=0))
    torch.testing.assert_close(ensemble.words(words).norm(dim=1), torch.ones(5))


def test_the_unit_of_nothing_is_nothing() -> None:
    assert not unit(torch.zeros(2, 3)).any()
    torch.testing.assert_close(unit(torch.randn(4, 3)).norm(dim=1), torch.ones(4))


@given(present=st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3), seed=st.integers(0, 9))
def test_fusion_stays_between_the_modalities_present(present: list[float], seed: int) -> None:
    torch.manual_seed(seed)
    fusion, cosine = Fusion(3), torch.rand(1, 3, 4) * 2 - 1
    torch.nn.init.normal_(fusion.log_weight)
    fused, logit = fusion(cosine, Calibration(3)(cosine), torch.tensor([present]))
    if not any(present):
        assert not fused.any()
        assert not logit.any()
        return
    own = cosine[:, [i for i in range(3) if present[i]]]
    assert (fused >= own.amin(dim=1) - 1e-5).all()
    assert (fused <= own.amax(dim=1) + 1e-5).all()


def test_modalities_that_agree_are_surer_together_once_sharpness_says_so() -> None:
    fusion = Fusion(3)
    torch.nn.init.constant_(fusion.sharpness, 0.5)
    logits = torch.full((1, 3, 1), 2.0)
    alone, together = (
        fusion(logits, logits, torch.tensor([p]))[1] for p in ([1.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    )
    assert alone.item() == pytest.approx(2)
    assert together.item() > alone.item()
