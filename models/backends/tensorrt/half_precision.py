"""A bundle's graph in half precision.

A strongly typed network computes in the types that its graph names, so fp16 is a matter of the graph.
"""

from __future__ import annotations

import importlib.util

from models.backends import BackendError
from models.bundle import Bundle

_HALVED = ("MatMul", "Gemm", "Conv", "LSTM", "GRU")
"""What tensor cores speed up; sums, norms and everything else that could overflow stay in fp32."""


def half_precision_graph(bundle: Bundle) -> bytes:
    """Return the ONNX graph with its matrix products in fp16; inputs and outputs stay fp32.

    Raises:
        BackendError: The package `onnx` is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise BackendError("an fp16 engine needs the package `onnx` to be built; pip install onnx")
    import onnx  # noqa: PLC0415
    from onnxruntime.transformers.float16 import convert_float_to_float16  # noqa: PLC0415

    graph = onnx.load_model(bundle.graph)
    others = {node.op_type for node in graph.graph.node} - set(_HALVED)
    half = convert_float_to_float16(graph, keep_io_types=True, op_block_list=sorted(others))
    return bytes(half.SerializeToString())
