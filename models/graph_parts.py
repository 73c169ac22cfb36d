"""A bundle's graph in parts: an encoder a modality, the map of the emotion words, and what compares the two.

An encoder is two parts: what a step of a window (a bin, a word) is by itself, and what all are together.
Training writes `model.onnx` whole, with the tensors between the parts under the names below and their shapes
noted (`value_info`); here it is cut there. The package `onnx` could do that too, but nothing else in the
daemon needs it, so the few fields of its messages that matter are declared here.
"""

from __future__ import annotations

import re
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
STEPS = {name: f"{name}_steps" for name in MODALITIES}
"""`[N, T, W]`: each step of a window by itself; `face_steps_1`, and so on for each fit of the modality."""
ENCODINGS = {name: f"{name}_encoding" for name in MODALITIES}
"""`[N, joint]`: what a window shows, as a direction of the joint space."""
WORDS = {name: f"{name}_words" for name in MODALITIES}
"""`[K, joint]`: the emotion words in the joint space of a modality."""


@dataclass(frozen=True)
class Part:
    """What goes into a part of the graph, and what comes out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    free: bool = False
    """Whether it takes any number of steps, whatever the whole graph does."""


WORD_MAP = Part(("emotions",), tuple(WORDS.values()))
FUSION = Part((*ENCODINGS.values(), *WORDS.values(), "present"), OUTPUTS)

_FIELDS: dict[str, dict[str, tuple[int, str | None]]] = {
    "Dimension": {},
    "Shape": {"dim": (1, "Dimension")},
    "Array": {"shape": (2, "Shape")},
    "Type": {"tensor_type": (1, "Array")},
    "Value": {"name": (1, None), "type": (2, "Type")},
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
_SINGLE = ("Array.shape", "Type.tensor_type", "Value.name", "Value.type", "Tensor.name", "Model.graph")
_STEPS_DIMENSION = 1


class GraphPartError(ValueError):
    """A graph that cannot be cut."""


class WholeGraph:
    """A bundle's graph, to be cut.

    Args:
        model: The whole, as its file holds it.

    Raises:
        GraphPartError: `model` is no ONNX model.
    """

    def __init__(self, model: bytes) -> None:
        try:
            self._model = _model_class().FromString(model)
        except DecodeError as error:
            raise GraphPartError(f"it is no ONNX model ({error})") from error
        graph = self._model.graph
        self._values = {value.name: value for value in (*graph.input, *graph.output, *graph.value_info)}

    def steps(self, modality: str) -> Part:
        """Return the part that takes each step of a modality by itself, any number of them.

        Raises:
            GraphPartError: The graph does not say which that is.
        """
        named = re.compile(rf"{STEPS[modality]}_\d+")
        found = tuple(name for name in self._values if named.fullmatch(name))
        if not found:
            raise GraphPartError(f"it has no {STEPS[modality]}_1")
        return Part((modality, f"{modality}_mask"), found, free=True)

    def encoder(self, modality: str) -> Part:
        """Return the part that makes an encoding of a modality's steps; it has the inputs that it reads.

        Raises:
            GraphPartError: The graph does not say which that is.
        """
        steps = self.steps(modality)
        part = Part((*steps.outputs, *steps.inputs), (ENCODINGS[modality],))
        _, needed = _upstream(self._model.graph.node, part)
        return Part(tuple(name for name in part.inputs if name in needed), part.outputs)

    def cut(self, part: Part) -> bytes:
        """Return a part as a model of its own.

        Args:
            part: Where to cut; each name is an input or output of the graph, or stands in its `value_info`.

        Raises:
            GraphPartError: The graph lacks one of the names.
        """
        missing = [name for name in (*part.inputs, *part.outputs) if name not in self._values]
        if missing:
            raise GraphPartError(f"it has no {', '.join(missing)}")
        nodes, needed = _upstream(self._model.graph.node, part)
        model = type(self._model)()
        model.CopyFrom(self._model)
        graph = model.graph
        for field, kept in (
            (graph.node, nodes),
            (graph.initializer, [each for each in self._model.graph.initializer if each.name in needed]),
            (graph.input, [self._values[name] for name in part.inputs]),
            (graph.output, [self._values[name] for name in part.outputs]),
            (graph.value_info, []),
        ):
            del field[:]
            field.extend(kept)
        if part.free:
            for value in (*graph.input, *graph.output):
                value.type.tensor_type.shape.dim[_STEPS_DIMENSION].Clear()
        return bytes(model.SerializeToString())


def _upstream(nodes: Sequence[Any], part: Part) -> tuple[list[Any], set[str]]:
    """Return, in order, the nodes that lead from the part's inputs to its outputs, and what they read."""
    needed, kept = set(part.outputs), []
    for node in reversed(nodes):  # ONNX has them in the order of computation
        if needed.intersection(node.output).difference(part.inputs):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1], needed


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
