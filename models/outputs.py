"""What a bundle's graph says of a batch of windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.messages import Float32Array


@dataclass(frozen=True)
class Outputs:
    """Scores of N windows against K emotions."""

    distance: Float32Array
    """`[N, K]`, fused; 0 (same) to 2 (opposite)."""
    probability: Float32Array
    """`[N, K]`, fused; 0..1."""
    modality_distance: Float32Array
    """`[N, 3, K]`, the same a modality, in the order of `MODALITIES`."""
    modality_probability: Float32Array
    """`[N, 3, K]`."""

    def first(self, count: int) -> Outputs:
        """Return the scores of the first `count` emotions."""
        return Outputs(
            self.distance[:, :count],
            self.probability[:, :count],
            self.modality_distance[..., :count],
            self.modality_probability[..., :count],
        )


def outputs_from(arrays: Mapping[str, Float32Array]) -> Outputs:
    """Return the outputs that a backend gave, or a bundle stored, by their names."""
    return Outputs(
        arrays["distance"],
        arrays["probability"],
        arrays["modality_distance"],
        arrays["modality_probability"],
    )
