"""Arrays out of .npy and .npz files that may be damaged or made to harm.

Headers are read here and checked before memory is set aside: what an array declares must be numbers or text, at most
1 GiB, and (in a .npy) as long as the file. Of a compressed array no more is unpacked than its header declares, so that
a small file cannot fill the memory. Pickled objects are refused.
"""

from __future__ import annotations

import io
import lzma
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..errors import MotionFormatError

Floats = NDArray[np.float64]

_MAX_BYTES = 1024**3
# Recorded motion shrinks to a half or a third.
_MAX_UNPACKED_SHARE = 100
# NumPy writes 128 bytes for an array of numbers.
_MAX_HEADER_BYTES = 10_000
# What NumPy, zipfile and their decompressors raise on damaged files.
READ_ERRORS = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    OverflowError,
    NotImplementedError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[np.generic]

    @property
    def num_values(self) -> int:
        return prod(self.shape)

    @property
    def num_bytes(self) -> int:
        return self.num_values * self.dtype.itemsize


def is_archive(path: Path) -> bool:
    """Whether a file begins like a .npz (a zip file)."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read_npy(path: Path) -> NDArray[np.generic]:
    """The array of a .npy file.

    Raises:
        MotionFormatError: no such file, damaged or truncated, too large, pickled objects.
    """
    with open(path, "rb") as file:
        return _read(file, path.stat().st_size, "an array")


class Archive:
    """The arrays of an open .npz by name, read when asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.members: Mapping[str, zipfile.ZipInfo] = {
            info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")
        }

    def find(self, names: tuple[str, ...]) -> str | None:
        """The first of several names that the archive has."""
        return next((name for name in names if name in self.members), None)

    def array(self, name: str) -> NDArray[np.generic]:
        """An array of numbers or text.

        Raises:
            MotionFormatError: pickled objects, more than 1 GiB, or cut short.
        """
        info = self.members[name]
        if info.file_size > max(_MAX_UNPACKED_SHARE * info.compress_size, _MAX_BYTES // 16):
            raise MotionFormatError(
                f"expected recorded motion, found {ascii(name)[1:-1][:40]} of {info.compress_size} bytes that unpacks "
                f"to {info.file_size}: save it without compression"
            )
        with self.archive.open(info) as member:
            return _read(member, info.file_size, ascii(name)[1:-1][:40])

    def numbers(self, names: tuple[str, ...]) -> Floats | None:
        """The array under the first of the names in float64; None where there is none of them.

        Raises:
            MotionFormatError: no array of numbers; see ``array``.
        """
        name = self.find(names)
        if name is None:
            return None
        array = self.array(name)
        if array.dtype.kind not in "fiu":
            raise MotionFormatError(f"expected numbers as {name}, found dtype {array.dtype}: save it as a plain array")
        return array.astype(np.float64)

    def number(self, names: tuple[str, ...]) -> float | None:
        """One number; None where there is none of the names.

        Raises:
            MotionFormatError: more or other than one number; see ``array``.
        """
        array = self.numbers(names)
        if array is None:
            return None
        if array.size != 1:
            raise MotionFormatError(f"expected one number as {self.find(names)}, found an array of shape {array.shape}")
        return float(array.reshape(-1)[0])

    def texts(self, name: str) -> tuple[str, ...]:
        """The words of an array of text, such as the gender; none where there is none that can be read."""
        if name not in self.members:
            return ()
        try:
            array = self.array(name)
        except MotionFormatError:
            return ()
        if array.dtype.kind not in "SU":
            return ()
        return tuple(
            word.decode("latin-1") if isinstance(word, bytes) else str(word) for word in array.reshape(-1).tolist()
        )


def _read(file: IO[bytes], available: int, name: str) -> NDArray[np.generic]:
    header = _header(file)
    if header.dtype.hasobject:
        raise MotionFormatError(
            f"expected numbers as {name}, found pickled objects, which are not read: save it as a plain array"
        )
    if header.dtype.kind not in "fiubcSU" or header.dtype.itemsize == 0:
        raise MotionFormatError(f"expected numbers as {name}, found dtype {header.dtype}: save it as a plain array")
    if header.num_values * 8 > _MAX_BYTES or header.num_bytes > _MAX_BYTES:
        raise MotionFormatError(f"expected at most 1 GiB of motion, found {name} of shape {header.shape}")
    data = file.read(header.num_bytes) if header.num_bytes <= available else b""
    if len(data) != header.num_bytes:
        raise MotionFormatError(f"expected a complete file, found {name} of shape {header.shape} cut short")
    array = np.frombuffer(data, header.dtype, count=header.num_values)
    return array.reshape(header.shape, order="F" if header.is_fortran else "C")


def _header(file: IO[bytes]) -> _Header:
    version = npy_format.read_magic(file)
    form, reader = (
        ("<H", npy_format.read_array_header_1_0) if version == (1, 0) else ("<I", npy_format.read_array_header_2_0)
    )
    prefix = file.read(struct.calcsize(form))
    (length,) = struct.unpack(form, prefix)
    if length > _MAX_HEADER_BYTES:
        raise MotionFormatError(f"expected a header of at most {_MAX_HEADER_BYTES} bytes, found one of {length}")
    with warnings.catch_warnings():
        # About headers that Python 2 wrote, and about the text of damaged ones.
        warnings.simplefilter("ignore")
        shape, is_fortran, dtype = reader(io.BytesIO(prefix + file.read(length)))
    if any(size < 0 for size in shape) or len(shape) > 8:
        raise MotionFormatError(f"expected a shape of lengths from 0 on, found {str(shape)[:60]}")
    return _Header(tuple(int(size) for size in shape), bool(is_fortran), dtype)
