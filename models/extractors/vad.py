"""Voice activity: the probability of speech in each 32 ms of audio, from the Silero network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.model_file import ModelFileError
from models.onnx_session import open_session
from stream.messages import Int16Array

WINDOW = 512
"""Samples the network judges at a time: 32 ms at 16 kHz."""
_CONTEXT = 64  # samples before the window that the network also sees
_STATE = 128


class Vad:
    """Silero VAD v6 on ONNX Runtime, one thread: windows in order, state kept between them.

    Raises:
        ModelFileError: `model` is not a Silero VAD v6 graph.
    """

    def __init__(self, model: Path) -> None:
        try:
            self._session = open_session(model)
        except RuntimeError as error:
            raise ModelFileError(f"{error}; run `emostream assets fetch silero-vad`") from error
        names = {value.name for value in self._session.get_inputs()}
        if names != {"input", "h", "c"}:
            raise ModelFileError(
                f"{model} is no Silero VAD v6 model: its inputs are {', '.join(sorted(names))}; "
                "run `emostream assets fetch silero-vad`"
            )
        self.reset()

    def reset(self) -> None:
        """Forget all audio: the next window starts a new stream."""
        self._input = np.zeros((1, _CONTEXT + WINDOW), np.float32)
        self._hidden = np.zeros((1, 1, _STATE), np.float32)
        self._cell = np.zeros((1, 1, _STATE), np.float32)

    def probability(self, samples: Int16Array) -> float:
        """Return how likely the next window holds speech, 0..1.

        Args:
            samples: `[512]` int16 at 16 kHz, directly following those of the previous call.

        Raises:
            ValueError: `samples` is not one window.
        """
        if samples.shape != (WINDOW,):
            raise ValueError(f"the VAD takes {WINDOW} samples at a time, not shape {samples.shape}")
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = samples * np.float32(1 / 32768)
        inputs = {"input": self._input, "h": self._hidden, "c": self._cell}
        probability, self._hidden, self._cell = self._session.run(None, inputs)
        return float(probability[0])


class StreamingVad:
    """A `Vad` fed with runs of samples of any length."""

    def __init__(self, model: Path) -> None:
        self._vad = Vad(model)
        self._rest: Int16Array = np.zeros(0, np.int16)

    def reset(self) -> None:
        """Forget all audio, the unfinished window included."""
        self._vad.reset()
        self._rest = np.zeros(0, np.int16)

    def accept(self, samples: Int16Array) -> list[float]:
        """Return the speech probability of every 512-sample window these samples complete, oldest first."""
        audio = np.concatenate([self._rest, samples])
        whole = len(audio) // WINDOW * WINDOW
        self._rest = audio[whole:].copy()
        # One window at a time, so that the result cannot depend on how the audio was cut.
        return [self._vad.probability(window) for window in audio[:whole].reshape(-1, WINDOW)]
