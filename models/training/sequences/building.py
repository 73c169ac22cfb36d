"""The network that a recipe describes."""

from __future__ import annotations

import torch
from torch import nn

from models.training.corpora.sequences import SequenceCorpus
from models.training.paper import EarlyFusionLstm, EmotionEmbeddingNetwork, LateFusionLstm, MulT
from models.training.recipe import RecipeError
from models.training.sequences.recipe import (
    CrossmodalTransformer,
    EarlyFusion,
    LateFusion,
    SequenceRecipe,
)
from stream.messages import Float32Array

_RECURRENT = {"layers", "bidirectional", "dropout"}


def build_network(recipe: SequenceRecipe, part: SequenceCorpus, emotions: Float32Array) -> nn.Module:
    """Return a new network, its weights drawn with the recipe's seed.

    Args:
        recipe: What it is.
        part: What it is for: the size of its features, and its emotions.
        emotions: `[C, E]`, the words of those emotions; only the paper's network looks at them.

    Raises:
        RecipeError: A size does not fit the words.
    """
    torch.manual_seed(recipe.seed)
    network, classes = recipe.network, len(part.emotions)
    dims = {str(name): int(getattr(part, name).shape[2]) for name in recipe.sequences}
    options = network.model_dump(include=_RECURRENT)
    if isinstance(network, EarlyFusion):
        return EarlyFusionLstm(dims, network.hidden, classes, **options)
    if isinstance(network, CrossmodalTransformer):
        return MulT(dims, classes, **network.model_dump(exclude={"type"}))
    hidden = {str(name): size for name, size in network.hidden.items()}
    if isinstance(network, LateFusion):
        return LateFusionLstm(dims, hidden, classes, **options)
    if "text" in dims and hidden["text"] != emotions.shape[1]:
        raise RecipeError(
            f"network.hidden.text = {hidden['text']}: text is compared with the words themselves, which have "
            f"{emotions.shape[1]} numbers in {network.space}; give that"
        )
    return EmotionEmbeddingNetwork(torch.from_numpy(emotions), dims, hidden, cell=network.cell, **options)
