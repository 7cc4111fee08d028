"""The text of Biovision Hierarchy (BVH) files: a skeleton, and a row of channel values for each frame.

The file is read in blocks of lines and its values go straight into one array, so that an hour of movement takes no more
memory than its numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError

_AXES = {"x": 0, "y": 1, "z": 2}
_MAX_JOINTS = 2000
_MAX_CHANNELS = 6
_MAX_BYTES = 1024**3
# A hierarchy of _MAX_JOINTS joints has fewer lines, and no line of it is longer.
_MAX_HEADER_LINES = 100_000
_MAX_HEADER_LINE = 10_000
_LINES_PER_BLOCK = 2048
# Rates that recorders use: a frame time written with few digits means one of these.
_USUAL_RATES_HZ = (
    24,
    25,
    30,
    48,
    50,
    60,
    72,
    75,
    90,
    96,
    100,
    120,
    125,
    128,
    144,
    150,
    200,
    240,
    250,
    256,
    300,
    360,
    480,
)


@dataclass(frozen=True)
class Skeleton:
    """A BVH hierarchy; end sites are nodes too, named after their parent with ``_end``.

    Attributes:
        names: one per node, as written.
        parents: index of the parent of each node, -1 for the root; parents come first.
        offsets: (N, 3) in file units.
        channels: per node, (axis 0..2, is rotation) in the order written.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: NDArray[np.float64]
    channels: tuple[tuple[tuple[int, bool], ...], ...]

    @property
    def num_channels(self) -> int:
        return sum(len(channels) for channels in self.channels)


@dataclass(frozen=True)
class BvhFile:
    """A parsed BVH file.

    Attributes:
        skeleton: its hierarchy.
        values: (T, C) channel values, degrees and file units.
        frame_rate_hz: frames per second.
        warnings: what was odd but could be read.
    """

    skeleton: Skeleton
    values: NDArray[np.float64]
    frame_rate_hz: float
    warnings: tuple[str, ...]


def parse_bvh(path: Path) -> BvhFile:
    """Parse one BVH file.

    Raises:
        MotionFormatError: not a BVH file, a broken hierarchy, missing or non-finite values, no frames, no frame time.
    """
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise MotionFormatError(f"{path}: expected at most {_MAX_BYTES // 1024**3} GiB of BVH, found a larger file")
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        skeleton = _parse_hierarchy(path, _header_lines(path, stream))
        frames, frame_rate_hz = _parse_motion_header(path, stream)
        values, warnings = _parse_values(path, stream, (frames, skeleton.num_channels), size)
    return BvhFile(skeleton, values, frame_rate_hz, warnings)


def _header_lines(path: Path, stream: TextIO) -> list[str]:
    """The lines before MOTION."""
    lines: list[str] = []
    is_started = False
    while len(lines) < _MAX_HEADER_LINES:
        line = stream.readline(_MAX_HEADER_LINE)
        text = line.strip().upper()
        if not is_started and not line:
            raise MotionFormatError(f"{path}: expected a BVH file, found an empty file")
        if not is_started and text and not text.startswith("HIERARCHY"):
            raise MotionFormatError(
                f"{path}: expected BVH text that starts with HIERARCHY, found {line.strip()[:30]!r}"
            )
        if text == "MOTION":
            return lines
        if not line:
            _parse_hierarchy(path, lines)
            raise MotionFormatError(
                f"{path}: expected a MOTION section, found none: the file ends within its hierarchy"
            )
        is_started = is_started or bool(text)
        lines.append(line)
    raise MotionFormatError(
        f"{path}: expected MOTION after the hierarchy, found none in the first {_MAX_HEADER_LINES} lines"
    )


