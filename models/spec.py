"""The layout of a feature vector, by name and version."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureSpec:
    """What one extractor gives: a bundle trained on one layout refuses vectors of another.

    Attributes:
        name: The layout's name and version, such as `face@1`; a changed layout gets a new version.
        modality: `face`, `voice` or `text`.
        dim: Numbers in a vector.
        names: What each number is; `dim` of them, all different.

    Raises:
        ValueError: `names` does not fit `dim`, or holds a name twice.
    """

    name: str
    modality: str
    dim: int
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != self.dim:
            raise ValueError(f"feature spec {self.name}: {len(self.names)} names for {self.dim} numbers")
        if len(set(self.names)) != self.dim:
            raise ValueError(f"feature spec {self.name}: a name stands for two numbers")
