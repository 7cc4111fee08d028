"""Pickle files as data only: containers, numbers, text, bytes and NumPy arrays; everything else is refused by its name.

A pickle is a program, and Python's own unpickler runs it: it imports and calls whatever the file names. This reader
runs the same instructions with nothing behind them. A name in the file is never imported; the few that stand for NumPy
arrays, dtypes and scalars are recognised as text, their arguments checked and the value built here. Sizes that a file
declares are compared with what is left of it before memory is set aside, and the number of instructions, the memo and
the nesting are bounded. Instructions as documented in Python's ``pickletools``, protocols 0 to 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..errors import MotionFormatError
from .pickle_values import (
    KNOWN_NAMES,
    MAX_BYTES,
    RECONSTRUCT,
    Name,
    Refused,
    Unfinished,
    finished_array,
    finished_dtype,
    kind_of,
    value_of_call,
)

# Each makes at most one small object.
MAX_INSTRUCTIONS = 3_000_000
MAX_DEPTH = 32
_MAX_LINE = 300
_MAX_TEXT = 256 * 1024**2
_MAX_INTEGER_BYTES = 64
# Larger integers share hashes on purpose-made steps, which makes a dict of them slow without end.
_MAX_KEY = 2**60
_TRUNCATED = "expected a complete pickle, found one that breaks off: the file is truncated"
_Container = TypeVar("_Container", list, dict)
_Number = TypeVar("_Number", int, float)


def looks_like_pickle(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a pickle of a container: protocol 2 to 5, or 0 and 1."""
    if len(start) >= 2 and start[0] == 0x80 and 2 <= start[1] <= 5:
        return True
    return start.startswith((b"(dp", b"(lp", b"}q", b"]q"))


def load_pickle(path: Path) -> object:
    """The content of a pickle file made of dicts, lists, tuples, numbers, text, bytes, None and NumPy values.

    Arrays of numbers or text come back as read-only ``ndarray``; NumPy scalars as Python numbers, text or bytes.

    Raises:
        MotionFormatError: not a pickle, truncated, too large or too deep, or it names anything that is not data; the
            message has the dotted name.
    """
    size = path.stat().st_size
    if size == 0:
        raise MotionFormatError(f"{path}: expected a pickle, found an empty file")
    if size > MAX_BYTES:
        raise MotionFormatError(f"{path}: expected at most {MAX_BYTES // 1024**3} GiB of pickle, found a larger file")
    try:
        with open(path, "rb") as file:
            value = _Machine(file, size).run()
        _check_content(value)
    except Refused as reason:
        raise MotionFormatError(f"{path}: {reason}") from None
    return value


