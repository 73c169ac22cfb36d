"""What a backend computes in, and how far that may move its answers."""

from __future__ import annotations

from typing import Literal, TypeAlias

Precision: TypeAlias = Literal["fp32", "tf32", "fp16"]

TOLERANCE: dict[Precision, float] = {"fp32": 1e-4, "tf32": 1e-3, "fp16": 5e-3}
"""Largest difference from ONNX Runtime on the CPU, in any output; distances lie in 0..2, the rest in 0..1.

In fp32 only the order of summation differs. tf32 multiplies with 10 bits of mantissa, and so does fp16, which
also hands on results with no more; 5e-3 is half of what a score of two digits shows.
"""
