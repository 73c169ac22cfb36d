"""A section of several kinds, told apart by a key: mistakes are named as if there were only the one meant."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import pytest
from pydantic import Field

from stream.yaml_file import Section, YamlFileError, load_yaml


class Circle(Section):
    """One kind."""

    shape: Literal["circle"]
    radius: float = Field(gt=0)


class Box(Section):
    """Another."""

    shape: Literal["box"]
    sides: dict[str, float]


class Drawing(Section):
    """Has figures of either kind."""

    figure: Annotated[Circle | Box, Field(discriminator="shape")]
    others: list[Annotated[Circle | Box, Field(discriminator="shape")]] = Field(default=[])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("figure: {shape: star}", "a.yaml:1: figure.shape = 'star': choose one of 'circle', 'box'"),
        ("figure: {}", "a.yaml:1: figure.shape: missing; this key is required"),
        ("figure:\n  shape: circle", "a.yaml:1: figure.radius: missing; this key is required"),
        ("figure:\n  shape: circle\n  radius: -1", "a.yaml:3: figure.radius = -1: "),
        ("figure:\n  shape: box\n  sides: {a: 1}\n  side: {}", "a.yaml:4: figure.side = {…}: unknown key; did you mean `sides`?"),
        ("figure:\n  shape: box\n  radius: 1\n  sides: {}", "a.yaml:3: figure.radius = 1: unknown key; allowed here: shape, sides"),
        ("figure:\n  shape: box\n  sides:\n    a: 1\n    b: wide", "a.yaml:5: figure.sides.b = 'wide': "),
        ("figure: {shape: circle, radius: 1}\nothers:\n- {shape: box, sides: {}}\n- {shape: circle, radius: 0}", "a.yaml:4: others[1].radius = 0: "),
        ("figure: 3", "a.yaml:1: figure = 3: "),
    ],
)  # fmt: skip
def test_a_mistake_in_a_section_of_several_kinds_is_named_with_its_line(tmp_path, text, message) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(YamlFileError, match=re.escape(message)):
        load_yaml(path, Drawing)


def test_each_kind_is_read(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("figure: {shape: box, sides: {a: 1}}\nothers: [{shape: circle, radius: 2}]")
    drawing = load_yaml(path, Drawing)
    assert drawing.figure == Box(shape="box", sides={"a": 1})
    assert drawing.others == [Circle(shape="circle", radius=2)]
