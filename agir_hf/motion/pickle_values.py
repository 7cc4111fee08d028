"""What the few names that a pickle of plain data may hold stand for: NumPy arrays, dtypes and scalars, bytes.

Nothing is imported or called by name: the arguments are checked and the value is built here (see ``unpickle``).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 1024**3
_MAX_CODE_POINT = 0x10FFFF
_MAX_LENGTH_OF_NOTHING = 300
_MAX_DIMENSIONS = 16
_NUMERIC = re.compile(r"[<>=|]?(?:b1|[iu][1248]|f[248]|[SU][0-9]{1,6}|\?)")

RECONSTRUCT, _SCALAR, _FROMBUFFER, _NDARRAY, DTYPE, _ENCODE, _BYTES, _ORDERED = (
    "numpy array", "numpy scalar", "numpy buffer", "ndarray", "dtype", "encode", "bytes", "ordered dict",
)  # fmt: skip
# What a name in a pickle stands for. NumPy moved ``core`` to ``_core`` in version 2; ``_codecs.encode`` with "latin1",
# and ``bytes`` with nothing, is how protocols 0 to 2 write bytes.
KNOWN_NAMES: dict[str, str] = {
    "numpy.ndarray": _NDARRAY,
    "numpy.dtype": DTYPE,
    "_codecs.encode": _ENCODE,
    "__builtin__.bytes": _BYTES,
    "collections.OrderedDict": _ORDERED,
    **{f"numpy.{core}.multiarray._reconstruct": RECONSTRUCT for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _SCALAR for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _FROMBUFFER for core in ("core", "_core")},
}


class Name:
    """A known name on the stack: no object behind it."""

    def __init__(self, dotted: str) -> None:
        self.dotted = dotted
        self.stands_for = KNOWN_NAMES[dotted]


class Unfinished:
    """An array or dtype whose state has not come yet; ``slots`` are the memo entries that hold it."""

    def __init__(self, what: str, code: str = "") -> None:
        self.what = what
        self.code = code
        self.slots: list[int] = []


class Refused(Exception):
    """Why a pickle is not read; turned into a ``MotionFormatError`` with the path."""


def kind_of(value: object) -> str:
    return value.dotted if isinstance(value, Name) else type(value).__name__.lstrip("_")


def value_of_call(called: Name, arguments: tuple[object, ...]) -> object:
    """The value of a call that is known to make data."""
    what, count = called.stands_for, len(arguments)
    if what == RECONSTRUCT and count == 3 and isinstance(arguments[0], Name):
        # The shape and type given here are placeholders; the state that follows has the real ones.
        if arguments[0].stands_for == _NDARRAY:
            return Unfinished(RECONSTRUCT)
    elif what == DTYPE and 1 <= count <= 3 and isinstance(arguments[0], (str, bytes)):
        code = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode("latin-1")
        return Unfinished(DTYPE, code)
    elif what == _SCALAR and count == 2:
        return _array(arguments[1], arguments[0], (), fortran=False).item()
    elif what == _FROMBUFFER and count == 4:
        fortran = isinstance(arguments[3], str) and arguments[3] == "F"
        return _array(arguments[0], arguments[1], arguments[2], fortran=fortran)
    elif what == _ENCODE and count == 2 and isinstance(arguments[0], str) and isinstance(arguments[1], str):
        if arguments[1] in ("latin1", "latin-1"):
            try:
                return arguments[0].encode("latin-1")
            except UnicodeEncodeError:
                pass
    elif what in (_ORDERED, _BYTES) and count == 0:
        return {} if what == _ORDERED else b""
    raise Refused(f"expected {called.dotted} with the arguments of plain data, found others: save plain arrays")


def finished_dtype(code: str, state: object) -> np.dtype[np.generic]:
    """The dtype of a code such as ``f8`` and the state that NumPy writes after it."""
    if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
        raise Refused(f"expected arrays of numbers or text, found dtype {code[:30]!r} with fields or sub-arrays")
    order = state[1] if isinstance(state[1], str) else state[1].decode("latin-1") if isinstance(state[1], bytes) else ""
    if not _NUMERIC.fullmatch(code) or order not in ("<", ">", "=", "|"):
        raise Refused(f"expected arrays of numbers or text, found dtype {code[:30]!r}: save plain arrays")
    return np.dtype(code).newbyteorder(order)  # type: ignore[arg-type]


def finished_array(state: object) -> NDArray[np.generic]:
    """The array of the state (version, shape, dtype, is Fortran, bytes)."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise Refused("expected the state of a NumPy array, found something else")
    shape, dtype, fortran, data = state[-4:]
    return _array(data, dtype, shape, fortran=isinstance(fortran, int) and fortran != 0)


def _array(data: object, dtype: object, shape: object, *, fortran: bool) -> NDArray[np.generic]:
    """A read-only array over bytes of the file; nothing is copied, so its size cannot exceed theirs."""
    if not isinstance(dtype, np.dtype):
        raise Refused(f"expected arrays with a dtype of numbers or text, found {kind_of(dtype)}")
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise Refused("expected arrays with a shape, found none")
    count = 1
    for length in shape:
        possible = isinstance(length, int) and 0 <= length <= MAX_BYTES
        count *= length if possible else 0
        if not possible or count * max(dtype.itemsize, 1) > MAX_BYTES:
            raise Refused("expected arrays of at most 1 GiB, found an impossible shape")
    # Python 2 wrote bytes as text.
    raw = data.encode("latin-1", errors="replace") if isinstance(data, str) else data
    if not isinstance(raw, (bytes, bytearray)):
        raise Refused(f"expected the bytes of an array, found {kind_of(raw)}")
    if len(raw) != count * dtype.itemsize:
        raise Refused(
            f"expected {count * dtype.itemsize} bytes for an array of {count} {dtype}, found {len(raw)}: damaged file?"
        )
    if count == 0 or dtype.itemsize == 0:
        if count > 1 or sum(shape) > _MAX_LENGTH_OF_NOTHING:
            raise Refused(f"expected arrays with content, found {count} {dtype} of no size")
        return np.zeros(shape, dtype)
    if dtype.kind == "U" and np.frombuffer(raw, np.dtype("u4").newbyteorder(dtype.byteorder)).max() > _MAX_CODE_POINT:
        raise Refused("expected text, found numbers that are no characters")
    array = np.frombuffer(raw, dtype, count).reshape(shape, order="F" if fortran else "C")
    array.flags.writeable = False
    return array
