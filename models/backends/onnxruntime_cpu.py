"""ONNX Runtime on the CPU, in stages: what runs everywhere, and what all else is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort

from models.backends import Arrays, BackendError, Masked
from models.backends.graph_check import check_inputs
from models.backends.providers import CPU_PROVIDER
from models.bundle import Bundle
from models.bundle_manifest import MODALITIES
from models.graph_parts import ENCODERS, ENCODINGS, FUSION, WORD_MAP, WORDS, GraphPartError, Part, cut
from models.onnx_session import open_session
from stream.messages import Float32Array


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
        self._bundle = bundle
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "onnxruntime") if threads > 1 else None
        model = bundle.graph.read_bytes()
        self._encoders = {name: self._open(model, part) for name, part in ENCODERS.items()}
        self._word_map = self._open(model, WORD_MAP)
        self._fusion = self._open(model, FUSION)
        sessions = (*self._encoders.values(), self._word_map, self._fusion)
        check_inputs(bundle, (value for session in sessions for value in session.get_inputs()))

    @property
    def stages(self) -> OnnxRuntimeCpu:
        """Itself."""
        return self

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs, by name; see `Backend.run`."""
        encodings = self.encode({name: (inputs[name], inputs[f"{name}_mask"]) for name in MODALITIES})
        return self.fuse(encodings, self.map_words(inputs["emotions"]), inputs["present"])

    def encode(self, evidence: Mapping[str, Masked]) -> Arrays:
        """Return unit vectors, by modality; see `Stages.encode`."""
        if self._pool is None:
            return {name: self._encode(name, *given) for name, given in evidence.items()}
        running = {
            name: [self._pool.submit(self._encode, name, *piece) for piece in self._pieces(*given)]
            for name, given in evidence.items()
        }
        return {name: np.concatenate([run.result() for run in runs]) for name, runs in running.items()}

    def _encode(self, modality: str, values: Float32Array, mask: Float32Array) -> Float32Array:
        part = ENCODERS[modality]
        given = dict(zip(part.inputs, (values, mask), strict=True))
        return _run(self._encoders[modality], part, given)[ENCODINGS[modality]]

    def _pieces(self, values: Float32Array, mask: Float32Array) -> list[Masked]:
        count = min(self._threads, len(values))
        return list(zip(np.array_split(values, count), np.array_split(mask, count), strict=True))

    def map_words(self, emotions: Float32Array) -> Arrays:
        """Return unit vectors for emotion words; see `Stages.map_words`."""
        mapped = _run(self._word_map, WORD_MAP, {"emotions": emotions})
        return {name: mapped[WORDS[name]] for name in MODALITIES}

    def fuse(self, encodings: Arrays, words: Arrays, present: Float32Array) -> Arrays:
        """Return the graph's outputs, by name; see `Stages.fuse`."""
        given = {"present": present}
        given |= {ENCODINGS[name]: encodings[name] for name in MODALITIES}
        given |= {WORDS[name]: words[name] for name in MODALITIES}
        return _run(self._fusion, FUSION, given)

    def close(self) -> None:
        """End its threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _open(self, model: bytes, part: Part) -> ort.InferenceSession:
        graph = self._bundle.graph
        try:
            return open_session(graph, content=cut(model, part))
        except GraphPartError as error:
            raise BackendError(
                f"{graph} cannot be loaded: {error}; use a bundle written by this release of emostream, "
                "or copy the whole bundle again"
            ) from error
        except RuntimeError as error:
            raise BackendError(f"{error}; copy the whole bundle again") from error


def _run(session: ort.InferenceSession, part: Part, given: Arrays) -> Arrays:
    try:
        values = session.run(list(part.outputs), dict(given))
    # ONNX Runtime's exceptions share no base class of their own.
    except Exception as error:
        raise BackendError(f"ONNX Runtime failed: {error}") from error
    answers = {name: np.asarray(value, np.float32) for name, value in zip(part.outputs, values, strict=True)}
    for name, value in answers.items():
        if not np.isfinite(value).all():
            raise BackendError(f"ONNX Runtime gave a {name} that is not finite; nothing is scored from it")
    return answers
