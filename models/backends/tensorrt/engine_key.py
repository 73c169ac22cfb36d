"""What an engine is bound to: it may answer only where all of this is the same."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

import msgspec

from models.backends.tensorrt.buckets import BUCKETS, MAX_EMOTIONS, USUAL_EMOTIONS

SIZES = f"{'-'.join(str(bucket.windows) for bucket in BUCKETS)}x{USUAL_EMOTIONS}-{MAX_EMOTIONS}"
"""The sizes that this release builds for; engines of other sizes are not used."""


class EngineKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names one engine."""

    model_sha256: str
    """Of the bundle's `model.onnx`, in hex."""
    flavour: str
    """`tensorrt` or `tensorrt_rtx`."""
    version: str
    """Of that TensorRT."""
    card: str
    """Compute capability, such as `sm89`."""
    gpu: str
    """Model of the GPU, which TensorRT tunes an engine for; empty for TensorRT-RTX, which tunes later."""
    precision: Literal["fp32", "fp16"]
    sizes: str = SIZES

    @property
    def digest(self) -> str:
        """Twelve hex digits that stand for all of it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]

    @property
    def stem(self) -> str:
        """The name of its files, without extension: readable, and different for every key."""
        gpu = f"-{re.sub(r'[^a-z0-9]+', '-', self.gpu.lower()).strip('-')}" if self.gpu else ""
        return f"{self.flavour}-{self.version}-{self.card}{gpu}-{self.precision}-{self.digest}"
