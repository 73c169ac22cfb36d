"""The network of Dai et al. 2020 (arXiv 2009.09629) and the baselines it is measured against.

All are called with `(text, audio, vision)`, each `[N, T, D]` and left out where the network does not use it,
and return logits `[N, C]`, one an emotion, independent of each other.
"""

from __future__ import annotations

from models.training.paper.early_fusion import EarlyFusionLstm
from models.training.paper.late_fusion import LateFusionLstm
from models.training.paper.mult import MulT
from models.training.paper.network import EmotionEmbeddingNetwork

__all__ = ["EarlyFusionLstm", "EmotionEmbeddingNetwork", "LateFusionLstm", "MulT"]
