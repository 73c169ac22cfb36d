"""Recipes: the one that comes along is whole, and what is wrong with another is said by key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.training.corpora import CORPORA
from models.training.recipe import RecipeError, load_recipe

LIVE = Path(__file__).resolve().parents[3] / "configs" / "training" / "live.yaml"


def test_live_recipe_names_known_corpora_and_words_for_all_their_labels() -> None:
    recipe = load_recipe(LIVE)
    assert {name for branch in recipe.branches.values() for name in branch.corpora} <= set(CORPORA)
    assert {"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise", "calm", "grief"} <= set(
        recipe.words
    )
    assert all(words[0] == concept for concept, words in recipe.words.items())
    assert (recipe.steps("face"), recipe.steps("voice"), recipe.steps("text")) == (50, 100, 48)


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r"seed: 1", "seed: one", "seed = 'one': "),
        (r"joint: 128", "joints: 128", "joints = 128: unknown key; did you mean `joint`?"),
        (r"space: minilm-l6", "space: minilm", "space = 'minilm': "),
        (r"dropout: 0.3", "dropout: 1.0", "branches.face.dropout = 1.0: "),
        (r"    words: 48\n", "", "branches.text: give one of rate_hz and words"),
        (r"  anger: \[.*?\]", "  anger: []", "words.anger is empty"),
        (r"(?s)  voice:\n.*(  text:)", r"\1", "branches: voice missing"),
        (r"joint: 128", "joint: 4", "joint = 4: "),
        (
            r"window_s: 5.0",
            "window_s: 2.25",
            "branches.voice.rate_hz: a window must hold an even number of bins",
        ),
        (r"joy: \[2, 1, 1\]", "joy: [2, 1, .nan]", "affect.joy[2] = nan: "),
        (r"(?s).*", "{", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_by_line_and_key(
    tmp_path: Path, pattern: str, replacement: str, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    text, count = re.subn(pattern, replacement, LIVE.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    with pytest.raises(RecipeError, match=re.escape(said)) as raised:
        load_recipe(path)
    assert str(path) in str(raised.value)


def test_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read: No such file"):
        load_recipe(tmp_path / "none.yaml")
