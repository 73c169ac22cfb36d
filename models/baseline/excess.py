"""What of a neutral point is to be taken out of scores."""

from __future__ import annotations

import numpy as np

from models.bundle import Bundle
from models.bundle_manifest import BundleError
from stream.messages import Float32Array

NEUTRAL = "neutral"
"""The concept whose words mean that there is no emotion."""


class Excess:
    """How a neutral point differs from one at which no emotion stands out.

    At rest a person's evidence should be as near to the words for neutral as everybody's is, and no nearer to
    any other word than everybody's is. What is beyond that is excess: above zero where a word is too near,
    below zero where a neutral word is too far. A word that is farther than it should be, or a neutral one
    that is nearer, has none.

    Raises:
        BundleError: The bundle was not measured on neutral evidence of `modality`, or has no neutral words.
    """

    def __init__(self, bundle: Bundle, modality: str) -> None:
        if modality not in bundle.neutral or NEUTRAL not in bundle.words:
            raise BundleError(
                f"{bundle.folder / 'model.yaml'}: `neutral` has nothing for {modality}, which the "
                "personal baseline needs; set `baseline.enabled: false`, or let "
                "`python -m models.training.neutral BUNDLE --data FOLDER` measure it"
            )
        everybody = bundle.neutral[modality]
        self.spread = everybody.spread
        """How far windows of somebody at rest are from that person's neutral point, typically."""
        self._is_neutral = np.isin(bundle.phrases, bundle.words[NEUTRAL])
        self._wanted = everybody.cosines

    def of(self, point: Float32Array) -> Float32Array:
        """Return the excess `[W]` of a neutral point's cosines `[W]` to the bundle's words."""
        difference = point - self._wanted
        lacking, over = np.minimum(difference, 0), np.maximum(difference, 0)
        return np.asarray(np.where(self._is_neutral, lacking, over), np.float32)
