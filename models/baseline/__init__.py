"""The personal baseline: what a person's face and voice are like at rest, taken out of the scores."""

from __future__ import annotations

from models.baseline.personal import Corrected, PersonalBaseline
from models.baseline.points import (
    KeptPoints,
    NeutralPoint,
    NeutralPointsError,
    points_file,
    read_points,
    write_points,
)

__all__ = [
    "Corrected",
    "KeptPoints",
    "NeutralPoint",
    "NeutralPointsError",
    "PersonalBaseline",
    "points_file",
    "read_points",
    "write_points",
]
