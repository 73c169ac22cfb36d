"""A pickle gives its arrays, and nothing that it names is ever run."""

from __future__ import annotations

import pickle
import subprocess
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.training.corpora import CorpusError
from models.training.corpora.safe_pickle import load_arrays

_RECONSTRUCT = np.zeros(0).__reduce__()[0]


def written(folder: Path, value: object, protocol: int = pickle.DEFAULT_PROTOCOL) -> Path:
    path = folder / "some.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    return path


ARRAYS = {
    "float32": np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    "float64": np.array([[1.5, -np.inf], [np.nan, 2.0]]),
    "int64": np.array([3, -4]),
    "bool": np.array([True, False]),
    "big-endian": np.arange(3, dtype=">f8"),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(20.0)[::3],
    "empty": np.empty((0, 5), np.float32),
    "names": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"\xffcd"]),
    "objects": np.array([{"id": "x"}, None, [1, 2]], object),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_as_they_were(tmp_path: Path, name: str, protocol: int) -> None:
    array = ARRAYS[name]
    back = load_arrays(written(tmp_path, array, protocol))
    assert (back.dtype.kind, back.dtype.itemsize) == (array.dtype.kind, array.dtype.itemsize)
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_containers_and_numbers_come_back(tmp_path: Path, protocol: int) -> None:
    value = {"train": [(1, 2.5, None, True, "née", b"\x00\xff")], "scalars": [np.float32(1.5), np.int64(7)]}
    assert load_arrays(written(tmp_path, value, protocol)) == value


def test_pickles_of_python_2_and_early_numpy_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.p"
    path.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02K\x01\x86cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K\x00tb\x89U\x08\x00\x00\x80?\x00\x00 \xc1tb."
    )
    np.testing.assert_array_equal(load_arrays(path), np.array([[1.0], [-10.0]], np.float32))


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("where", ["alone", "in a dict", "in an array"])
def test_a_call_is_refused_and_not_made(tmp_path: Path, protocol: int, where: str) -> None:
    made = tmp_path / "made"
    call = Calls(Path.touch, Calls(Path, str(made)))
    value = {"alone": call, "in a dict": {"train": call}, "in an array": np.array([call, 1], object)}[where]
    with pytest.raises(CorpusError, match=r"some\.pkl .* asks for .*do not trust this file"):
        load_arrays(written(tmp_path, value, protocol))
    assert not made.exists()


@pytest.mark.parametrize(
    "function",
    [eval, exec, getattr, __import__, subprocess.run, np.load, np.fromfile, np.ndarray, OrderedDict],
)
def test_nothing_but_what_arrays_need_is_known(tmp_path: Path, function: Any) -> None:
    with pytest.raises(CorpusError):
        load_arrays(written(tmp_path, Calls(function, "1")))


# What numpy itself would take at its word: where the memory of an array's objects lies.
FORGED_TYPES = {
    "record with objects": b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00V8\x89\x88\x87R(K\x03X\x01\x00\x00\x00|N"
    b"X\x01\x00\x00\x00a\x85}X\x01\x00\x00\x00acnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87RK\x00\x86sK\x08K\x01K\x00tb.",
    "type from a function": b"\x80\x02cnumpy\ndtype\ncnumpy\ndtype\n\x85R.",
    "array of no type": b"\x80\x02cnumpy._core.multiarray\n_reconstruct\n)R(K\x01K\x01\x85N\x89U\x08AAAAAAAAtb.",
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("record with objects", "arrays of 'V8' are not read"),
        ("type from a function", "arrays of a function are not read"),
        ("array of no type", "type cannot be a NoneType"),
    ],
)
def test_a_forged_type_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / "forged.pkl"
    path.write_bytes(FORGED_TYPES[name])
    with pytest.raises(CorpusError, match=rf"forged\.pkl is not a readable pickle .*{reason}"):
        load_arrays(path)


def test_bytes_in_place_of_objects_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, Calls(_RECONSTRUCT, np.ndarray, (0,), b"b"), 2)
    state = pickle.dumps((1, (1,), np.dtype(object), False, b"A" * 8), 2)
    path.write_bytes(path.read_bytes()[:-1] + state[2:-1] + b"b.")
    with pytest.raises(
        CorpusError, match="not a readable pickle of arrays: object pickle not returning list"
    ):
        load_arrays(path)


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04\x95", b"\x80\x02}", b"\x80\x02."])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pkl"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"damaged\.pkl is not a readable pickle of arrays"):
        load_arrays(path)


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, ARRAYS)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CorpusError, match=r"some\.pkl is not a readable pickle"):
        load_arrays(path)
