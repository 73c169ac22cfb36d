"""Where words lie on valence, arousal and dominance: rated ones near their rating, others by their vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.embeddings import open_space
from models.training.affect import AffectLexicon, UnratedConceptError, directions
from models.training.recipe import load_recipe
from tests.models.training.rated_words import RATINGS, SPACE, lexicon

LIVE = Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml"


def test_a_rated_word_lies_near_its_rating() -> None:
    words = lexicon()
    near = words.fit()(torch.from_numpy(words.vectors)).numpy() @ words.directions.T
    assert (near.argmax(axis=1) == near.argmax(axis=0)).all()
    assert (np.diag(near) > 0.8).all()


def test_directions_have_length_one_and_tell_joy_from_fear() -> None:
    joy, fear = directions(torch.tensor([RATINGS["joy"], RATINGS["fear"]]).float())
    assert joy.norm().item() == pytest.approx(1)
    assert (joy @ fear).item() < 0


def test_a_concept_without_a_rating_is_named() -> None:
    with pytest.raises(UnratedConceptError, match="'boredom' has no rating; add it to `affect`"):
        lexicon().of(["joy", "boredom"])


def test_words_are_drawn_with_their_directions() -> None:
    words = lexicon()
    vectors, found = words.draw(3, np.random.default_rng(0))
    assert vectors.shape == (3, SPACE)
    for vector, direction in zip(vectors, found, strict=True):
        row = int(np.flatnonzero((words.vectors == vector).all(axis=1))[0])
        np.testing.assert_array_equal(direction, words.directions[row])


def test_words_that_were_not_rated_lie_nearer_to_their_place_than_to_any_other(
    asset: Callable[[str], Path],
) -> None:
    asset("minilm-l6")
    ratings, space = load_recipe(LIVE).affect, open_space("minilm-l6")
    words = sorted(ratings)
    rated = AffectLexicon(space, {word: ratings[word] for word in words[::2]})
    others = AffectLexicon(space, {word: ratings[word] for word in words[1::2]})
    near = rated.fit()(torch.from_numpy(others.vectors)).numpy() @ others.directions.T
    own, any_other = np.diag(near).mean(), near.mean()
    assert own > 0.6
    assert own > any_other + 0.4
