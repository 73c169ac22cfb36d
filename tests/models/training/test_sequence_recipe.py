"""Recipes of networks on sequence corpora: those that come along are whole, and mistakes are named by key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.training.recipe import Recipe, RecipeError
from models.training.recipes import load_any_recipe
from models.training.sequences.recipe import SequenceRecipe

RECIPES = Path(__file__).resolve().parents[3] / "configs" / "training"
PAPER = RECIPES / "paper-mosei.yaml"


def load(path: Path) -> SequenceRecipe:
    recipe = load_any_recipe(path)
    assert isinstance(recipe, SequenceRecipe)
    return recipe


@pytest.mark.parametrize("corpus", ["iemocap", "mosei"])
@pytest.mark.parametrize("kind", ["paper", "early-fusion", "late-fusion", "mult"])
def test_every_network_comes_with_a_recipe_for_each_corpus(kind: str, corpus: str) -> None:
    recipe = load(RECIPES / f"{kind}-{corpus}.yaml")
    assert (recipe.name, recipe.corpus) == (f"{kind}-{corpus}", corpus)
    assert recipe.network.type == kind.replace("paper", "emotion-embeddings")
    assert recipe.sequences == ("text", "audio", "vision")


def test_a_recipe_without_a_network_is_of_a_live_bundle() -> None:
    assert isinstance(load_any_recipe(RECIPES / "live.yaml"), Recipe)


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("type: emotion-embeddings", "type: lstm", "network.type = 'lstm': choose one of 'emotion-embeddings', 'early-fusion'"),
        ("  cell: lstm", "  cel: lstm", "network.cel = 'lstm': unknown key; did you mean `cell`?"),
        ("  cell: lstm", "  cell: rnn", "network.cell = 'rnn': "),
        ("  hidden: {", "  width: 40\n  hidden: {", "network.width = 40: unknown key; allowed here: bidirectional, cell,"),
        ("audio: 200", "audio: 0", "network.hidden.audio = 0: "),
        (", vision: 100}", "}", "network.hidden: vision missing"),
        ("space: glove-840b-300d", "space: glove", "network.space = 'glove': "),
        ("corpus: mosei", "corpus: moseii", "corpus = 'moseii': "),
        ("corpus: mosei", "corpus: mosei\nweights: int4", "weights = 'int4': "),
        ("batch: 512", "batch: many", "training.batch = 'many': "),
        ("  plateau: 5\n", "", "training.plateau: missing; this key is required"),
        ("modalities: [text", "modalities: [face", "modalities[0] = 'face': "),
        ("# unseen: {emotion: surprise}", "unseen: {emotion: surprise, fraction: 1}", "unseen.fraction = 1: "),
        ("# unseen: {emotion: surprise}", "unseen: {emotion: sad, fine_tuning: {rate: 1, batch: 1, epochs: 1, patience: 1, plateau: 1, clip: 1}}", "fine_tuning needs a fraction"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_line_and_key(tmp_path: Path, written: str, instead: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    assert written in PAPER.read_text()
    path.write_text(PAPER.read_text().replace(written, instead, 1))
    with pytest.raises(RecipeError, match=re.escape(said)) as raised:
        load_any_recipe(path)
    assert re.match(rf"{re.escape(str(path))}:\d+: ", str(raised.value))


@pytest.mark.parametrize(
    ("unseen", "said"),
    [
        ("{emotion: sad}", "a mult network has no score for what it never saw"),
        (
            "{emotion: sad, fraction: 0.01, fine_tuning: {rate: 1, batch: 1, epochs: 1, patience: 1, plateau: 1, clip: 1}}",
            "a mult network takes no further emotion",
        ),
    ],
)
def test_a_classifier_cannot_do_what_needs_words(tmp_path: Path, unseen: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((RECIPES / "mult-mosei.yaml").read_text() + f"\nunseen: {unseen}\n")
    with pytest.raises(RecipeError, match=said):
        load_any_recipe(path)


def test_sizes_of_mult_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text((RECIPES / "mult-mosei.yaml").read_text().replace("heads: 8", "heads: 7"))
    with pytest.raises(RecipeError, match="width must be even and a multiple of heads, kernel odd"):
        load_any_recipe(path)


def test_modalities_are_used_in_one_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PAPER.read_text().replace("[text, audio, vision]", "[vision, text]"))
    assert load(path).sequences == ("text", "vision")


@pytest.mark.parametrize(("kind", "cell"), [("mult", "lstm"), ("paper", "gru")])
def test_weights_of_eight_bits_are_for_lstms(tmp_path: Path, kind: str, cell: str) -> None:
    path = tmp_path / "mine.yaml"
    text = (RECIPES / f"{kind}-mosei.yaml").read_text().replace("cell: lstm", f"cell: {cell}")
    path.write_text(f"{text}\nweights: int8\n")
    with pytest.raises(RecipeError, match="weights: int8 is for LSTMs, of which this network has none"):
        load_any_recipe(path)
