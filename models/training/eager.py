"""PyTorch on the networks here, as they are or compiled: what their exported graphs are measured beside.

Weights are random; how fast a network is does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.training.affect import AffectMap
from models.training.branches import BRANCHES
from models.training.ensemble import Ensemble
from models.training.network import LiveNetwork, ModalityScorer, WordMap
from models.training.paper import EmotionEmbeddingNetwork
from models.training.recipe import Recipe
from models.training.sequences.graph import SequenceGraph, export_graph
from models.training.sequences.recipe import Weights
from stream.messages import Float32Array

PAPER_DIMS = {"text": 300, "audio": 74, "vision": 35}
"""Features a step: GloVe, COVAREP, Facet."""
PAPER_HIDDEN = {"text": 300, "audio": 200, "vision": 100}
_EMOTIONS, _EMBEDDING = 6, 300


def paper_network() -> SequenceGraph:
    """Return the paper's network in its published sizes: two bidirectional LSTM layers a modality."""
    torch.manual_seed(0)
    words = torch.randn(_EMOTIONS, _EMBEDDING)
    network = EmotionEmbeddingNetwork(words, PAPER_DIMS, PAPER_HIDDEN, layers=2, bidirectional=True)
    return SequenceGraph(network, tuple(PAPER_DIMS)).eval()


def export_paper(network: SequenceGraph, steps: int, path: Path, weights: Weights) -> None:
    """Write the paper's network to `path`, for sequences of so many steps."""
    shapes = {name: (steps, dim) for name, dim in PAPER_DIMS.items()}
    export_graph(network, shapes, _EMBEDDING, path, weights=weights)


def paper_inputs(windows: int, steps: int) -> dict[str, Float32Array]:
    """Return inputs of the paper's network, in its order."""
    random = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {name: (windows, steps, dim) for name, dim in PAPER_DIMS.items()}
    shapes["emotions"] = (_EMOTIONS, _EMBEDDING)
    return {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def live_network(bundle: Bundle, recipe: Recipe) -> LiveNetwork:
    """Return the network of a live recipe, for the features of a bundle."""
    torch.manual_seed(0)
    network = LiveNetwork({name: _scorer(bundle, recipe, name) for name in MODALITIES})
    for name in MODALITIES:
        if fits := recipe.branch(name).refits:
            network.scorers[name] = Ensemble([_scorer(bundle, recipe, name) for _ in range(fits)])
    return network.eval()


def _scorer(bundle: Bundle, recipe: Recipe, modality: str) -> ModalityScorer:
    branch, dim = recipe.branch(modality), bundle.modalities[modality].dim
    affect = AffectMap(np.zeros((bundle.space_dim, 3), np.float32), np.zeros(3, np.float32))
    words = WordMap(
        bundle.space_dim,
        recipe.joint,
        recipe.word_rank,
        affect,
        affect_share=branch.affect_share,
        meaning_share=branch.meaning_share,
    )
    return ModalityScorer(BRANCHES[modality](dim, branch.width, recipe.joint, branch.dropout), words, dim)


def eager(
    network: nn.Module, inputs: Mapping[str, Float32Array], *, threads: int, compiled: bool = False
) -> Callable[[], object]:
    """Return a call that runs `network` on `inputs`, given in its order, without gradients.

    Args:
        network: In evaluation mode.
        inputs: By name.
        threads: CPU threads; of all of PyTorch in this process from now on.
        compiled: Whether by `torch.compile`, which compiles at the first call.
    """
    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    run: Callable[..., object] = network
    if compiled:
        # Without this it would stop compiling after eight shapes of one network.
        torch.compiler.reset()
        run = torch.compile(network, dynamic=False)

    def call() -> object:
        with torch.inference_mode():
            return run(*tensors)

    return call
