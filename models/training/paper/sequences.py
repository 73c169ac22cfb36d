"""The three sequences that every network here is called with, and the subset that one uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from models.training.corpora.sequences import SEQUENCES


def used_sequences(dims: Mapping[str, int]) -> tuple[str, ...]:
    """Return the modalities that `dims` gives a feature size for, in the order of calls.

    Raises:
        ValueError: There is none, or one that does not exist.
    """
    if not dims or set(dims) - set(SEQUENCES):
        raise ValueError(f"need a feature size for some of {', '.join(SEQUENCES)}; got {sorted(dims)}")
    return tuple(name for name in SEQUENCES if name in dims)


def pick_sequences(
    names: Sequence[str], text: Tensor | None, audio: Tensor | None, vision: Tensor | None
) -> dict[str, Tensor]:
    """Return the sequences that a network uses, by modality; the others are ignored.

    Raises:
        ValueError: One of `names` is missing, or is not `[N, T, D]`.
    """
    given: dict[str, Tensor | None] = {"text": text, "audio": audio, "vision": vision}
    picked = {}
    for name in names:
        sequence = given[name]
        if sequence is None or sequence.ndim != 3:
            shape = "nothing" if sequence is None else list(sequence.shape)
            raise ValueError(f"the network uses {name} and needs it as [N, T, D]; got {shape}")
        picked[name] = sequence
    return picked
