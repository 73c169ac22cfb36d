"""The fitted network as an ONNX graph that gives what PyTorch gives."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from models.bundle_manifest import MODALITIES
from models.graph_parts import ENCODINGS, OUTPUTS, STEPS, WORDS
from models.training.branches import FaceBranch
from models.training.ensemble import Ensemble
from models.training.network import LiveNetwork, ModalityScorer
from stream.errors import UserError
from stream.messages import Float32Array

OPSET = 17
INPUTS = ("face", "face_mask", "voice", "voice_mask", "text", "text_mask", "present", "emotions")
TOLERANCE = 1e-4
"""Largest difference of any output of the graph from PyTorch's."""

_WINDOWS = (1, 3)
_EMOTIONS = (1, 6, 28)

Arrays = dict[str, Float32Array]


class ExportError(UserError):
    """The exported graph does not give what PyTorch gives."""


def export_network(
    network: LiveNetwork, shapes: Mapping[str, tuple[int, int]], space_dim: int, path: Path
) -> None:
    """Write `network` to `path` as a float32 graph, and check it against PyTorch.

    Args:
        network: Fitted.
        shapes: Steps and numbers a step of each modality.
        space_dim: Numbers in a word's vector.
        path: The `.onnx` file.

    Raises:
        ExportError: Some output differs by more than `TOLERANCE`, or is not finite.
    """
    network.eval()
    example = random_inputs(shapes, space_dim, windows=2, emotions=3, seed=0)
    axes = {name: {0: "K" if name == "emotions" else "N"} for name in INPUTS}
    axes |= {"distance": {0: "N", 1: "K"}, "probability": {0: "N", 1: "K"}}
    axes |= {"modality_distance": {0: "N", 2: "K"}, "modality_probability": {0: "N", 2: "K"}}
    steps = _names_of_steps(network)
    axes |= {name: {0: "N"} for name in (*steps, *ENCODINGS.values())}
    axes |= {name: {0: "K"} for name in WORDS.values()}
    between = (*steps, *ENCODINGS.values(), *WORDS.values())
    with warnings.catch_warnings():
        # The exporter by tracing: this network has no control flow, and its graph needs no further package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _NamedParts(network).eval(),
            tuple(torch.from_numpy(example[name]) for name in INPUTS),
            path,
            input_names=list(INPUTS),
            output_names=[*OUTPUTS, *between],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    _hide(between, path)
    onnx.checker.check_model(str(path), full_check=True)
    _check(network, shapes, space_dim, path)


class _NamedParts(nn.Module):
    """The network, giving also what lies between its parts, so that the exporter can name it.

    What it computes is compared with the network itself once it is exported.
    """

    def __init__(self, network: LiveNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of the network, then steps of each fit, encodings and words of each modality."""
        given = dict(zip(INPUTS, inputs, strict=True))
        steps, encodings, words = [], [], []
        for name in MODALITIES:
            scorer: Any = self.network.scorers[name]
            with _seen_steps(scorer) as seen:
                encodings.append(scorer.encode(given[name], given[f"{name}_mask"]))
            steps += seen
            words.append(scorer.words(given["emotions"]))
        cosine = torch.stack(
            [shown @ meant.transpose(0, 1) for shown, meant in zip(encodings, words, strict=True)], dim=1
        )
        logits = self.network.calibration(cosine)
        fused, logit = self.network.fusion(cosine, logits, given["present"])
        outputs = (1 - fused, torch.sigmoid(logit), 1 - cosine, torch.sigmoid(logits))
        return (*outputs, *steps, *encodings, *words)


def _fits(scorer: nn.Module) -> list[ModalityScorer]:
    if isinstance(scorer, Ensemble):
        return scorer.fits()
    assert isinstance(scorer, ModalityScorer)
    return [scorer]


def _names_of_steps(network: LiveNetwork) -> list[str]:
    counts = {name: len(_fits(network.scorers[name])) for name in MODALITIES}
    return [f"{STEPS[name]}_{number}" for name, count in counts.items() for number in range(1, count + 1)]


@contextlib.contextmanager
def _seen_steps(scorer: nn.Module) -> Iterator[list[Tensor]]:
    """Note the steps of each fit as they go by, before anything brings them together.

    A face is pooled from them; the other modalities first convolve what their first layer gives.
    """
    seen: list[Tensor] = []

    def gives(module: nn.Module, given: tuple[Tensor, ...], steps: Tensor) -> None:
        seen.append(steps)

    def takes(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0])

    with contextlib.ExitStack() as stack:
        for fit in _fits(scorer):
            branch = fit.branch
            if isinstance(branch, FaceBranch):
                stack.callback(branch.pool.register_forward_pre_hook(takes).remove)
            else:
                stack.callback(branch.enter.register_forward_hook(gives).remove)
        yield seen


def _hide(between: Sequence[str], path: Path) -> None:
    """Take what lies between the parts off the outputs, but keep its names and shapes."""
    model = onnx.load(str(path))
    values = [value for value in model.graph.output if value.name in between]
    for value in values:
        model.graph.output.remove(value)
    model.graph.value_info.extend(values)
    onnx.save(model, str(path))


def random_inputs(
    shapes: Mapping[str, tuple[int, int]], space_dim: int, *, windows: int, emotions: int, seed: int
) -> Arrays:
    """Return inputs of the graph: right-aligned evidence of random length, everything present."""
    random = np.random.default_rng(seed)
    inputs: Arrays = {}
    for modality in MODALITIES:
        steps, dim = shapes[modality]
        mask = np.zeros((windows, steps), np.float32)
        for row in mask:
            row[-int(random.integers(1, steps + 1)) :] = 1
        values = random.standard_normal((windows, steps, dim)).astype(np.float32)
        inputs[modality], inputs[f"{modality}_mask"] = values * mask[..., None], mask
    inputs["present"] = np.ones((windows, len(MODALITIES)), np.float32)
    vectors = random.standard_normal((emotions, space_dim)).astype(np.float32)
    inputs["emotions"] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return inputs


def run_network(network: LiveNetwork, inputs: Mapping[str, Float32Array]) -> Arrays:
    """Return PyTorch's outputs, by name."""
    with torch.no_grad():
        outputs = network(*(torch.from_numpy(inputs[name]) for name in INPUTS))
    return {name: output.numpy() for name, output in zip(OUTPUTS, outputs, strict=True)}


def _check(network: LiveNetwork, shapes: Mapping[str, tuple[int, int]], space_dim: int, path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for inputs in _cases(shapes, space_dim):
        expected = run_network(network, inputs)
        found = session.run(list(OUTPUTS), inputs)
        for name, value in zip(OUTPUTS, found, strict=True):
            difference = float(np.abs(value - expected[name]).max())
            if not difference <= TOLERANCE:  # also where it is NaN
                raise ExportError(f"{path}: {name} differs from PyTorch's by {difference:g}; it was not kept")


def _cases(shapes: Mapping[str, tuple[int, int]], space_dim: int) -> Iterator[Arrays]:
    """Give inputs with every subset of modalities present, and with nothing in the masks at all."""
    for windows, emotions in itertools.product(_WINDOWS, _EMOTIONS):
        inputs = random_inputs(shapes, space_dim, windows=windows, emotions=emotions, seed=windows * emotions)
        for subset in itertools.product((0.0, 1.0), repeat=len(MODALITIES)):
            present = np.tile(np.array(subset, np.float32), (windows, 1))
            yield inputs | {"present": present}
            yield {
                name: value if name == "emotions" else present if name == "present" else np.zeros_like(value)
                for name, value in inputs.items()
            }
