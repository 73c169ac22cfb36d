"""ONNX Runtime on the CPU, in stages: what runs everywhere, and what all else is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from models.backends import Arrays, BackendError, EncoderInput, encoder_inputs
from models.backends.graph_check import check_inputs
from models.backends.providers import CPU_PROVIDER
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.graph_parts import ENCODINGS, FUSION, WORD_MAP, WORDS, GraphPartError, Part, WholeGraph
from models.onnx_session import open_session
from stream.messages import Float32Array

_SHARED_STEPS = 256
"""From so many on; a hop of several sources has fewer, which take less time than sharing them out does."""


class OnnxRuntimeCpu:
    """A bundle's graph on ONNX Runtime; see `Stages` and `Backend`.

    With several threads that many runs go on at once, each on one: modalities, and pieces of a large batch.
    The operations of one run are too short to be shared out.

    Raises:
        BackendError: The graph cannot be cut into its parts, or ONNX Runtime cannot read one.
        BundleError: The graph's inputs are not those that `model.yaml` describes.
    """

    name = CPU_PROVIDER.backend
    max_emotions = None

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "onnxruntime") if threads > 1 else None
        try:
            whole = WholeGraph(bundle.graph.read_bytes())
            self._steps = {name: _Run(bundle, whole, whole.steps(name)) for name in MODALITIES}
            self._encoders = {name: _Run(bundle, whole, whole.encoder(name)) for name in MODALITIES}
            self._word_map = _Run(bundle, whole, WORD_MAP)
            self._fusion = _Run(bundle, whole, FUSION)
        except GraphPartError as error:
            raise BackendError(
                f"{bundle.graph} cannot be loaded: {error}; use a bundle written by this release of "
                "emostream, or copy the whole bundle again"
            ) from error
        parts = (*self._steps.values(), *self._encoders.values(), self._word_map, self._fusion)
        check_inputs(bundle, (value for part in parts for value in part.session.get_inputs()))

    @property
    def stages(self) -> OnnxRuntimeCpu:
        """Itself."""
        return self

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs, by name; see `Backend.run`."""
        return self.fuse(self.encode_all(inputs), self.map_words(inputs["emotions"]), inputs["present"])

    def encode_all(self, inputs: Arrays) -> Arrays:
        """Return vectors `[N, joint]` for the modalities in `inputs`, from their beginning."""
        given = [name for name in MODALITIES if name in inputs]
        steps = self.steps({name: np.concatenate(inputs[name]) for name in given})
        return self.encode({name: encoder_inputs(inputs, steps, name) for name in given})

    def steps(self, rows: Mapping[str, Float32Array]) -> Arrays:
        """Return what each step is by itself, by modality; see `Stages.steps`."""
        if self._pool is None or sum(map(len, rows.values())) < _SHARED_STEPS:
            return {name: self._step(name, values) for name, values in rows.items()}
        pieces = {name: np.array_split(values, self._threads) for name, values in rows.items()}
        return _shared_out(self._pool, self._step, pieces)

    def _step(self, modality: str, rows: Float32Array) -> Float32Array:
        part = self._steps[modality]
        given = (rows[np.newaxis], np.ones((1, len(rows)), np.float32))
        fits = part.run(dict(zip(part.part.inputs, given, strict=True)))
        return np.concatenate([each[0] for each in fits.values()], axis=1)

    def encode(self, evidence: Mapping[str, Sequence[EncoderInput]]) -> Arrays:
        """Return vectors, by modality; see `Stages.encode`."""
        if self._pool is None:
            return {name: self._encode(name, given) for name, given in evidence.items()}
        pieces = {name: self._pieces(given) for name, given in evidence.items()}
        return _shared_out(self._pool, self._encode, pieces)

    def _encode(self, modality: str, evidence: Sequence[EncoderInput]) -> Float32Array:
        encoder, fits = self._encoders[modality], self._steps[modality].part.outputs
        steps = np.stack([each.steps for each in evidence])
        given = dict(zip(fits, np.split(steps, len(fits), axis=2), strict=True))
        given[f"{modality}_mask"] = np.stack([each.mask for each in evidence])
        if modality in encoder.part.inputs:  # where the steps by themselves do not say all
            given[modality] = np.stack([each.values for each in evidence])
        return encoder.run(given)[ENCODINGS[modality]]

    def _pieces(self, evidence: Sequence[EncoderInput]) -> list[Sequence[EncoderInput]]:
        count = min(self._threads, len(evidence))
        ends = [len(evidence) * number // count for number in range(count + 1)]
        return [evidence[start:end] for start, end in pairwise(ends)]

    def map_words(self, emotions: Float32Array) -> Arrays:
        """Return unit vectors for emotion words; see `Stages.map_words`."""
        mapped = self._word_map.run({"emotions": emotions})
        return {name: mapped[WORDS[name]] for name in MODALITIES}

    def fuse(self, encodings: Arrays, words: Arrays, present: Float32Array) -> Arrays:
        """Return the graph's outputs, by name; see `Stages.fuse`."""
        given = {"present": present}
        given |= {ENCODINGS[name]: encodings[name] for name in MODALITIES}
        given |= {WORDS[name]: words[name] for name in MODALITIES}
        return self._fusion.run(given)

    def close(self) -> None:
        """End its threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _shared_out(
    pool: ThreadPoolExecutor, run: Callable[[str, Any], Float32Array], pieces: Mapping[str, Sequence[Any]]
) -> Arrays:
    """Return what `run` gives for all pieces of a modality together, by modality; all run at once."""
    running = {name: [pool.submit(run, name, piece) for piece in several] for name, several in pieces.items()}
    return {name: np.concatenate([each.result() for each in runs]) for name, runs in running.items()}


class _Run:
    """One part of the graph, ready to run."""

    def __init__(self, bundle: Bundle, whole: WholeGraph, part: Part) -> None:
        self.part = part
        try:
            self.session = open_session(bundle.graph, content=whole.cut(part))
        except RuntimeError as error:
            raise BackendError(f"{error}; copy the whole bundle again") from error

    def run(self, given: Arrays) -> Arrays:
        """Return its outputs, by name.

        Raises:
            BackendError: ONNX Runtime failed, or an output is not finite.
        """
        outputs = self.part.outputs
        try:
            values = self.session.run(list(outputs), dict(given))
        # ONNX Runtime's exceptions share no base class of their own.
        except Exception as error:
            raise BackendError(f"ONNX Runtime failed: {error}") from error
        answers = {name: np.asarray(value, np.float32) for name, value in zip(outputs, values, strict=True)}
        for name, value in answers.items():
            if not np.isfinite(value).all():
                raise BackendError(
                    f"ONNX Runtime gave a {name} that is not finite; nothing is scored from it"
                )
        return answers
