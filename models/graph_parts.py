"""A bundle's graph in parts: an encoder a modality, the map of the emotion words, and what compares the two.

Training writes `model.onnx` whole, with the tensors between the parts under the names below and their shapes
noted (`value_info`); here it is cut there. The package `onnx` could do that too, but nothing else in the
daemon needs it, so the few fields of its messages that matter are declared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from models.bundle_manifest import MODALITIES

OUTPUTS = ("distance", "probability", "modality_distance", "modality_probability")
"""Every output of a bundle's graph."""
ENCODINGS = {name: f"{name}_encoding" for name in MODALITIES}
"""`[N, joint]`: what a window shows, as a direction of the joint space."""
WORDS = {name: f"{name}_words" for name in MODALITIES}
"""`[K, joint]`: the emotion words in the joint space of a modality."""


@dataclass(frozen=True)
class Part:
    """What goes into a part of the graph, and what comes out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


ENCODERS = {name: Part((name, f"{name}_mask"), (ENCODINGS[name],)) for name in MODALITIES}
WORD_MAP = Part(("emotions",), tuple(WORDS.values()))
FUSION = Part((*ENCODINGS.values(), *WORDS.values(), "present"), OUTPUTS)

_FIELDS: dict[str, dict[str, tuple[int, str | None]]] = {
    "Value": {"name": (1, None)},
    "Tensor": {"name": (8, None)},
    "Node": {"input": (1, None), "output": (2, None)},
    "Graph": {
        "node": (1, "Node"),
        "initializer": (5, "Tensor"),
        "input": (11, "Value"),
        "output": (12, "Value"),
        "value_info": (13, "Value"),
    },
    "Model": {"graph": (7, "Graph")},
}
"""Of ONNX's messages (onnx.proto), the fields that matter and their numbers; all others are passed on."""
_SINGLE = ("Value.name", "Tensor.name", "Model.graph")


class GraphPartError(ValueError):
    """A graph that cannot be cut."""


def cut(model: bytes, part: Part) -> bytes:
    """Return a part of an ONNX model as a model of its own.

    Args:
        model: The whole, as its file holds it.
        part: Where to cut; each name is an input or output of the graph, or stands in its `value_info`.

    Raises:
        GraphPartError: `model` is no ONNX model, or lacks one of the names.
    """
    try:
        whole = _model_class().FromString(model)
    except DecodeError as error:
        raise GraphPartError(f"it is no ONNX model ({error})") from error
    graph = whole.graph
    values = {value.name: value for value in (*graph.input, *graph.output, *graph.value_info)}
    missing = [name for name in (*part.inputs, *part.outputs) if name not in values]
    if missing:
        raise GraphPartError(f"it has no {', '.join(missing)}")
    nodes, needed = _upstream(graph.node, part)
    kept = [tensor for tensor in graph.initializer if tensor.name in needed]
    for field, replaced in (
        (graph.node, nodes),
        (graph.initializer, kept),
        (graph.input, [values[name] for name in part.inputs]),
        (graph.output, [values[name] for name in part.outputs]),
        (graph.value_info, []),
    ):
        held = [_copy(each) for each in replaced]
        del field[:]
        field.extend(held)
    return bytes(whole.SerializeToString())


def _upstream(nodes: Sequence[Any], part: Part) -> tuple[list[Any], set[str]]:
    """Return, in order, the nodes that lead from the part's inputs to its outputs, and all that they read."""
    needed, kept = set(part.outputs), []
    for node in reversed(nodes):  # ONNX has them in the order of computation
        if needed.intersection(node.output).difference(part.inputs):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1], needed


def _copy(message: Any) -> Any:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


@cache
def _model_class() -> Any:
    file = FileDescriptorProto(name="onnx_parts.proto", package="emostream", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            single = f"{name}.{field}" in _SINGLE
            message.field.add(
                name=field,
                number=number,
                label=Field.LABEL_OPTIONAL if single else Field.LABEL_REPEATED,
                type=Field.TYPE_STRING if kind is None else Field.TYPE_MESSAGE,
                type_name=None if kind is None else f".emostream.{kind}",
            )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("emostream.Model"))