class _Machine:
    """Runs the instructions of one pickle."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        # Text becomes bytes and bytes become arrays: each once, in a file that Python wrote.
        self.bytes_left_to_convert = 4 * size + _MAX_LINE

    def run(self) -> object:
        for _ in range(MAX_INSTRUCTIONS):
            code = self.file.read(1)
            if code == b".":
                if len(self.stack) != 1 or self.marks:
                    raise Refused("expected a pickle of one value, found a broken one")
                return self.stack[0]
            action = _ACTIONS.get(code)
            if action is None:
                found = _WRONG.get(code, f"the byte {code.hex()}")
                raise Refused(f"expected a pickle of plain data, found {found}" if code else _TRUNCATED)
            action(self)
        raise Refused(f"expected a pickle of at most {MAX_INSTRUCTIONS} values, found a longer one: split the file")

    # Nothing is read, and no memory set aside, for more bytes than the file has left.
    def push(self, value: object) -> None:
        self.stack.append(value)

    def take(self, count: int) -> bytes:
        data = self.file.read(count) if count <= self.size - self.file.tell() else b""
        if len(data) != count:
            raise Refused(_TRUNCATED)
        return data

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def line(self, limit: int = -1) -> bytes:
        text = self.file.readline(limit)
        if not text.endswith(b"\n"):
            raise Refused("expected a complete pickle, found one that breaks off or has an endless line")
        return text[:-1]

    def pop(self) -> object:
        if not self.stack or (self.marks and self.marks[-1] == len(self.stack)):
            raise Refused("expected a pickle with a value for each instruction, found a broken one")
        return self.stack.pop()

    def top(self) -> object:
        value = self.pop()
        self.stack.append(value)
        return value

    def since_mark(self) -> list[object]:
        if not self.marks:
            raise Refused("expected a pickle with a mark for each group, found a broken one")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def remember(self, index: int) -> None:
        value = self.top()
        if index < 0:
            raise Refused("expected a pickle with a memo from 0 on, found a broken one")
        self.memo[index] = value
        if isinstance(value, Unfinished):
            value.slots.append(index)

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise Refused("expected a pickle that recalls what it holds, found a broken one")
        self.stack.append(self.memo[index])

    def container(self, kind: type[_Container]) -> _Container:
        target = self.top()
        if not isinstance(target, kind):
            raise Refused(f"expected a pickle that fills a {kind.__name__}, found a broken one")
        return target

    def append(self, values: list[object]) -> None:
        self.container(list).extend(values)

    def set_items(self, values: list[object]) -> None:
        if len(values) % 2:
            raise Refused("expected a pickle with a value for each key, found a broken one")
        self.container(dict).update(zip(_keys(values[::2]), values[1::2], strict=True))

    def convert(self, arguments: tuple[object, ...]) -> None:
        """Refuse to turn the same text or bytes into something else over and over."""
        self.bytes_left_to_convert -= sum(len(value) for value in arguments if isinstance(value, (str, bytes)))
        if self.bytes_left_to_convert < 0:
            raise Refused("expected a pickle that holds its data once, found some converted over and over")

    def name(self, module: object, name: object) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise Refused("expected a pickle with names as text, found a broken one")
        dotted = f"{module}.{name}"
        if dotted not in KNOWN_NAMES:
            shown = ascii(dotted[:_MAX_LINE])[1:-1]
            hint = "save it again with pickle.dump" if module.split(".")[0] == "joblib" else "save plain arrays instead"
            raise Refused(
                f"expected a pickle of containers, numbers, text and NumPy arrays, found {shown}, which is not read "
                f"because pickles can run code: {hint}"
            )
        self.stack.append(Name(dotted))

    def reduce(self) -> None:
        arguments, called = self.pop(), self.pop()
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise Refused("expected a pickle of plain data, found a call of something else")
        self.convert(arguments)
        self.stack.append(value_of_call(called, arguments))

    def build(self) -> None:
        state, target = self.pop(), self.pop()
        if not isinstance(target, Unfinished):
            raise Refused("expected a pickle of plain data, found the state of an object")
        self.convert(state if isinstance(state, tuple) else ())
        value = finished_array(state) if target.what == RECONSTRUCT else finished_dtype(target.code, state)
        while target.slots:
            self.memo[target.slots.pop()] = value
        self.stack.append(value)


def _keys(values: list[object]) -> list[object]:
    for value in values:
        if isinstance(value, int) and abs(value) > _MAX_KEY:
            raise Refused("expected keys of text or small numbers, found a huge number")
        if not (value is None or isinstance(value, (str, bytes, int))):
            raise Refused(f"expected keys of text or whole numbers, found {kind_of(value)}")
    return values


def _check_content(root: object) -> None:
    """Refuse names and unfinished values left in the content, cycles, and nesting deeper than ``MAX_DEPTH``.

    Each container is looked at once, however often it is referred to, and without recursion.
    """
    height: dict[int, int] = {}
    open_ids: set[int] = set()
    pending: list[tuple[object, bool]] = [(root, False)]
    while pending:
        value, leaving = pending.pop()
        if isinstance(value, (Name, Unfinished)):
            what = value.dotted if isinstance(value, Name) else f"an unfinished {value.what}"
            raise Refused(f"expected plain data, found {what} as a value")
        if not isinstance(value, (dict, list, tuple)):
            continue
        children = list(value.values()) if isinstance(value, dict) else list(value)
        if leaving:
            open_ids.discard(id(value))
            height[id(value)] = 1 + max((height.get(id(child), 0) for child in children), default=0)
            if height[id(value)] > MAX_DEPTH:
                raise Refused(f"expected containers nested at most {MAX_DEPTH} deep, found deeper ones")
            continue
        if id(value) in height:
            continue
        if id(value) in open_ids:
            raise Refused("expected plain data, found a container that holds itself")
        open_ids.add(id(value))
        pending.append((value, True))
        pending.extend((child, False) for child in children if isinstance(child, _CHECKED) and id(child) not in height)


_CHECKED = (dict, list, tuple, Name, Unfinished)


# Instructions.


def _integer(data: bytes) -> int:
    if len(data) > _MAX_INTEGER_BYTES:
        raise Refused(f"expected numbers of at most {_MAX_INTEGER_BYTES} bytes, found a longer one")
    return int.from_bytes(data, "little", signed=True)


def _parsed(line: bytes, kind: type[_Number]) -> _Number:
    try:
        return kind(line)
    except ValueError:
        raise Refused(f"expected a number, found {line[:30]!r}") from None


def _line_integer(machine: _Machine) -> int:
    line = machine.line(_MAX_LINE)
    return line == b"01" if line in (b"00", b"01") else _parsed(line.removesuffix(b"L"), int)


def _decode(data: bytes, encoding: str = "utf-8") -> str:
    if len(data) > _MAX_TEXT:
        raise Refused("expected text of at most 256 MiB, found a longer one")
    try:
        return data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        raise Refused("expected text, found bytes that are none") from None


def _quoted(line: bytes) -> str:
    """A Python 2 string as protocol 0 writes it, with escapes; each byte becomes one character."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise Refused("expected a quoted string, found a broken one")
    return _decode(line[1:-1], "unicode_escape")


