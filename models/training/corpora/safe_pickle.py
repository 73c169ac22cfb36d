"""Reads the arrays in a pickle without running what the pickle asks for.

Some research data is only published as pickles, and an ordinary unpickler runs any function that a file
names. This one knows the few names that numpy arrays need, and answers each with a function of its own:
nothing is imported or called on a file's word, and even numpy's own constructors, which trust what they are
told about memory, only see types made here.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from models.training.corpora.base import CorpusError

_REMEMBERING = ("PUT", "BINPUT", "LONG_BINPUT")
_PLAIN_KINDS = "biufcSUO"  # no records, no dates: nothing whose layout the file could choose


def load_arrays(path: Path) -> Any:
    """Return what a pickle holds: numpy arrays and scalars in dicts, lists, tuples, sets.

    Pickles of Python 2 are read too; their byte strings become `str`.

    Raises:
        CorpusError: The file asks for anything else, or is damaged.
    """
    with path.open("rb") as file:
        try:
            _check_memo(file)
            return _ArrayUnpickler(file, encoding="latin1").load()
        except Exception as error:  # a damaged pickle raises almost anything, as its documentation warns
            raise CorpusError(f"{path} is not a readable pickle of arrays: {error}") from error


def _check_memo(file: IO[bytes]) -> None:
    """Refuse numbers of remembered values beyond what there can be: each costs memory up to it."""
    for count, (operation, number, _) in enumerate(pickletools.genops(file)):
        if operation.name in _REMEMBERING and int(number or 0) > count:
            raise _RefusedError(f"it remembers value {number} after {count} steps")
    file.seek(0)


class _RefusedError(pickle.UnpicklingError):
    """The pickle names something that is not part of an array."""


class _Type:
    """Stands for a numpy type while its pickle is read."""

    def __init__(self, name: object) -> None:
        dtype = np.dtype(name) if isinstance(name, str) else None
        if dtype is None or dtype.kind not in _PLAIN_KINDS or dtype.fields is not None:
            named = repr(name) if isinstance(name, str) else f"a {type(name).__name__}"
            raise _RefusedError(f"arrays of {named} are not read")
        self.dtype = dtype

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # Of what numpy stores (version, byte order, subarray, names, fields, ...) only the order is needed.
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray[Any, Any]):
    """An array that takes its type from a `_Type` when its pickle fills it."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, type_, in_fortran_order, content = state
        super().__setstate__((version, shape, _dtype(type_), in_fortran_order, content))


def _dtype(type_: object) -> np.dtype[Any]:
    if not isinstance(type_, _Type):
        raise _RefusedError(f"an array's type cannot be a {type(type_).__name__}")
    return type_.dtype


def _make_type(name: object, *_flags: object) -> _Type:
    return _Type(name)


def _make_array(*_empty: object) -> _Array:
    return _Array(0)


def _make_array_from_buffer(content: Any, type_: object, shape: Any, order: Any) -> np.ndarray[Any, Any]:
    """Return an array of pickle protocol 5."""
    return np.frombuffer(content, _dtype(type_)).reshape(shape, order=order)


def _make_scalar(type_: object, content: Any) -> Any:
    dtype = _dtype(type_)
    # In a pickle of Python 2 the bytes were a string.
    return np.frombuffer(content.encode("latin1") if isinstance(content, str) else content, dtype)[0]


def _make_bytes(text: str, encoding: str) -> bytes:
    """Return bytes as Python 3 writes them in the protocols of Python 2."""
    if encoding != "latin1":
        raise _RefusedError(f"bytes in the encoding {encoding!r} are not read")
    return text.encode("latin1")


def _make_no_bytes() -> bytes:
    """Return empty bytes as Python 3 writes them in the protocols of Python 2."""
    return b""


_KNOWN: Mapping[tuple[str, str], Callable[..., Any] | str] = {
    ("numpy", "dtype"): _make_type,
    # Only ever an argument of `_reconstruct`, which has no use for it here.
    ("numpy", "ndarray"): "numpy.ndarray",
    ("_codecs", "encode"): _make_bytes,
    ("__builtin__", "bytes"): _make_no_bytes,
    **{
        (f"numpy.{core}.{module}", name): make
        for core in ("core", "_core")  # before numpy 2 and since
        for module, name, make in (
            ("multiarray", "_reconstruct", _make_array),
            ("multiarray", "scalar", _make_scalar),
            ("numeric", "_frombuffer", _make_array_from_buffer),
        )
    },
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return our own function for a name that arrays need."""
        known = _KNOWN.get((module, name))
        if known is None:
            raise _RefusedError(f"it asks for {module}.{name}, which no array needs; do not trust this file")
        return known
