"""Whether a graph is the one that the bundle's `model.yaml` describes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from models.bundle import Bundle
from models.bundle_manifest import BundleError
from models.graph_parts import OUTPUTS


def check_inputs(bundle: Bundle, values: Iterable[Any]) -> None:
    """Compare the inputs of ONNX Runtime's session, or sessions, with what the bundle says.

    Raises:
        BundleError: One is missing or has another shape.
    """
    found = {value.name: value.shape for value in values}
    for name, expected in bundle.input_shapes().items():
        if name not in found or not _fits(found[name], expected):
            raise BundleError(
                f"{bundle.graph}: input {name} is {found.get(name, 'missing')}, but model.yaml says "
                f"{list(expected)}; use a bundle written by this release of emostream"
            )


def check_outputs(bundle: Bundle, values: Iterable[Any]) -> None:
    """Look for the outputs that every bundle has.

    Raises:
        BundleError: One is missing.
    """
    missing = set(OUTPUTS) - {value.name for value in values}
    if missing:
        raise BundleError(
            f"{bundle.graph}: output {', '.join(sorted(missing))} is missing; "
            "use a bundle written by this release of emostream"
        )


# A part that takes any number of steps has no size there; the part that reads them together has.
def _fits(found: Sequence[int | str | None], expected: Sequence[int | None]) -> bool:
    return len(found) == len(expected) and all(
        wanted is None or size in (None, wanted) for size, wanted in zip(found, expected, strict=True)
    )
