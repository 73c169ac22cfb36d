"""A recurrent encoder read at its last step.

So the papers do it, and it is reproduced here with what follows: at the last step the backward half of the
last layer has seen that step alone. The live model pools over time instead.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Cell = Literal["lstm", "gru"]
_CELLS: dict[Cell, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentEncoder(nn.Module):
    """An LSTM or GRU over a sequence.

    Args:
        dim: Size of a step.
        hidden: Size of the state, a direction.
        cell: `lstm` or `gru`.
        layers: How many are stacked.
        bidirectional: Whether a second one runs from the end to the beginning.
        dropout: Between layers; without effect on a single one.
    """

    def __init__(
        self,
        dim: int,
        hidden: int,
        *,
        cell: Cell = "lstm",
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.rnn = _CELLS[cell](
            dim,
            hidden,
            num_layers=layers,
            batch_first=True,
            bidirectional=bidirectional,
            # PyTorch warns about a dropout that a single layer has no place for.
            dropout=dropout if layers > 1 else 0.0,
        )

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the last layer's state at the last step, `[N, directions, hidden]`, for `[N, T, dim]`."""
        states, _ = self.rnn(sequence)
        return states[:, -1].unflatten(-1, (self.directions, -1))
