"""Files of several numpy arrays (`.npz`), held to a size before anything in them takes memory."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from stream.errors import UserError

_MAX_BYTES = 1 << 28
_MAX_ARRAYS = 1000
_PLAIN_KINDS = "biufcSU"


class NpzFileError(UserError):
    """A file that is not what it should be; the message names it."""


def read_npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays in `path` by name.

    A header may claim any shape, for which numpy would allocate before it reads; so what each claims is held
    against the bytes that are there, and their sum to 256 MiB. Arrays of objects, which are pickles, are
    refused.

    Raises:
        NpzFileError: it cannot be read, is damaged, or is too large.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > _MAX_ARRAYS or sum(member.file_size for member in members) > _MAX_BYTES:
                raise NpzFileError(f"{path}: more than {_MAX_ARRAYS} arrays or {_MAX_BYTES >> 20} MiB")
            for member in members:
                with archive.open(member) as file:
                    arrays[member.filename.removesuffix(".npy")] = _read_array(file, member.file_size)
    except NpzFileError:
        raise
    # A damaged archive raises what zipfile, zlib and the parser of the header each have.
    except Exception as error:
        raise NpzFileError(f"{path}: not a file of arrays, or damaged ({error})") from error
    return arrays


def _read_array(file: IO[bytes], size: int) -> np.ndarray[Any, Any]:
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, fortran_order, dtype = read_header(file)
    if dtype.kind not in _PLAIN_KINDS or dtype.fields is not None:
        raise ValueError(f"an array of {dtype}")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"an array of shape {shape} in {size} bytes")
    array = np.frombuffer(file.read(size), dtype)
    return array.reshape(shape, order="F" if fortran_order else "C")
