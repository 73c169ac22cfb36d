"""Recurrent encoders for running: the same answer without the steps that nothing is read of.

Only the last step of the last layer is read, and there its backward half has seen that step alone. So of a
bidirectional last layer, the backward half need run for one step, whatever the length of the sequence.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from models.training.paper.recurrent import RecurrentEncoder


class LastStepEncoder(nn.Module):
    """A bidirectional `RecurrentEncoder`, with the weights of `encoder`."""

    def __init__(self, encoder: RecurrentEncoder) -> None:
        super().__init__()
        rnn = encoder.rnn
        kind, hidden, last = type(rnn), rnn.hidden_size, rnn.num_layers - 1
        width = rnn.input_size
        self.lower: nn.Module | None = None
        if last:
            self.lower = kind(width, hidden, num_layers=last, batch_first=True, bidirectional=True)
            for name, weight in self.lower.named_parameters():
                weight.data = getattr(rnn, name).data
            width = 2 * hidden
        self.forward_half = kind(width, hidden, batch_first=True)
        self.backward_half = kind(width, hidden, batch_first=True)
        for half, suffix in ((self.forward_half, ""), (self.backward_half, "_reverse")):
            for name, weight in half.named_parameters():
                weight.data = getattr(rnn, name.replace("_l0", f"_l{last}") + suffix).data

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the last layer's state at the last step, `[N, 2, hidden]`, for `[N, T, dim]`."""
        states = sequence if self.lower is None else self.lower(sequence)[0]
        ahead, _ = self.forward_half(states)
        back, _ = self.backward_half(states[:, -1:])
        return torch.stack([ahead[:, -1], back[:, -1]], dim=1)


def for_running(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose bidirectional encoders do without what is not read."""
    copied = copy.deepcopy(network)
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, RecurrentEncoder) and child.directions == 2:
                setattr(module, name, LastStepEncoder(child))
    return copied
