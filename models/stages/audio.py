"""What the stages that hear have in common."""

from __future__ import annotations

import numpy as np

from stream.messages import AnyMessage, Int16Array, MessageError, Pcm


def samples_of(message: AnyMessage) -> Int16Array:
    """Return the samples `[n]` of an audio message.

    Raises:
        MessageError: it is not one.
    """
    if not isinstance(message, Pcm) or message.samples.ndim != 1 or message.samples.dtype != np.int16:
        raise MessageError(f"{type(message).__name__} is not audio of [n] 16 bit samples")
    return message.samples
