"""What scores become when cosines are shifted: the graph's calibration and fusion, done once more outside."""

from __future__ import annotations

import numpy as np

from models.bundle import Bundle
from models.bundle_manifest import MODALITIES, BundleError
from models.outputs import Outputs, outputs_from
from stream.messages import Float32Array

_TOLERANCE = 2e-3
_TOLD = 10.0  # logit
_LEAST = 1e-7  # keeps a probability that single precision rounds to 0 or 1 from an infinite logit


class ShiftedFusion:
    """Fuses anew after a shift of some modality's cosines, as `models.training.fusion` does in the graph.

    What no shift touches stays what the graph gave, to the last bit.

    Raises:
        BundleError: The bundle's graph fuses in another way.
    """

    def __init__(self, bundle: Bundle) -> None:
        parts = [bundle.calibration[name] for name in MODALITIES]
        self._scale = np.array([[part.scale] for part in parts])
        self._bias = np.array([[part.bias] for part in parts])
        self._weight = np.array([part.weight for part in parts])
        inputs, stored = bundle.check_arrays()
        outputs, present = outputs_from(stored), inputs["present"]
        logits = self._logits(1 - outputs.modality_distance)
        # No file but the graph holds it.
        self.sharpness = _sharpness(self._mean(logits, present), _logit(outputs.probability), present)
        """Power of the number of modalities by which a fused logit exceeds their mean."""
        probability = _sigmoid(self._fused_logit(logits, present))
        error = max(
            np.abs(self._mean(outputs.modality_distance, present) - outputs.distance).max(),
            np.abs(probability - outputs.probability).max(),
        )
        if not error <= _TOLERANCE:
            raise BundleError(
                f"{bundle.folder}: the graph does not fuse as `calibration` in model.yaml says (off by "
                f"{error:.3f}), so its scores cannot be corrected; set `baseline.enabled: false`, or use a "
                "bundle written by this release of emostream"
            )

    def shift(self, outputs: Outputs, present: Float32Array, shift: Float32Array) -> Outputs:
        """Return the outputs with `shift` added to the cosines, which stay within -1..1.

        Args:
            outputs: What the graph gave for N windows and K emotions.
            present: `[N, 3]`, 1 where a modality counted, else 0.
            shift: `[N, 3, K]`.
        """
        cosine = 1 - outputs.modality_distance
        moved = np.where(shift == 0, 0, np.clip(cosine + shift, -1, 1) - cosine)
        # From cosines, not from the graph's probabilities: where these are nearly 0 or 1 they tell no logit.
        logits = self._logits(cosine + moved)
        own, fused = _sigmoid(logits), _sigmoid(self._fused_logit(logits, present))
        changed = ((moved != 0) & (present[..., None] > 0)).any(axis=1)
        return Outputs(
            distance=np.where(
                changed, np.clip(outputs.distance - self._mean(moved, present), 0, 2), outputs.distance
            ),
            probability=np.where(changed, fused, outputs.probability),
            modality_distance=outputs.modality_distance - moved,
            modality_probability=np.where(moved == 0, outputs.modality_probability, own),
        )

    def _logits(self, cosine: Float32Array) -> Float32Array:
        return np.asarray(self._scale * cosine + self._bias)

    def _mean(self, values: Float32Array, present: Float32Array) -> Float32Array:
        """Return the weighted mean `[N, K]` of `[N, 3, K]` over what is present."""
        weights = self._weight * present
        weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), _LEAST)
        return np.asarray((weights[..., None] * values).sum(axis=1))

    def _fused_logit(self, logits: Float32Array, present: Float32Array) -> Float32Array:
        count = np.maximum(present.sum(axis=1, keepdims=True), 1)
        return np.asarray(self._mean(logits, present) * count**self.sharpness)


def _sharpness(mean: Float32Array, fused: Float32Array, present: Float32Array) -> float:
    """Return the power of the number of modalities by which fused logits `[N, K]` exceed their mean."""
    several = present.sum(axis=1) > 1
    if not several.any():
        return 0.0
    mean, fused, count = mean[several], fused[several], present[several].sum(axis=1)
    # A probability that is nearly 0 or 1 tells no logit.
    told = np.abs(fused) < _TOLD
    factor = (mean * fused * told).sum(axis=1) / np.maximum((np.square(mean) * told).sum(axis=1), _LEAST)
    powers = np.log(np.maximum(factor, _LEAST)) / np.log(count)
    return float(np.mean(powers[told.any(axis=1)])) if told.any() else 0.0


def _logit(probability: Float32Array) -> Float32Array:
    held = np.clip(probability.astype(np.float64), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(held / (1 - held)))


def _sigmoid(logit: Float32Array) -> Float32Array:
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)
