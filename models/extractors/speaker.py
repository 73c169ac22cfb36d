"""Per-speaker normalisation of voice vectors, as the speaker is heard."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.extractors.voice_layout import RATE_HZ, VoiceChunk
from stream.messages import Float32Array

SPEECH = 0.5
"""Speech probability above which a vector says something about the speaker."""

_MEMORY_S = 60.0  # of speech; a new speaker takes over in about this time
_LEAST_STD = 0.1  # in standard deviations of the prior
_LIMIT = 6.0


@dataclass(frozen=True)
class SpeakerPrior:
    """What is expected of a speaker nobody has heard yet: the statistics of many others."""

    mean: Float32Array
    """`[D]`."""
    std: Float32Array
    """`[D]`, all positive."""
    weight_s: float
    """Seconds of speech the prior counts for against what is heard."""


class SpeakerNormalizer:
    """Subtracts the speaker's mean and divides by the speaker's standard deviation, both as known so far.

    Causal: a vector is normalised with the speech heard up to and including itself. Vectors without speech
    are normalised but teach nothing. Speech is forgotten with a time constant of 60 s of speech, the prior
    with it.

    Raises:
        ValueError: The prior's arrays do not fit each other, hold a standard deviation that is not positive
            or a number that is not finite, or its weight is not positive.
    """

    def __init__(self, prior: SpeakerPrior) -> None:
        if prior.mean.ndim != 1 or prior.mean.shape != prior.std.shape:
            raise ValueError(
                f"speaker prior: mean {prior.mean.shape} and std {prior.std.shape} must be two [D]"
            )
        if not (np.isfinite(prior.mean).all() and np.isfinite(prior.std).all() and (prior.std > 0).all()):
            raise ValueError("speaker prior: the mean must be finite, every standard deviation positive")
        if not (math.isfinite(prior.weight_s) and prior.weight_s > 0):
            raise ValueError(f"speaker prior: a weight of {prior.weight_s} s; it must be positive")
        self._origin = prior.mean.astype(np.float64)
        self._unit = prior.std.astype(np.float64)
        self._prior_weight = prior.weight_s * RATE_HZ
        self._keep = math.exp(-1 / (_MEMORY_S * RATE_HZ))
        self.reset()

    def reset(self) -> None:
        """Forget the speaker: back to the prior."""
        # In units of the prior, where the sums below lose no precision.
        self._weight = self._prior_weight
        self._sum = np.zeros_like(self._origin)
        self._squares = np.full_like(self._origin, self._prior_weight)

    def normalize(self, chunk: VoiceChunk) -> VoiceChunk:
        """Return the chunk with its `[n, D]` vectors normalised, each number limited to -6..6.

        Chunks must come in order; how the vectors were cut into chunks makes no difference.
        """
        vectors = np.empty(chunk.vectors.shape, np.float32)
        for i, scaled in enumerate((chunk.vectors - self._origin) / self._unit):
            if chunk.speech[i] > SPEECH:
                self._weight = self._keep * self._weight + 1
                self._sum = self._keep * self._sum + scaled
                self._squares = self._keep * self._squares + np.square(scaled)
            mean = self._sum / self._weight
            variance = np.maximum(self._squares / self._weight - np.square(mean), _LEAST_STD**2)
            vectors[i] = np.clip((scaled - mean) / np.sqrt(variance), -_LIMIT, _LIMIT)
        return VoiceChunk(times_ns=chunk.times_ns, vectors=vectors, speech=chunk.speech)
