"""Files of arrays are read as numpy writes them, and never trusted about their size."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.npz_file import NpzFileError, read_npz


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path: Path, save) -> None:
    arrays: dict[str, Any] = {
        "a": np.arange(6, dtype=np.float16).reshape(2, 3),
        "b/c": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.float32(2.5),
        "none": np.zeros((0, 4), np.uint8),
        "words": np.array(["joy", "about to give up"]),
    }
    save(tmp_path / "a.npz", **arrays)
    found = read_npz(tmp_path / "a.npz")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_a_header_that_claims_more_than_there_is_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    claims = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    np.lib.format.write_array_header_1_0(header, claims)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(16))
    with pytest.raises(NpzFileError, match=r"a.npz: .*an array of shape \(1099511627776,\)"):
        read_npz(tmp_path / "a.npz")


def test_a_small_archive_of_very_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"small")
        archive.filelist[0].file_size = 1 << 30  # as the directory at the end will have it
    with pytest.raises(NpzFileError, match="more than 1000 arrays or 256 MiB"):
        read_npz(tmp_path / "a.npz")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    with pytest.raises(NpzFileError, match="an array of object"):
        read_npz(tmp_path / "a.npz")


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NpzFileError, match=r"none\.npz"):
        read_npz(tmp_path / "none.npz")
