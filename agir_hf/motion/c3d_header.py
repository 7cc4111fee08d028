"""The header and parameters of a C3D file, checked before ezc3d sees the file: it takes sizes from there unchecked."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np

from ..errors import MotionFormatError

_BLOCK = 512
_KEY = 0x50
# Processor type of the writing machine: byte order of its integers. DEC has floats of its own.
_BYTE_ORDERS = {84: "<", 85: "<", 86: ">"}
_DEC = 85
_MAX_BYTES = 1024**3
# What ezc3d and its arrays need for one stored number, measured.
_BYTES_PER_VALUE = 48
_MAX_POINTS = 10_000

_Parameters = Mapping[str, tuple[int, bytes]]


def check_file(path: Path) -> tuple[int, int]:
    """(number of frames, number of the first in its trial) of a file; refuses what contradicts itself."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        header = file.read(_BLOCK)
        if len(header) < _BLOCK or header[1] != _KEY or header[0] < 2:
            found = "an empty file" if not header else f"a file that starts with {header[:12]!r}"
            raise MotionFormatError(f"expected a C3D file (a 512-byte header, second byte 0x50), found {found}")
        start = (header[0] - 1) * _BLOCK
        file.seek(start)
        section_header = file.read(4)
        if len(section_header) < 4:
            raise MotionFormatError("expected a parameter section, found the file to end before it: truncated")
        processor = section_header[3]
        if processor not in _BYTE_ORDERS or section_header[0] > 1:
            raise MotionFormatError(
                f"expected parameters written by an Intel, DEC or MIPS processor (84 to 86), found {processor}: "
                "no C3D file, or a damaged one"
            )
        order = _BYTE_ORDERS[processor]
        counts = struct.unpack(order + "4H", header[2:10])
        data = (struct.unpack(order + "H", header[16:18])[0] - 1) * _BLOCK
        if not start < data < size:
            raise MotionFormatError(
                f"expected data behind the parameters and within the {size} bytes of the file, found them announced "
                f"at byte {data}: truncated or damaged"
            )
        file.seek(start + 4)
        parameters = _parameters(file.read(data - start - 4), order)
    return _check_sizes(parameters, processor, counts, size - data)


def _parameters(section: bytes, order: str) -> _Parameters:
    """(type, bytes) of each parameter by ``GROUP:NAME``; every record must lie within the section."""
    groups: dict[int, str] = {}
    found: dict[tuple[int, str], tuple[int, bytes]] = {}
    place = 0
    while place + 5 <= len(section) and section[place] != 0:
        length, number = struct.unpack("2b", section[place : place + 2])
        body = place + 2 + abs(length)
        name = section[place + 2 : body].decode("latin-1")
        step = struct.unpack(order + "H", section[body : body + 2])[0] if body + 3 <= len(section) else 0
        end = body + step if step else len(section)
        after = body + 2
        if number > 0 and body + 4 <= len(section):
            kind, rank = struct.unpack("bB", section[body + 2 : body + 4])
            dimensions = section[body + 4 : body + 4 + rank]
            values = body + 4 + rank
            after = values + abs(kind) * prod(dimensions)
            if kind not in (-1, 1, 2, 4) or rank > 7:
                after = len(section)
            found[number, name] = (kind, section[values:after])
        else:
            groups[-number] = name
        # What is left of a record is its description, and the next record starts right behind it.
        fits = after < min(end, len(section)) and after + 1 + section[after] <= end <= len(section)
        if not fits or (step and after + 1 + section[after] != end) or number == 0:
            raise MotionFormatError(
                f"expected parameters that fit into their section, found one that does not ({name[:20]!r}): damaged, "
                "or no C3D file"
            )
        if not step:
            break
        place = end
    return {f"{groups.get(number, '')}:{name}": value for (number, name), value in found.items()}


