"""The modality-transferable network of Dai et al. 2020 (arXiv 2009.09629), section 3."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.training.paper.recurrent import Cell, RecurrentEncoder
from models.training.paper.sequences import pick_sequences, used_sequences


class EmotionEmbeddingNetwork(nn.Module):
    """Scores sequences against the word embeddings of emotions.

    A recurrent encoder a modality; its last state, both directions summed, is compared by dot product with
    the emotion's embedding: the word's own for text, the word's mapped by a learned affine map for audio and
    vision. A learned weight a modality adds up the scores; a modality alone has no weight.

    Args:
        emotions: `[C, E]`, the word embeddings of the emotions trained on; constant.
        dims: Feature size of each modality that is used, any subset of text, audio, vision.
        hidden: State size of each of those encoders; that of text must be E. Published: 300, 200, 100.
        cell: `lstm` or `gru`.
        layers: How many recurrent layers.
        bidirectional: Whether the encoders read in both directions.
        dropout: Between recurrent layers.

    Raises:
        ValueError: The sizes do not fit together.
    """

    emotions: Tensor

    def __init__(
        self,
        emotions: Tensor,
        dims: Mapping[str, int],
        hidden: Mapping[str, int],
        *,
        cell: Cell = "lstm",
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        names = used_sequences(dims)
        embedding = emotions.shape[1]
        if "text" in names and hidden["text"] != embedding:
            raise ValueError(
                f"text is compared with the words themselves, so its state must have the size of the "
                f"embeddings: {embedding}, not {hidden['text']}"
            )
        self.register_buffer("emotions", emotions.clone())
        self.encoders = nn.ModuleDict(
            {
                name: RecurrentEncoder(
                    dims[name],
                    hidden[name],
                    cell=cell,
                    layers=layers,
                    bidirectional=bidirectional,
                    dropout=dropout,
                )
                for name in names
            }
        )
        self.maps = nn.ModuleDict(
            {name: nn.Identity() if name == "text" else nn.Linear(embedding, hidden[name]) for name in names}
        )
        if len(names) > 1:
            self.weights = nn.Parameter(torch.full((len(names),), 1 / len(names)))

    def forward(
        self,
        text: Tensor | None = None,
        audio: Tensor | None = None,
        vision: Tensor | None = None,
        emotions: Tensor | None = None,
    ) -> Tensor:
        """Score N sequences of each modality.

        Args:
            text: `[N, T, D]`, as are audio and vision; one that the network does not use may be left out.
            audio: See `text`.
            vision: See `text`.
            emotions: `[K, E]`, emotions to score instead of those trained on: any words of the same
                embedding space, seen or not.

        Returns:
            Logits `[N, K]`, K being C without `emotions`.

        Raises:
            ValueError: A sequence that the network uses is missing or not `[N, T, D]`.
        """
        return self.fused(self.similarities(text, audio, vision, emotions))

    def similarities(
        self,
        text: Tensor | None = None,
        audio: Tensor | None = None,
        vision: Tensor | None = None,
        emotions: Tensor | None = None,
    ) -> Tensor:
        """Return what each modality that is used says, `[N, M, K]`; see `forward`.

        Raises:
            ValueError: A sequence that the network uses is missing or not `[N, T, D]`.
        """
        sequences = pick_sequences(tuple(self.encoders), text, audio, vision)
        words = self.emotions if emotions is None else emotions
        scores = [
            self.encoders[name](sequence).sum(dim=1) @ self.maps[name](words).transpose(0, 1)
            for name, sequence in sequences.items()
        ]
        return torch.stack(scores, dim=1)

    def fused(self, similarities: Tensor) -> Tensor:
        """Return logits `[N, K]` for the similarities `[N, M, K]` of all modalities that are used."""
        if len(self.encoders) == 1:
            return similarities[:, 0]
        return (similarities * self.weights.view(1, -1, 1)).sum(dim=1)
