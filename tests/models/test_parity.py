"""The parity gate lets through what agrees with ONNX Runtime, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from models.backends import OUTPUTS, open_backend
from models.backends.parity import ParityError, require_parity
from models.backends.precision import TOLERANCE, Precision
from models.bundle import load_bundle
from stream.messages import Float32Array

bundle = load_bundle(Path(__file__).resolve().parents[2] / "models" / "bundles" / "live")
reference = open_backend(bundle)


class Moved:
    """ONNX Runtime, with one output moved."""

    name = "moved"
    max_emotions = None
    stages = None

    def __init__(self, output: str, offset: float, windows: int | None = None) -> None:
        self._output, self._offset, self._windows = output, offset, windows

    def run(self, inputs: Mapping[str, Float32Array]) -> Mapping[str, Float32Array]:
        found = dict(reference.run(inputs))
        if self._windows in (None, len(inputs["present"])):
            found[self._output] = found[self._output].copy()
            found[self._output].reshape(-1)[-1] += np.float32(self._offset)
        return found

    def close(self) -> None:
        pass


@pytest.mark.parametrize("precision", ["fp32", "tf32", "fp16"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_a_difference_in_one_number_is_enough(precision: Precision, output: str) -> None:
    allowed = TOLERANCE[precision]
    passed = require_parity(Moved(output, 0.5 * allowed), reference, bundle, precision, [1, 3])
    assert passed == pytest.approx(0.5 * allowed, rel=0.02)
    with pytest.raises(ParityError, match=rf"moved differs .*\(in {output}, \d windows"):
        require_parity(Moved(output, 1.5 * allowed), reference, bundle, precision, [1, 3])


def test_every_size_of_batch_is_compared() -> None:
    with pytest.raises(ParityError, match="5 windows"):
        require_parity(Moved("distance", 0.1, windows=5), reference, bundle, "fp16", [1, 4, 5])


def test_what_is_no_number_does_not_pass() -> None:
    with pytest.raises(ParityError, match="by inf"):
        require_parity(Moved("distance", np.nan), reference, bundle, "fp16", [1])
