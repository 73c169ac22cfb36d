"""The live model: an encoder a modality, emotion words mapped beside it, cosine between the two, fusion.

After Dai et al. 2020 (arXiv 2009.09629): emotions are embeddings of their words, mapped into the encoders'
space by a learned linear map a modality. Where it differs from the paper, streams ask for it: encoders pool
over time under a mask, the score is a cosine, and fusion is over what is present.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.bundle_manifest import MODALITIES
from models.training.affect import DIRECTIONS, AffectMap
from models.training.branches import Encoder
from models.training.fusion import Calibration, Fusion
from models.training.normalization import Centre
from models.training.vectors import side_by_side, unit


class WordMap(nn.Module):
    """Maps emotion words from their embedding space into the joint space.

    A part of the joint space is affect, where a word lies by its valence, arousal and dominance; there words
    that were never trained on find their place. A part is learned, by a map of low rank from what is
    different between emotion words: what all of them have in common is subtracted first. Where words are what
    is heard, the last part is that difference itself.

    Args:
        dim: Numbers in a word's vector.
        joint: Dimension of affect and the learned part together.
        rank: Rank of the learned map.
        affect: Where a word lies in affect.
        affect_share: How much of a cosine affect decides, 0..1, of what the last part leaves.
        meaning_share: How much of a cosine the last part decides, 0..1; with 0 there is none.
    """

    common: Tensor

    def __init__(
        self,
        dim: int,
        joint: int,
        rank: int,
        affect: AffectMap,
        *,
        affect_share: float,
        meaning_share: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("common", torch.zeros(dim))
        self.affect = affect
        self.affect_share = affect_share
        self.meaning_share = meaning_share
        self.map = nn.Sequential(nn.Linear(dim, rank, bias=False), nn.Linear(rank, joint - DIRECTIONS))

    def forward(self, emotions: Tensor) -> Tensor:
        """Return unit vectors `[K, joint]`, or `[K, joint + E]` with a last part, for words `[K, E]`."""
        own = unit(unit(emotions) - self.common)
        mapped = side_by_side(unit(self.map(own)), self.affect(emotions), self.affect_share)
        return side_by_side(mapped, own, self.meaning_share) if self.meaning_share else mapped


class HeardMeaning(nn.Module):
    """What heard words mean by themselves: their mean in the embedding space, less what all text has there.

    Args:
        dim: Numbers in a word's vector.
    """

    common: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("common", torch.zeros(dim))

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Return unit vectors `[N, dim]` for word vectors `[N, W, dim]`, zero where the mask `[N, W]` is."""
        return unit(words.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1) - self.common)


class ModalityScorer(nn.Module):
    """One modality: the cosine between what a window shows and each emotion word.

    Encodings are centred on average evidence, so a cosine of zero means: no more of this than usual. It means
    so for every word, trained on or not, and in every modality, so that distances of several can be compared
    and averaged. Strictly, it is a cosine times how unlike the average the evidence is.

    Args:
        branch: The encoder.
        words: The map of emotion words.
        dim: Numbers in one of the modality's vectors.
    """

    def __init__(self, branch: Encoder, words: WordMap, dim: int) -> None:
        super().__init__()
        self.branch = branch
        self.words = words
        self.centre = Centre(branch.joint)
        self.meaning = HeardMeaning(dim) if words.meaning_share else None
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        """Logarithm of the inverse temperature that the training loss puts on cosines."""
        self.bias = nn.Parameter(torch.tensor(-1.5))
        """What the training loss adds to logits: most words do not fit."""

    def forward(self, values: Tensor, mask: Tensor, emotions: Tensor) -> Tensor:
        """Return cosines `[N, K]` for values `[N, T, D]`, mask `[N, T]` and words `[K, E]`."""
        return self.encode(values, mask) @ self.words(emotions).transpose(0, 1)

    def encode(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return vectors no longer than one for values `[N, T, D]` and mask `[N, T]`."""
        # A caller's masked rows need not be zero; here they are.
        given = values * mask.unsqueeze(-1)
        learned = self.centre(unit(self.branch(given, mask)))
        if self.meaning is None:
            return learned
        return side_by_side(learned, self.meaning(given, mask), self.words.meaning_share)

    def loss_logits(self, cosine: Tensor) -> Tensor:
        """Return cosines times the learned inverse temperature, and the bias added."""
        return cosine * self.log_scale.exp().clamp(max=40) + self.bias


class LiveNetwork(nn.Module):
    """All modalities, calibrated and fused: the graph of a bundle."""

    def __init__(self, scorers: Mapping[str, ModalityScorer]) -> None:
        super().__init__()
        self.scorers = nn.ModuleDict({name: scorers[name] for name in MODALITIES})
        self.calibration = Calibration(len(MODALITIES))
        self.fusion = Fusion(len(MODALITIES))

    def forward(  # noqa: PLR0917 - the graph's inputs in their order
        self,
        face: Tensor,
        face_mask: Tensor,
        voice: Tensor,
        voice_mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        present: Tensor,
        emotions: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Score N windows against K words.

        Args:
            face: `[N, Tf, Df]`.
            face_mask: `[N, Tf]`, 1 where there is a face, else 0.
            voice: `[N, Tv, Dv]`, speaker-normalised.
            voice_mask: `[N, Tv]`, 1 where there is speech, else 0.
            text: `[N, W, E]`.
            text_mask: `[N, W]`, 1 where there is a word, else 0.
            present: `[N, 3]`, 1 where a modality counts, else 0.
            emotions: `[K, E]`.

        Returns:
            Distance `[N, K]` 0..2, probability `[N, K]` 0..1, and both a modality, `[N, 3, K]`.
        """
        cosine = torch.stack(
            [
                self.scorers["face"](face, face_mask, emotions),
                self.scorers["voice"](voice, voice_mask, emotions),
                self.scorers["text"](text, text_mask, emotions),
            ],
            dim=1,
        )
        logits = self.calibration(cosine)
        fused, logit = self.fusion(cosine, logits, present)
        return 1 - fused, torch.sigmoid(logit), 1 - cosine, torch.sigmoid(logits)