def _numbers(parameters: _Parameters, name: str, processor: int) -> list[float]:
    """Numbers of a parameter, none where it is missing; integers unsigned, as counts above 32767 are stored."""
    kind, raw = parameters.get(name, (-1, b""))
    if kind < 0:
        return []
    raw = raw[: len(raw) // kind * kind]
    if kind == 4 and processor == _DEC:
        # Words are swapped and the exponent is larger by two.
        words = np.frombuffer(raw, "<u2").reshape(-1, 2)[:, ::-1]
        return (np.ascontiguousarray(words).view("<f4").ravel() / 4.0).tolist()
    kinds = {1: "u1", 2: "u2", 4: "f4"}
    return np.frombuffer(raw, _BYTE_ORDERS[processor] + kinds[kind]).astype(float).tolist()


def _check_sizes(parameters: _Parameters, processor: int, counts: Sequence[int], available: int) -> tuple[int, int]:
    """(number of frames, number of the first); every announced size must agree with the bytes of data there are."""
    points, analogs, first, last = counts

    def number(name: str, default: float) -> float:
        return next(iter(_numbers(parameters, name, processor)), default)

    # ezc3d takes for granted that each analog channel has a scale and an offset.
    lengths = {f"POINT:{name}": 1.0 for name in ("USED", "FRAMES", "SCALE", "RATE")}
    lengths |= {f"ANALOG:{name}": min(number("ANALOG:USED", 0), 255.0) for name in ("SCALE", "OFFSET")}
    for name, length in lengths.items():
        if len(_numbers(parameters, name, processor)) < length:
            raise MotionFormatError(f"expected {length:.0f} numbers in {name}, found fewer: damaged or incomplete")
    used, scale, rate = (number(f"POINT:{name}", 0) for name in ("USED", "SCALE", "RATE"))
    per_frame = max(float(analogs), number("ANALOG:USED", 0) * number("ANALOG:RATE", 0) / rate if rate else 0.0)
    rotations = 17.0 * number("ROTATION:USED", 0) * max(number("ROTATION:RATIO", 1), 1.0)
    if points == 0 or used == 0:
        raise MotionFormatError("expected recorded points, found none in this file")
    if not (np.isfinite([scale, rate, per_frame, rotations]).all() and 0 < used <= _MAX_POINTS and points == used):
        raise MotionFormatError(
            f"expected the same number of points, at most {_MAX_POINTS}, in header and parameters, found {points} and "
            f"{used:g}: damaged"
        )
    values = 4.0 * used + per_frame
    frame_bytes = values * (4 if scale < 0 else 2)
    frames = number("POINT:FRAMES", 0)
    span = _trial_frames(parameters, processor)
    if span is not None and span[1] - span[0] + 1 > 65535:
        frames = span[1] - span[0] + 1
    elif frames == 0:
        frames = last - first + 1
    elif frames >= 65535:
        # 16 bits cannot count more: the file itself tells.
        frames = available // frame_bytes
    if not 1 <= frames < 2**31 or frames * (frame_bytes + 4 * rotations) > available:
        raise MotionFormatError(
            f"expected {frames:.0f} frames of {frame_bytes:.0f} bytes, found {available} bytes of data (room for "
            f"{available / frame_bytes:.0f} frames): truncated or damaged"
        )
    if frames * (values + rotations) * _BYTES_PER_VALUE > _MAX_BYTES:
        raise MotionFormatError(
            f"expected at most {_MAX_BYTES // 1024**3} GiB of decoded data, found {frames:.0f} frames of {values:.0f} "
            "values: cut the recording, or export it without its analog channels"
        )
    # The header has 16 bits for the number of the first frame; some writers leave it 0.
    in_trial = span is not None and span[1] - span[0] + 1 == frames
    return int(frames), span[0] if span is not None and in_trial else max(first, 1)


def _trial_frames(parameters: _Parameters, processor: int) -> tuple[int, int] | None:
    """Numbers of the first and last frame by the TRIAL group, two 16-bit words each."""
    fields = [_numbers(parameters, f"TRIAL:ACTUAL_{end}_FIELD", processor) for end in ("START", "END")]
    if any(len(field) != 2 for field in fields):
        return None
    start, end = (int(low + 65536 * high) for low, high in fields)
    return (start, end) if 1 <= start <= end else None


def looks_like_c3d(start: bytes) -> bool:
    """Whether a file that starts with these bytes (at least 512, better 4096) is C3D."""
    if len(start) < _BLOCK or start[1] != _KEY or start[0] < 2:
        return False
    processor = (start[0] - 1) * _BLOCK + 3
    # Parameters follow right behind the header in nearly all files: without more bytes nothing else is believed.
    return start[processor] in _BYTE_ORDERS if processor < len(start) else start[0] == 2
