"""What the model has made of evidence and of words, kept for as long as these stay as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from models.backends import Arrays, Backend, EncoderInput, Stages
from models.bundle_manifest import MODALITIES
from models.window_schedule import DueWindow
from stream.messages import Float32Array
from stream.windows import Window


class EncodingMemory:
    """Runs a bundle's graph on windows, and does no work twice.

    A modality that does not count is not encoded. One that does is encoded again only if its part of the
    window, values or mask, is not number for number what it was when the source was encoded last: so words
    are encoded when one comes, goes or is corrected, faces and voices whenever the window has moved over
    them. Even then what a step is by itself is computed only for steps that were not in the window before.
    The words of the emotions are mapped again only if they are others.

    A backend without stages is given everything, every time.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Batches, vocabularies mapped, and a modality windows encoded and reused, and steps computed."""
        self._stages: Stages | None = None
        self._parts: dict[tuple[str, str], _Encoded] = {}
        self._emotions: Float32Array | None = None
        self._words: Arrays = {}

    def run(self, backend: Backend, windows: Sequence[DueWindow], emotions: Float32Array) -> Arrays:
        """Return the graph's outputs for N windows and K emotions `[K, E]`.

        What they say of a modality alone means something only where that modality counts (`why` is `None`).

        Raises:
            BackendError: The graph gave no usable answer.
        """
        self.counts["batches"] += 1
        counts = np.array(
            [[window.modalities[name].why is None for name in MODALITIES] for window in windows], np.float32
        )
        stages = backend.stages
        if stages is not self._stages:
            self._stages, self._emotions = stages, None
            self._parts.clear()
        if stages is None:
            return backend.run(self._everything(windows) | {"present": counts, "emotions": emotions})
        words = self._mapped(stages, emotions)
        return stages.fuse(self._encoded(stages, windows, words), words, counts)

    def _mapped(self, stages: Stages, emotions: Float32Array) -> Arrays:
        if self._emotions is None or not np.array_equal(self._emotions, emotions):
            self._words, self._emotions = stages.map_words(emotions), emotions
            self.counts["vocabularies_mapped"] += 1
        return self._words

    def _encoded(self, stages: Stages, windows: Sequence[DueWindow], words: Arrays) -> Arrays:
        """Return `[N, joint]` by modality, zero where that does not count."""
        newest: dict[tuple[str, str], _Encoded] = {}
        parts: dict[str, list[tuple[int, _Encoded]]] = {name: [] for name in MODALITIES}
        fresh: dict[str, list[_Encoded]] = {name: [] for name in MODALITIES}
        for row, window in enumerate(windows):
            for name in MODALITIES:
                part, key = window.modalities[name], (window.source, name)
                if part.why is not None:
                    continue
                known = newest.get(key) or self._parts.get(key)
                if known is None or not known.is_of(part.bins):
                    known = _Encoded(part.bins, known)
                    fresh[name].append(known)
                newest[key] = known
                parts[name].append((row, known))
        self._encode(stages, {name: new for name, new in fresh.items() if new})
        self._parts |= newest  # only now: had a run failed, nothing would be known of them
        encodings = {}
        for name in MODALITIES:
            self.counts[f"{name}_encoded"] += len(fresh[name])
            self.counts[f"{name}_reused"] += len(parts[name]) - len(fresh[name])
            encodings[name] = np.zeros((len(windows), words[name].shape[1]), np.float32)
            for row, known in parts[name]:
                encodings[name][row] = known.vector
        return encodings

    def _encode(self, stages: Stages, fresh: Mapping[str, Sequence[_Encoded]]) -> None:
        rows = {name: np.concatenate([each.new_rows for each in new]) for name, new in fresh.items()}
        for name, steps in stages.steps(rows).items():
            self.counts[f"{name}_steps"] += len(steps)
            ends = np.cumsum([len(each.new_rows) for each in fresh[name]])
            for each, new in zip(fresh[name], np.split(steps, ends[:-1]), strict=True):
                each.complete(new)
        given = {name: [each.evidence for each in new] for name, new in fresh.items()}
        for name, vectors in stages.encode(given).items():
            for each, vector in zip(fresh[name], vectors, strict=True):
                each.vector = vector

    def _everything(self, windows: Sequence[DueWindow]) -> dict[str, Float32Array]:
        inputs = {}
        for name in MODALITIES:
            inputs[name], inputs[f"{name}_mask"] = _stacked(
                [window.modalities[name].bins for window in windows]
            )
            self.counts[f"{name}_encoded"] += len(windows)
        return inputs


class _Encoded:
    """A modality's part of a window, what its steps are, and the vector that it was encoded as.

    Args:
        bins: The part.
        before: What the source was encoded as before.
    """

    def __init__(self, bins: Window, before: _Encoded | None) -> None:
        self.bins = bins
        self.vector: Float32Array = np.empty(0, np.float32)
        self._before = before
        self._steps: Float32Array = np.empty(0, np.float32)
        self._moved = 0
        self._new = np.ones(len(bins.mask), bool)
        if before is not None and bins.moved is not None and bins.moved[0] is before.bins.key:
            self._moved = bins.moved[1]
            self._new[: -self._moved] = False
        elif before is not None:
            # Words keep their places when the window moves. Of any other window whatever happens to lie where
            # it lay is known too, which is little: a face that has changed, evidence that came late.
            self._new = (bins.values != before.bins.values).any(axis=1)
        self.new_rows: Float32Array = bins.values[self._new]
        """`[R, D]`, the steps that were not in the window before."""

    def complete(self, new: Float32Array) -> None:
        """Take what `new_rows` are, `[R, W]`; the other steps are as they were."""
        self._steps = np.empty((len(self._new), new.shape[1]), np.float32)
        if self._before is not None:
            kept = self._before._steps[self._moved :]
            self._steps[: len(kept)] = kept
        self._steps[self._new] = new
        self._before = None

    @property
    def evidence(self) -> EncoderInput:
        """What is encoded."""
        return EncoderInput(self.bins.values, self.bins.mask, self._steps)

    def is_of(self, bins: Window) -> bool:
        """Return whether `bins` would be encoded as the same vector."""
        if self.bins is bins:
            return True
        # What is newest decides most other cases without a look at the values; it decides none alone.
        return (
            self.bins.newest_ns == bins.newest_ns
            and np.array_equal(self.bins.mask, bins.mask)
            and np.array_equal(self.bins.values, bins.values)
        )


def _stacked(parts: Sequence[Window]) -> tuple[Float32Array, Float32Array]:
    """Return the values `[n, T, D]` and masks `[n, T]` of some windows."""
    return np.stack([part.values for part in parts]), np.stack([part.mask for part in parts])
