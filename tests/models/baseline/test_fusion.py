"""Shifted cosines are calibrated and fused as the graph fuses its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.baseline.fusion import ShiftedFusion
from models.bundle import ModalityCalibration, load_bundle
from models.bundle_manifest import MODALITIES, BundleError
from models.outputs import Outputs, outputs_from
from models.training.fusion import Calibration, Fusion
from stream.messages import Float32Array
from tests.models.baseline.conftest import LIVE

BUNDLE = load_bundle(LIVE)
WAYS = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def graph(cosine: Float32Array, present: Float32Array) -> Outputs:
    """Return what a graph with the bundle's calibration gives for cosines `[N, 3, K]`, by PyTorch."""
    calibration, fusion = Calibration(len(MODALITIES)), Fusion(len(MODALITIES))
    parts = [BUNDLE.calibration[name] for name in MODALITIES]
    with torch.no_grad():
        calibration.scale.copy_(torch.tensor([part.scale for part in parts]))
        calibration.bias.copy_(torch.tensor([part.bias for part in parts]))
        fusion.log_weight.copy_(torch.tensor([part.weight for part in parts]).log())
        fusion.sharpness.copy_(torch.tensor(ShiftedFusion(BUNDLE).sharpness))
        values = torch.from_numpy(cosine)
        logits = calibration(values)
        fused, logit = fusion(values, logits, torch.from_numpy(present))
        arrays = (1 - fused, torch.sigmoid(logit), 1 - values, torch.sigmoid(logits))
    return Outputs(*(array.numpy() for array in arrays))


def random_cosines(seed: int, spread: float = 0.3) -> Float32Array:
    return np.random.default_rng(seed).uniform(-spread, spread, (len(WAYS), 3, 6)).astype(np.float32)


@given(st.integers(0, 10_000))
def test_no_shift_changes_nothing_to_the_last_bit(seed: int) -> None:
    outputs = graph(random_cosines(seed), WAYS)
    shifted = ShiftedFusion(BUNDLE).shift(outputs, WAYS, np.zeros((len(WAYS), 3, 6), np.float32))
    for name in ("distance", "probability", "modality_distance", "modality_probability"):
        np.testing.assert_array_equal(getattr(shifted, name), getattr(outputs, name), err_msg=name)


@given(st.integers(0, 10_000))
def test_a_shift_gives_what_the_graph_gives_for_shifted_cosines(seed: int) -> None:
    cosine, shift = random_cosines(seed), random_cosines(seed + 1)
    found = ShiftedFusion(BUNDLE).shift(graph(cosine, WAYS), WAYS, shift)
    expected = graph(cosine + shift, WAYS)
    for name in ("distance", "probability", "modality_distance", "modality_probability"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4, err_msg=name)


@given(st.integers(0, 10_000))
def test_distances_stay_in_their_range(seed: int) -> None:
    outputs = graph(random_cosines(seed, 1.0), WAYS)
    found = ShiftedFusion(BUNDLE).shift(outputs, WAYS, random_cosines(seed + 1, 3.0))
    for values, top in ((found.distance, 2), (found.modality_distance, 2), (found.probability, 1)):
        assert values.min() >= 0
        assert values.max() <= top


def test_a_modality_that_is_not_there_shifts_nothing() -> None:
    cosine, shift = random_cosines(1), np.zeros((len(WAYS), 3, 6), np.float32)
    shift[:, 0] = 0.2
    outputs = graph(cosine, WAYS)
    found = ShiftedFusion(BUNDLE).shift(outputs, WAYS, shift)
    without_face = WAYS[:, 0] == 0
    np.testing.assert_array_equal(found.probability[without_face], outputs.probability[without_face])
    assert (found.probability[~without_face] > outputs.probability[~without_face]).all()


def test_it_fuses_the_stored_outputs_as_the_graph_did() -> None:
    inputs, stored = BUNDLE.check_arrays()
    outputs, present = outputs_from(stored), inputs["present"]
    again = graph(1 - outputs.modality_distance, present)
    np.testing.assert_allclose(again.distance, outputs.distance, atol=1e-3)
    np.testing.assert_allclose(again.probability, outputs.probability, atol=1e-3)


def test_a_graph_that_fuses_otherwise_is_refused() -> None:
    calibration = {**BUNDLE.calibration, "text": ModalityCalibration(scale=1.0, bias=0.0, weight=0.01)}
    with pytest.raises(BundleError, match="does not fuse as `calibration`"):
        ShiftedFusion(replace(BUNDLE, calibration=calibration))
