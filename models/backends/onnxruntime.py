"""ONNX Runtime with one of its providers for other processors than the CPU; each runs the whole graph."""

from __future__ import annotations

import numpy as np

from models.backends import OUTPUTS, Arrays, BackendError, DeviceLostError
from models.backends.graph_check import check_inputs, check_outputs
from models.backends.providers import Provider
from models.bundle import Bundle
from models.onnx_session import open_session


class OnnxRuntimeBackend:
    """A bundle's graph on a provider of ONNX Runtime.

    Raises:
        BackendError: ONNX Runtime cannot read the graph, or cannot use the provider.
        BundleError: The graph's inputs or outputs are not those that `model.yaml` describes.
    """

    max_emotions = None
    # Each stage by itself would cost a device another launch, and another way there and back.
    stages = None

    def __init__(self, bundle: Bundle, provider: Provider, *, threads: int = 1) -> None:
        self.name = provider.backend
        try:
            self._session = open_session(
                bundle.graph,
                threads=threads,
                provider=provider.name,
                options=provider.options(bundle, threads),
            )
        except RuntimeError as error:
            raise BackendError(f"{error}; {provider.remedy}") from error
        check_inputs(bundle, self._session.get_inputs())
        check_outputs(bundle, self._session.get_outputs())

    def run(self, inputs: Arrays) -> Arrays:
        """Return the graph's outputs, by name; see `Backend.run`."""
        try:
            values = self._session.run(list(OUTPUTS), dict(inputs))
        except Exception as error:
            raise DeviceLostError(f"{self.name}: ONNX Runtime failed: {error}") from error
        outputs = {name: np.asarray(value, np.float32) for name, value in zip(OUTPUTS, values, strict=True)}
        for name, value in outputs.items():
            if not np.isfinite(value).all():
                raise DeviceLostError(
                    f"{self.name}: ONNX Runtime gave a {name} that is not finite; nothing is scored from it"
                )
        return outputs

    def close(self) -> None:
        """Nothing is held: ONNX Runtime frees its device with the session."""
