"""YAML files read into pydantic models, with errors that name file, line, key, value and what is allowed."""

from __future__ import annotations

import difflib
import types
import typing
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionStartEvent

from stream.errors import UserError

ModelT = TypeVar("ModelT", bound=BaseModel)
_MAX_BYTES = 1 << 20
_MAX_NODES = 200_000
_MAX_DEPTH = 50


# With what the reader lets through of Python's own errors: numbers too long, dates that are none.
_NOT_YAML = (YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class YamlFileError(UserError):
    """A YAML file that cannot be used; the text lists every problem, one a line, as `file:line: …`."""


class _TooDeepError(Exception):
    """A tree that would take time with the square of its depth."""


class _ShallowComposer(Composer):
    """Builds no tree deeper than `_MAX_DEPTH`."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node."""
        self._depth += 1
        if self._depth > _MAX_DEPTH and self.parser.check_event(CollectionStartEvent):
            raise _TooDeepError
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Section(BaseModel):
    """A part of a YAML file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


def load_yaml(path: Path, model: type[ModelT]) -> ModelT:
    """Read `path` into `model`.

    Raises:
        YamlFileError: the file is missing, unreadable, not YAML, or does not fit the model.
    """
    return validate(path, parse_yaml(path), model)


def parse_yaml(path: Path) -> Any:
    """Read `path` into a tree that knows its lines (see `line_of`).

    Raises:
        YamlFileError: the file is missing, unreadable, or not YAML.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise YamlFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise YamlFileError(f"{path}: larger than {_MAX_BYTES >> 20} MiB; this is not a configuration file")
    try:
        yaml = YAML(typ="rt", pure=True)
        yaml.Composer = _ShallowComposer
        tree = yaml.load(raw.decode("utf-8"))
    except _TooDeepError as error:
        raise YamlFileError(f"{path}: nested more than {_MAX_DEPTH} deep; simplify it") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlFileError(f"{path}:{line}: not valid YAML: {error.problem or error.context}") from error
    except _NOT_YAML as error:
        raise YamlFileError(f"{path}: not valid YAML: {error}") from error
    if _expanded(tree, {}) > _MAX_NODES:
        raise YamlFileError(f"{path}: more than {_MAX_NODES} values, with all aliases; simplify it")
    return {} if tree is None else tree


def _expanded(tree: Any, known: dict[int, float]) -> float:
    """Return how many values `tree` has once every alias stands for a copy; infinitely many in a loop."""
    if not isinstance(tree, dict | list | set):
        return 1
    if id(tree) not in known:
        known[id(tree)] = float("inf")  # whoever comes here again meanwhile is inside itself
        inner = tree.values() if isinstance(tree, dict) else tree
        known[id(tree)] = 1 + sum(_expanded(value, known) for value in inner)
    return known[id(tree)]


def validate(path: Path, tree: Any, model: type[ModelT]) -> ModelT:
    """Return the `tree` that was read from `path` as a `model`.

    Raises:
        YamlFileError: the tree does not fit the model.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        problems = [_describe(path, tree, model, problem) for problem in error.errors()]
        raise YamlFileError("\n".join(problems)) from error


def line_of(tree: Any, location: tuple[int | str, ...]) -> int:
    """Return the 1-based line of the deepest part of `location` that the parsed `tree` holds."""
    line, node = 1, tree
    for key in location:
        try:
            position = node.lc.item(key) if isinstance(key, int) else node.lc.key(key)
            node = node[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
        line = position[0] + 1
    return line


def _describe(path: Path, tree: Any, model: type[BaseModel], problem: Any) -> str:
    tagged: tuple[int | str, ...] = tuple(problem["loc"])
    location = _without_tags(tree, tagged)
    if problem["type"].startswith("union_tag"):
        location = (*location, problem["ctx"]["discriminator"].strip("'"))
    place = f"{path}:{line_of(tree, location)}: {_dotted(location)}"
    if problem["type"] in ("missing", "union_tag_not_found"):
        return f"{place}: missing; this key is required"
    if problem["type"] == "union_tag_invalid":
        return f"{place} = {problem['ctx']['tag']!r}: choose one of {problem['ctx']['expected_tags']}"
    place += f" = {_short(problem['input'])}"
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, tagged[:-1])
        nearest = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean `{nearest[0]}`? " if nearest else ""
        return f"{place}: unknown key; {hint}allowed here: {', '.join(sorted(allowed))}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{place}: {message[:1].lower()}{message[1:]}"


def _short(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _dotted(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".") or "(top level)"


def _without_tags(tree: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return `location` without what the file does not hold: the name of the kind a section was read as.

    Only the last part may be missing from the file, as a required key is.
    """
    kept: list[int | str] = []
    for part in location[:-1]:
        if not isinstance(tree, dict):
            kept.append(part)
            tree = tree[int(part)] if isinstance(tree, list) else None
        elif part in tree:
            kept.append(part)
            tree = tree[part]
    return (*kept, *location[-1:])


def _allowed_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the section at `location` of `model` takes; `location` names kinds of sections."""
    for i, part in enumerate(location):
        if isinstance(part, int) or part not in model.model_fields:
            continue
        sections = _sections_in(model.model_fields[part].annotation)
        if not sections:
            return []
        kind = location[i + 1] if i + 1 < len(location) else None
        model = next((section for section in sections if _is_kind(section, kind)), sections[0])
    return list(model.model_fields)


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections inside an annotation such as `tuple[Source, ...]` or `Camera | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, typing.Union, types.UnionType, tuple, list, dict):
        return [section for inner in get_args(annotation) for section in _sections_in(inner)]
    return []


def _is_kind(section: type[BaseModel], kind: int | str | None) -> bool:
    """Whether a key of `section` always has the value `kind`, as one that tells sections apart has."""
    return any(get_args(field.annotation) == (kind,) for field in section.model_fields.values())
