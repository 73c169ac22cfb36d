"""The parity gate: a backend answers only after it agrees with ONNX Runtime on the CPU.

Bidirectional LSTMs have come out of TensorRT wrong and silent; nothing but a comparison shows that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from models.backends import OUTPUTS, Backend, BackendError
from models.backends.precision import TOLERANCE, Precision
from models.bundle import Bundle
from stream.messages import Float32Array


class ParityError(BackendError):
    """A backend that gives other answers than ONNX Runtime on the CPU; the message holds the difference."""


def require_parity(
    backend: Backend, reference: Backend, bundle: Bundle, precision: Precision, windows: Sequence[int]
) -> float:
    """Run the bundle's stored inputs on both, in batches of each size; return the largest difference.

    Args:
        backend: What is to answer.
        reference: ONNX Runtime on the CPU.
        bundle: Both run its graph.
        precision: What `backend` computes in.
        windows: Sizes of batches to compare, each with all stored emotions, the first also with one.

    Raises:
        ParityError: Some output differs by more than `TOLERANCE[precision]`.
        BackendError: One of them cannot run.
    """
    worst, where = 0.0, ""
    for inputs in _batches(bundle.check_arrays()[0], windows):
        expected, found = reference.run(inputs), backend.run(inputs)
        for name in OUTPUTS:
            difference = float(np.nan_to_num(np.abs(found[name] - expected[name]), nan=np.inf).max())
            if difference > worst:
                count, emotions = len(inputs["present"]), len(inputs["emotions"])
                worst, where = difference, f"in {name}, {count} windows, {emotions} emotions"
    if worst > TOLERANCE[precision]:
        raise ParityError(
            f"{backend.name} differs from ONNX Runtime by {worst:.1e} ({where}), more than the "
            f"{TOLERANCE[precision]:.0e} that {precision} is allowed"
        )
    return worst


def repeated(inputs: Mapping[str, Float32Array], windows: int) -> dict[str, Float32Array]:
    """Return the same inputs with `windows` windows: the given ones over and over."""
    rows = np.arange(windows) % len(inputs["present"])
    return {name: value if name == "emotions" else value[rows] for name, value in inputs.items()}


def _batches(inputs: Mapping[str, Float32Array], windows: Sequence[int]) -> Iterator[dict[str, Float32Array]]:
    for count in windows:
        yield repeated(inputs, count)
    yield repeated(inputs, windows[0]) | {"emotions": inputs["emotions"][:1]}
