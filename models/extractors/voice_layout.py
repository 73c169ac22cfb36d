"""The layout of a voice vector, and voice vectors on their way from the extractor to the window."""

from __future__ import annotations

from dataclasses import dataclass

from models.spec import FeatureSpec
from stream.messages import Float32Array, Int64Array

RATE_HZ = 20
"""Voice vectors a second."""

MELS = 64
"""Bands of the log-mel spectrum."""

SPEC = FeatureSpec(
    name="voice@1",
    modality="voice",
    dim=2 * MELS + 3,
    names=(
        *(f"log_mel_mean_{i:02d}" for i in range(MELS)),
        *(f"log_mel_std_{i:02d}" for i in range(MELS)),
        "energy_dbfs",
        "pitch_octaves",
        "voicing",
    ),
)
"""Layout of a voice vector.

Mean and standard deviation over the bin's 10 ms frames of 64 log-mel bands (natural logarithm of the power
of samples in -32768..32767, 60 to 7600 Hz, 5 or more); loudness in dBFS, -80..0; pitch in octaves above
150 Hz, held where nothing is voiced; voicing, the normalised cross-correlation at the pitch period, 0..1.
"""


@dataclass(frozen=True)
class VoiceChunk:
    """Consecutive voice vectors, oldest first."""

    times_ns: Int64Array
    """`[n]`: the end of each vector's support."""
    vectors: Float32Array
    """`[n, D]`."""
    speech: Float32Array
    """`[n]`, 0..1: probability that somebody speaks."""
