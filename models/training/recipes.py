"""Reads a recipe of either kind: of a bundle that runs live, or of a network on a sequence corpus."""

from __future__ import annotations

from pathlib import Path

from models.training.recipe import Recipe, RecipeError
from models.training.sequences.recipe import SequenceRecipe
from stream.yaml_file import YamlFileError, parse_yaml, validate


def load_any_recipe(path: Path) -> Recipe | SequenceRecipe:
    """Read the recipe `path`; one that names a `network` is of a network on a sequence corpus.

    Raises:
        RecipeError: It is missing, no YAML, or has a key that is unknown, missing or wrong.
    """
    try:
        tree = parse_yaml(path)
        if isinstance(tree, dict) and "network" in tree:
            return validate(path, tree, SequenceRecipe)
        return validate(path, tree, Recipe)
    except YamlFileError as error:
        raise RecipeError(str(error)) from error
