"""Probabilities for cosines, and the weights of fusion, from validation data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from models.bundle_manifest import MODALITIES
from models.training.datasets import Dataset
from models.training.fit import cosines
from models.training.fusion import Calibration
from models.training.matching import common_labels, drawn_examples, shared_concepts, single_labels
from models.training.network import LiveNetwork
from models.training.words import ConceptWords
from stream.messages import Float32Array

_COMBINED = 8192  # windows put together from several corpora
_LBFGS_STEPS = 60
_EQUALITY = 1e-4  # pull toward equal weights, so that none vanishes where little data cannot tell


def calibrate(
    network: LiveNetwork, validation: Mapping[str, Dataset], words: ConceptWords, *, seed: int
) -> None:
    """Fit, in place, each modality's scale and bias, then the fusion's weights and sharpness.

    A modality is calibrated on every concept it has labels for. No corpus has face, voice and words of one
    moment. So fusion learns from pairs and triples put together from the validation parts of several corpora,
    one example a modality, all with the same label.
    """
    concepts = shared_concepts(validation)
    found = {}
    for index, name in enumerate(MODALITIES):
        data = validation[name]
        cosine = cosines(network.scorers[name], data, words.first(data.concepts))
        _fit_modality(network.calibration, index, cosine, data.targets, data.allowed.astype(np.float32))
        found[name] = cosine[:, [data.concepts.index(concept) for concept in concepts]]
    own = {name: single_labels(validation[name], concepts) for name in MODALITIES}
    common = common_labels(own)
    if not common:
        return  # nothing to put together: equal weights stay
    random = np.random.default_rng(seed)
    labels = random.choice(common, size=_COMBINED)
    cosine = np.stack([found[name][drawn_examples(own[name], labels, random)] for name in MODALITIES], axis=1)
    _fit_fusion(network, cosine, np.eye(len(concepts), dtype=np.float32)[labels], random)


def _fit_modality(
    calibration: Calibration, index: int, cosine: Float32Array, targets: Float32Array, allowed: Float32Array
) -> None:
    x, y, counted = map(torch.from_numpy, (cosine, targets, allowed))
    scale = nn.Parameter(calibration.scale[index].detach().clone())
    bias = nn.Parameter(calibration.bias[index].detach().clone())

    def loss() -> Tensor:
        each = nn.functional.binary_cross_entropy_with_logits(scale * x + bias, y, reduction="none")
        return (each * counted).sum() / counted.sum()

    _minimize([scale, bias], loss)
    with torch.no_grad():
        calibration.scale[index], calibration.bias[index] = scale, bias


def _fit_fusion(
    network: LiveNetwork, cosine: Float32Array, targets: Float32Array, random: np.random.Generator
) -> None:
    several = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], np.float32)
    present = torch.from_numpy(several[random.integers(len(several), size=len(cosine))])
    x, y = torch.from_numpy(cosine), torch.from_numpy(targets)
    with torch.no_grad():
        logits = network.calibration(x)

    def loss() -> Tensor:
        _, logit = network.fusion(x, logits, present)
        unequal = network.fusion.log_weight.square().sum()
        return nn.functional.binary_cross_entropy_with_logits(logit, y) + _EQUALITY * unequal

    _minimize(list(network.fusion.parameters()), loss)


def _minimize(parameters: list[nn.Parameter], loss: Callable[[], Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=_LBFGS_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
