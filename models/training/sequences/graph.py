"""A fitted network as an ONNX graph that gives what PyTorch gives."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from models.onnx_session import open_session
from models.training.export import OPSET, TOLERANCE, Arrays, ExportError
from models.training.paper import EmotionEmbeddingNetwork
from models.training.paper.last_step import for_running
from models.training.sequences.quantization import quantize_lstms
from models.training.sequences.recipe import Weights

INT8_TOLERANCE = 2e-2
"""Largest difference of a probability from PyTorch's, where LSTMs have weights of 8 bits."""

_EXAMPLES = (1, 3)
_EMOTIONS = (1, 5)


class SequenceGraph(nn.Module):
    """A network with the outputs of a bundle: distances, that is negative scores, and their probabilities.

    Called with the sequences in their order, and with emotion words `[K, E]` after them if the network takes
    such. Returns distance `[N, K]`, probability `[N, K]`, and with words the distance by each modality alone,
    `[N, M, K]`. Without words K is the number of classes.
    """

    def __init__(self, network: nn.Module, sequences: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.sequences = tuple(sequences)
        self.takes_words = isinstance(network, EmotionEmbeddingNetwork)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return (*self.sequences, "emotions") if self.takes_words else self.sequences

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        names = ("distance", "probability")
        return (*names, "modality_distance") if self.takes_words else names

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs."""
        given = dict(zip(self.inputs, inputs, strict=True))
        if not isinstance(self.network, EmotionEmbeddingNetwork):
            logits = self.network(**given)
            return -logits, torch.sigmoid(logits)
        similarities = self.network.similarities(**given)
        logits = self.network.fused(similarities)
        return -logits, torch.sigmoid(logits), -similarities


def export_graph(
    graph: SequenceGraph,
    shapes: Mapping[str, tuple[int, int]],
    space_dim: int,
    path: Path,
    *,
    weights: Weights = "float32",
) -> None:
    """Write `graph` to `path`, and check it against PyTorch.

    Args:
        graph: Fitted, on the CPU.
        shapes: Steps and features of each sequence that is used.
        space_dim: Numbers in a word's vector.
        path: The `.onnx` file.
        weights: What those of LSTMs are stored as; all else is float32.

    Raises:
        ExportError: Some output differs by more than `TOLERANCE`, or is not finite; with weights of 8 bits
            also where a probability differs by more than `INT8_TOLERANCE`.
    """
    graph.eval()
    example = _random_inputs(graph, shapes, space_dim, examples=2, emotions=3)
    axes = {name: {0: "N"} for name in (*graph.inputs, *graph.outputs)}
    if graph.takes_words:
        axes |= {"emotions": {0: "K"}, "modality_distance": {0: "N", 2: "K"}}
        axes |= {name: {0: "N", 1: "K"} for name in ("distance", "probability")}
    with warnings.catch_warnings():
        # The exporter by tracing, as for live bundles. It warns that recurrent networks may be bound to the
        # number of examples; the check below runs the graph with other numbers.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            SequenceGraph(for_running(graph.network), graph.sequences).eval(),
            tuple(torch.from_numpy(example[name]) for name in graph.inputs),
            path,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path), full_check=True)
    cases = _cases(graph, shapes, space_dim)
    _compare(path, cases, dict.fromkeys(graph.outputs, TOLERANCE))
    if weights == "int8":
        quantize_lstms(path)
        _compare(path, cases, {"probability": INT8_TOLERANCE})


def _cases(
    graph: SequenceGraph, shapes: Mapping[str, tuple[int, int]], space_dim: int
) -> list[tuple[Arrays, Arrays]]:
    """Return inputs and what PyTorch makes of them."""
    cases = []
    for examples, emotions in itertools.product(_EXAMPLES, _EMOTIONS):
        inputs = _random_inputs(graph, shapes, space_dim, examples=examples, emotions=emotions)
        with torch.no_grad():
            expected = graph(*(torch.from_numpy(inputs[name]) for name in graph.inputs))
        found = dict(zip(graph.outputs, (output.numpy() for output in expected), strict=True))
        cases.append((inputs, found))
    return cases


def _compare(path: Path, cases: Sequence[tuple[Arrays, Arrays]], tolerances: Mapping[str, float]) -> None:
    session = open_session(path)
    for inputs, expected in cases:
        for name, value in zip(tolerances, session.run(list(tolerances), inputs), strict=True):
            difference = float(np.abs(value - expected[name]).max())
            if not difference <= tolerances[name]:  # also where it is NaN
                raise ExportError(f"{path}: {name} differs from PyTorch's by {difference:g}; it was not kept")


def _random_inputs(
    graph: SequenceGraph,
    shapes: Mapping[str, tuple[int, int]],
    space_dim: int,
    *,
    examples: int,
    emotions: int,
) -> Arrays:
    random = np.random.default_rng([examples, emotions])
    sizes = {name: (examples, *shape) for name, shape in shapes.items()} | {"emotions": (emotions, space_dim)}
    return {name: random.standard_normal(sizes[name]).astype(np.float32) for name in graph.inputs}
