"""Steps that learn something new without worsening what was learned: gradient episodic memory.

Lopez-Paz and Ranzato 2017 (arXiv 1706.08840), with one earlier task, for which their quadratic program has a
closed form. The authors of Dai et al. 2020 tune on few examples of an unseen emotion with it.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_MARGIN = 0.01  # of the authors' commands: how far, at least, a step turns away from what it would worsen


def turn_gradients(parameters: Iterable[nn.Parameter], memory_loss: Tensor) -> None:
    """Change gradients, in place, so that a step along them does not raise the loss on the memory.

    Args:
        parameters: What is trained; their gradients are those of the new task.
        memory_loss: Of the task learned before, computed from the same parameters.
    """
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    earlier = torch.autograd.grad(memory_loss, trained, allow_unused=True)
    pairs = [
        (parameter.grad, before)
        for parameter, before in zip(trained, earlier, strict=True)
        if parameter.grad is not None and before is not None
    ]
    along = sum((float((new * before).sum()) for new, before in pairs), 0.0)
    if along >= 0:
        return
    length = sum((float(before.square().sum()) for _, before in pairs), 0.0)
    share = max(-along / length, _MARGIN)
    for new, before in pairs:
        new.add_(before, alpha=share)
