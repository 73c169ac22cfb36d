"""The sizes that an engine is built for: one optimization profile a bucket of batch sizes."""

from __future__ import annotations

from dataclasses import dataclass

from models.backends import MAX_WINDOWS
from models.backends.providers import MAX_EMOTIONS

__all__ = ["BUCKETS", "MAX_EMOTIONS", "Bucket", "bucket_of"]

USUAL_EMOTIONS = 8
"""Emotions that kernels are tuned for."""


@dataclass(frozen=True)
class Bucket:
    """Batches of a range of sizes, all run at the largest."""

    index: int
    """Of its optimization profile in the engine."""
    least: int
    windows: int


def _buckets(*sizes: int) -> tuple[Bucket, ...]:
    least = [1, *(size + 1 for size in sizes)]
    return tuple(Bucket(index, least[index], size) for index, size in enumerate(sizes))


BUCKETS = _buckets(1, 4, 16, MAX_WINDOWS)


def bucket_of(windows: int) -> Bucket:
    """Return the bucket that a batch of `windows` runs in; there is none for more than `MAX_WINDOWS`."""
    return next(bucket for bucket in BUCKETS if windows <= bucket.windows)