def _global(machine: _Machine) -> None:
    module, name = machine.line(_MAX_LINE), machine.line(_MAX_LINE)
    machine.name(_decode(module), _decode(name))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


def _instance(machine: _Machine) -> None:
    _global(machine)
    raise Refused(f"expected plain data, found an object of {kind_of(machine.pop())}")


def _last(machine: _Machine, count: int) -> None:
    values = [machine.pop() for _ in range(count)][::-1]
    machine.push(tuple(values))


def _pop(machine: _Machine) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.pop()


def _dict_of(machine: _Machine) -> None:
    values = machine.since_mark()
    machine.push({})
    machine.set_items(values)


def _one_item(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


def _protocol(machine: _Machine) -> None:
    if (version := machine.number("<B")) > 5:
        raise Refused(f"expected pickle protocol 0 to 5, found {version}")


_ACTIONS: dict[bytes, Callable[[_Machine], object]] = {
    b"\x80": _protocol,
    b"\x95": lambda m: m.take(8),  # a frame: its size tells nothing that is not checked elsewhere
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"0": _pop,
    b"1": lambda m: m.since_mark(),
    b"2": lambda m: m.push(m.top()),
    # Numbers.
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.push(_line_integer(m)),
    b"L": lambda m: m.push(_line_integer(m)),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: m.push(_integer(m.take(m.number("<B")))),
    b"\x8b": lambda m: m.push(_integer(m.take(min(m.number("<I"), _MAX_INTEGER_BYTES + 1)))),
    b"F": lambda m: m.push(_parsed(m.line(_MAX_LINE), float)),
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    # Text and bytes.
    b"S": lambda m: m.push(_quoted(m.line())),
    b"T": lambda m: m.push(_decode(m.take(m.number("<I")), "latin-1")),
    b"U": lambda m: m.push(_decode(m.take(m.number("<B")), "latin-1")),
    b"V": lambda m: m.push(_decode(m.line(), "raw-unicode-escape")),
    b"X": lambda m: m.push(_decode(m.take(m.number("<I")))),
    b"\x8c": lambda m: m.push(_decode(m.take(m.number("<B")))),
    b"\x8d": lambda m: m.push(_decode(m.take(m.number("<Q")))),
    b"B": lambda m: m.push(m.take(m.number("<I"))),
    b"C": lambda m: m.push(m.take(m.number("<B"))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    b"\x96": lambda m: m.push(m.take(m.number("<Q"))),
    # Containers.
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b")": lambda m: m.push(()),
    b"l": lambda m: m.push(m.since_mark()),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"d": _dict_of,
    b"\x85": lambda m: _last(m, 1),
    b"\x86": lambda m: _last(m, 2),
    b"\x87": lambda m: _last(m, 3),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.since_mark()),
    b"s": _one_item,
    b"u": lambda m: m.set_items(m.since_mark()),
    # The memo.
    b"p": lambda m: m.remember(_line_integer(m)),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.recall(_line_integer(m)),
    b"h": lambda m: m.recall(m.number("<B")),
    b"j": lambda m: m.recall(m.number("<I")),
    # Names.
    b"c": _global,
    b"\x93": _stack_global,
    b"i": _instance,
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
}
_WRONG: dict[bytes, str] = {
    **dict.fromkeys((b"\x8f", b"\x90", b"\x91"), "a set"),
    **dict.fromkeys((b"o", b"\x81", b"\x92"), "an object of a class"),
    **dict.fromkeys((b"P", b"Q"), "a reference to outside the file"),
    **dict.fromkeys((b"\x82", b"\x83", b"\x84"), "a registered extension"),
    **dict.fromkeys((b"\x97", b"\x98"), "a buffer outside the file"),
}