class _HierarchyBuilder:
    """Collects the nodes of a hierarchy while its lines are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float] | None] = []
        self.channels: list[tuple[tuple[int, bool], ...]] = []
        self.open_nodes: list[int] = []

    def fail(self, number: int, message: str) -> MotionFormatError:
        return MotionFormatError(f"{self.path}: line {number}: {message}")

    def add_node(self, number: int, name: str, *, is_root: bool) -> None:
        if is_root == bool(self.open_nodes) or (is_root and self.names):
            raise self.fail(number, f"expected one ROOT with joints inside it, found {name!r} in the wrong place")
        if len(self.names) >= _MAX_JOINTS:
            raise self.fail(number, f"expected at most {_MAX_JOINTS} joints, found more")
        self.parents.append(self.open_nodes[-1] if self.open_nodes else -1)
        self.names.append(name)
        self.offsets.append(None)
        self.channels.append(())

    def set_offset(self, number: int, words: list[str]) -> None:
        try:
            offset = [float(word) for word in words]
        except ValueError:
            offset = []
        if len(offset) != 3 or not np.isfinite(offset).all() or not self.names:
            raise self.fail(number, f"expected OFFSET with 3 finite numbers, found {' '.join(words)[:60]!r}")
        self.offsets[-1] = offset

    def set_channels(self, number: int, words: list[str]) -> None:
        kinds = [word.lower() for word in words[1:]]
        parsed = [(_AXES.get(kind[:1], -1), kind[1:]) for kind in kinds]
        known = all(axis >= 0 and rest in ("position", "rotation") for axis, rest in parsed)
        if not self.names or not words or words[0] != str(len(kinds)) or not known or len(kinds) > _MAX_CHANNELS:
            raise self.fail(
                number, f"expected CHANNELS, their number and names such as Xrotation, found {' '.join(words)[:60]!r}"
            )
        self.channels[-1] = tuple((axis, rest == "rotation") for axis, rest in parsed)


def _parse_hierarchy(path: Path, lines: list[str]) -> Skeleton:
    builder = _HierarchyBuilder(path)
    pending = False
    for number, raw in enumerate(lines, start=1):
        # Braces may share a line with what they belong to.
        for line in raw.replace("{", "\n{\n").replace("}", "\n}\n").split("\n"):
            words = line.split()
            keyword = words[0].upper() if words else ""
            if keyword in ("ROOT", "JOINT"):
                builder.add_node(number, " ".join(words[1:]) or f"joint{len(builder.names)}", is_root=keyword == "ROOT")
                pending = True
            elif keyword == "END":
                name = builder.names[builder.open_nodes[-1]] if builder.open_nodes else ""
                builder.add_node(number, f"{name}_end", is_root=False)
                pending = True
            elif keyword == "{" and pending:
                builder.open_nodes.append(len(builder.names) - 1)
                pending = False
            elif keyword == "}" and builder.open_nodes:
                builder.open_nodes.pop()
            elif keyword == "OFFSET":
                builder.set_offset(number, words[1:])
            elif keyword == "CHANNELS":
                builder.set_channels(number, words[1:])
            elif keyword not in ("", "HIERARCHY"):
                raise builder.fail(
                    number, f"expected ROOT, JOINT, End Site, OFFSET, CHANNELS or a brace, found {line.strip()[:40]!r}"
                )
    if builder.open_nodes or not builder.names:
        raise MotionFormatError(
            f"{path}: expected a complete HIERARCHY, found one that breaks off: the file is truncated"
        )
    missing = [name for name, offset in zip(builder.names, builder.offsets, strict=True) if offset is None]
    if missing:
        raise MotionFormatError(f"{path}: expected an OFFSET for every joint, found none for {missing[0]!r}")
    if not any(builder.channels):
        raise MotionFormatError(f"{path}: expected joints with CHANNELS, found none: the file holds no movement")
    offsets = np.array(builder.offsets, dtype=np.float64)
    return Skeleton(tuple(builder.names), tuple(builder.parents), offsets, tuple(builder.channels))


def _parse_motion_header(path: Path, stream: TextIO) -> tuple[int, float]:
    """(frames, frame rate); the stream is left where the values begin."""
    frames_text = time_text = None
    while raw := stream.readline(_MAX_HEADER_LINE):
        line = raw.strip()
        key, _, value = line.partition(":")
        if key.strip().lower() == "frames":
            frames_text = value.strip()
        elif key.strip().lower() == "frame time":
            time_text = value.strip()
        elif line:
            break
        if frames_text is not None and time_text is not None:
            return _frame_count(path, frames_text), _frame_rate(path, time_text)
    raise MotionFormatError(
        f"{path}: expected 'Frames:' and 'Frame Time:' after MOTION, found them incomplete: truncated?"
    )


def _frame_count(path: Path, text: str) -> int:
    if not text.isascii() or not text.lstrip("+-").isdigit():
        raise MotionFormatError(f"{path}: expected a whole number after 'Frames:', found {text[:30]!r}")
    # int() refuses absurdly long numbers with an error of its own.
    frames = int(text) if len(text) <= 18 else 10**18
    if frames < 1:
        raise MotionFormatError(f"{path}: expected at least 2 frames, found {frames}: there is no movement to read")
    if frames == 1:
        raise MotionFormatError(f"{path}: expected at least 2 frames, found 1: a pose is no movement")
    return frames


def _frame_rate(path: Path, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not (np.isfinite(seconds) and 1.0 / 2000.0 <= seconds <= 1.0):
        raise MotionFormatError(f"{path}: expected a Frame Time between 0.0005 and 1 second, found {text[:30]!r}")
    rate = 1.0 / seconds
    mantissa = text.lower().partition("e")[0]
    digits = len(mantissa.partition(".")[2])
    # Written as 0.0333 or 0.016667, the time stands for a usual rate that rounds to it.
    rounding = 0.0 if "e" in text.lower() else 0.5 * 10.0**-digits
    usual = min(_USUAL_RATES_HZ, key=lambda candidate: abs(candidate - rate))
    if abs(usual - rate) < 0.02 * rate and abs(1.0 / usual - seconds) <= rounding * 1.001 + 1e-7 * seconds:
        return float(usual)
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate


def _parse_values(
    path: Path, stream: TextIO, shape: tuple[int, int], size: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    frames, channels = shape
    expected, count = frames * channels, 0
    # A value takes a digit and a blank: no memory is set aside for more than the file can hold.
    values = np.empty(min(expected, size // 2 + 1), dtype=np.float64)
    for lines in _blocks(stream):
        block = _table(lines, channels)
        if block is None:
            words = " ".join(lines).split()
            block = _numbers(path, words[: max(expected - count, 0)], count, channels)
            found = len(words)
        else:
            found = block.size
        block = block[: max(expected - count, 0)]
        values[count : count + len(block)] = block
        count += found
    if count < expected:
        raise MotionFormatError(
            f"{path}: expected {frames} frames of {channels} values, found values for {count / channels:.1f} "
            "frames: the file is truncated"
        )
    warnings: tuple[str, ...] = ()
    if count > expected:
        if count % channels:
            raise MotionFormatError(
                f"{path}: expected {frames} frames of {channels} values, found {count} values, which is no whole "
                "number of frames: the channels do not fit the motion"
            )
        warnings = (f"The file holds {count // channels} frames but announces {frames}; the announced ones were read.",)
    return values.reshape(frames, channels), warnings


def _blocks(stream: TextIO) -> Iterator[list[str]]:
    while lines := list(itertools.islice(stream, _LINES_PER_BLOCK)):
        if filled := [line for line in lines if not line.isspace()]:
            yield filled


def _table(lines: list[str], channels: int) -> NDArray[np.float64] | None:
    """The values of lines that hold a frame each, in order; None for lines that do not.

    NumPy's own parser takes half the time of ``float`` on every word, but only reads lines of the same length.
    """
    try:
        table = np.loadtxt(lines, dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        return None
    return table.ravel() if table.shape[1] == channels and np.isfinite(table).all() else None


def _numbers(path: Path, words: list[str], before: int, channels: int) -> NDArray[np.float64]:
    """Finite numbers from words of which ``before`` others stand in front."""
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        bad = next(index for index, word in enumerate(words) if not _is_number(word))
        raise MotionFormatError(
            f"{path}: expected numbers, found {words[bad][:30]!r} in frame {(before + bad) // channels + 1}"
        ) from None
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise MotionFormatError(
            f"{path}: expected finite values, found {words[bad]!r} in frame {(before + bad) // channels + 1}"
        )
    return values


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
