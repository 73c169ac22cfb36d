"""MulT, the transformer for unaligned modalities of Tsai et al. 2019 (arXiv 1906.00295), section 3."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import torch
from torch import Tensor, nn

from models.training.paper.crossmodal import Transformer
from models.training.paper.sequences import pick_sequences, used_sequences


class MulT(nn.Module):
    """Every modality attends to every other, whatever their lengths.

    A temporal convolution brings all to one width. For each ordered pair, a crossmodal transformer lets the
    first attend to the second. What a modality found in the others, side by side, passes a transformer of
    its own, and the last steps of all, side by side, a residual perceptron. A modality alone has only its
    own transformer.

    Args:
        dims: Feature size of each modality that is used, any subset of text, audio, vision.
        classes: How many emotions.
        width: The common width; even, and a multiple of `heads`.
        heads: Attention heads.
        layers: Blocks of each transformer.
        kernel: Steps that the convolution sees; odd.
        dropout: In the transformers and the perceptron.

    Raises:
        ValueError: `dims` names no modality or an unknown one, or a size is not as it must be.
    """

    def __init__(
        self,
        dims: Mapping[str, int],
        classes: int,
        *,
        width: int = 40,
        heads: int = 8,
        layers: int = 4,
        kernel: int = 3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if width % 2 or width % heads or kernel % 2 == 0:
            raise ValueError(
                f"width must be even and a multiple of heads, kernel odd; got {width=}, {heads=}, {kernel=}"
            )
        names = used_sequences(dims)
        self.convolutions = nn.ModuleDict(
            {name: nn.Conv1d(dims[name], width, kernel, padding=kernel // 2, bias=False) for name in names}
        )
        self.crossmodal = nn.ModuleDict(
            {
                _pair(target, source): Transformer(width, heads, layers, dropout)
                for target, source in permutations(names, 2)
            }
        )
        own = width * max(1, len(names) - 1)
        self.own = nn.ModuleDict({name: Transformer(own, heads, layers, dropout) for name in names})
        fused = own * len(names)
        self.perceptron = nn.Sequential(
            nn.Linear(fused, fused), nn.ReLU(), nn.Dropout(dropout), nn.Linear(fused, fused)
        )
        self.leave = nn.Linear(fused, classes)

    def forward(
        self, text: Tensor | None = None, audio: Tensor | None = None, vision: Tensor | None = None
    ) -> Tensor:
        """Return logits `[N, C]` for sequences `[N, T, D]`, each of its own length.

        Raises:
            ValueError: A sequence that the network uses is missing or not `[N, T, D]`.
        """
        sequences = pick_sequences(tuple(self.convolutions), text, audio, vision)
        common = {
            name: self.convolutions[name](sequence.transpose(1, 2)).transpose(1, 2)
            for name, sequence in sequences.items()
        }
        fused = torch.cat([self._reinforced(name, common)[:, -1] for name in common], dim=-1)
        return self.leave(fused + self.perceptron(fused))

    def _reinforced(self, target: str, common: Mapping[str, Tensor]) -> Tensor:
        """Return `[N, T, own]`: what `target` finds in the other modalities, through its own transformer."""
        found = [
            self.crossmodal[_pair(target, source)](common[target], common[source])
            for source in common
            if source != target
        ]
        return self.own[target](torch.cat(found, dim=-1) if found else common[target])


def _pair(target: str, source: str) -> str:
    return f"{target}_from_{source}"
