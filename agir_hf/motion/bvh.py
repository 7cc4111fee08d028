"""Biovision Hierarchy (BVH) files: parsing and forward kinematics.

Conventions: angles in degrees; a joint's rotation is the product of its channels in the order written (column vectors,
so that the last written is applied first); position channels replace the joint's OFFSET. Motion is computed for all
frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from .canonical import Landmarks, canonicalise
from .naming import find_parts

_AXES = {"x": 0, "y": 1, "z": 2}
_MAX_JOINTS = 2000
_MAX_CHANNELS = 6
_MAX_BYTES = 1024**3
_LINES_PER_BLOCK = 4096
_M_PER_CM = 0.01
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


def looks_like_bvh(start: bytes) -> bool:
    """Whether a file that begins with ``start`` is a BVH file."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(b"HIERARCHY")


def read_bvh(path: Path, *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read one BVH file as a clip: any joint naming ``naming`` knows, any unit, any up axis.

    A file that holds the 22 joints as this package writes them keeps them as they are.

    Args:
        path: the file.
        frame_rate_hz: wins over the file's frame time.

    Raises:
        MotionFormatError: not a BVH file, a broken hierarchy, missing or non-finite values, no frames, no frame time,
            no legs, no plausible body.
    """
    file = parse_bvh(path)
    if frame_rate_hz is not None:
        file = replace(file, frame_rate_hz=frame_rate_hz)
    try:
        joints = _own_joints_m(file)
        if joints is not None:
            return MotionClip(joints.astype(np.float32), file.frame_rate_hz, source=str(path), warnings=file.warnings)
        return canonicalise(bvh_landmarks(file), source=str(path))
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def _own_joints_m(file: BvhFile) -> NDArray[np.float64] | None:
    """(T, 22, 3) metres where the skeleton is exactly the 22 joints as ``write_motion`` writes them, else None."""
    skeleton = file.skeleton
    nodes = {name: node for node, name in enumerate(skeleton.names) if name in JOINT_INDEX}
    others = [name for name in skeleton.names if name not in JOINT_INDEX]
    if set(nodes) != set(JOINT_NAMES) or any(not name.endswith("_end") for name in others):
        return None
    for name, node in nodes.items():
        parent = PARENTS[JOINT_INDEX[name]]
        if skeleton.parents[node] != (-1 if parent < 0 else nodes[JOINT_NAMES[parent]]):
            return None
        if [is_rotation for _, is_rotation in skeleton.channels[node]] != [False] * 3 + [True] * 3:
            return None
    positions, _ = forward_kinematics(skeleton, file.values)
    return _M_PER_CM * positions[:, [nodes[name] for name in JOINT_NAMES]]


def parse_bvh(path: Path) -> BvhFile:
    """Parse one BVH file.

    Raises:
        MotionFormatError: see ``read_bvh``.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise MotionFormatError(f"{path}: expected at most {_MAX_BYTES // 1024**3} GiB of BVH, found a larger file")
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise MotionFormatError(f"{path}: expected a BVH file, found an empty file")
    lines = text.splitlines()
    motion_line = next((number for number, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if not text.lstrip().upper().startswith("HIERARCHY"):
        raise MotionFormatError(f"{path}: expected BVH text that starts with HIERARCHY, found {text.lstrip()[:30]!r}")
    skeleton = _parse_hierarchy(path, lines[:motion_line])
    if motion_line is None:
        raise MotionFormatError(f"{path}: expected a MOTION section, found none: the file ends within its hierarchy")
    frames, frame_rate_hz, data_line = _parse_motion_header(path, lines, motion_line)
    values, warnings = _parse_values(path, lines[data_line:], frames, skeleton.num_channels)
    return BvhFile(skeleton, values, frame_rate_hz, warnings)


def bvh_landmarks(file: BvhFile) -> Landmarks:
    """Body parts of a parsed file over time, in file units and axes.

    Raises:
        MotionFormatError: no legs.
    """
    skeleton = file.skeleton
    parts = find_parts(skeleton.names, skeleton.parents)
    ankles = {side: parts[f"{side}_ankle"] for side in ("left", "right")}
    positions, rotations = forward_kinematics(skeleton, file.values, keep_rotations=tuple(ankles.values()))
    rest = np.zeros_like(skeleton.offsets)
    for node, parent in enumerate(skeleton.parents):
        rest[node] = skeleton.offsets[node] + (rest[parent] if parent >= 0 else 0.0)
    return Landmarks(
        points={part: positions[:, node] for part, node in parts.items()},
        frame_rate_hz=file.frame_rate_hz,
        rest={part: rest[node] for part, node in parts.items()},
        foot_rotations={side: rotations[node] for side, node in ankles.items()},
        warnings=file.warnings,
    )


def forward_kinematics(
    skeleton: Skeleton, values: NDArray[np.float64], *, keep_rotations: tuple[int, ...] = ()
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
    """Positions (T, N, 3) of all nodes for channel values (T, C), and world rotations (T, 3, 3) of those asked for."""
    frames = len(values)
    positions = np.empty((frames, len(skeleton.names), 3))
    rotations: dict[int, NDArray[np.float64]] = {}
    last_child = {parent: node for node, parent in enumerate(skeleton.parents)}
    column = 0
    for node, channels in enumerate(skeleton.channels):
        own = values[:, column : column + len(channels)]
        column += len(channels)
        position, rotation = _local_transform(skeleton.offsets[node], channels, own)
        parent = skeleton.parents[node]
        if parent >= 0:
            position = positions[:, parent] + np.matmul(rotations[parent], position[..., None])[..., 0]
            rotation = rotations[parent] if rotation is None else np.matmul(rotations[parent], rotation)
            # A long recording of a detailed skeleton would not fit into memory with all its rotations.
            if last_child[parent] == node and parent not in keep_rotations:
                del rotations[parent]
        positions[:, node] = position
        if node in last_child or node in keep_rotations:
            rotations[node] = np.broadcast_to(np.eye(3), (frames, 3, 3)) if rotation is None else rotation
    return positions, {node: rotations[node] for node in keep_rotations}


def _local_transform(
    offset: NDArray[np.float64], channels: tuple[tuple[int, bool], ...], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Position (T, 3) and rotation (T, 3, 3), or None for no rotation, of a node in its parent's frame."""
    position = np.tile(offset, (len(values), 1))
    rotation: NDArray[np.float64] | None = None
    placed = [(axis, index) for index, (axis, is_rotation) in enumerate(channels) if not is_rotation]
    # Some exporters write position channels for every joint but leave them zero: there the offset holds.
    if placed and np.any(values[:, [index for _, index in placed]]):
        for axis, index in placed:
            position[:, axis] = values[:, index]
    for index, (axis, is_rotation) in enumerate(channels):
        if is_rotation:
            turn = _axis_rotation(axis, np.deg2rad(values[:, index]))
            rotation = turn if rotation is None else np.matmul(rotation, turn)
    return position, rotation


def _axis_rotation(axis: int, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, axis, axis] = 1.0
    matrix[:, one, one] = matrix[:, two, two] = cosine
    matrix[:, one, two] = -sine
    matrix[:, two, one] = sine
    return matrix


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


def _parse_motion_header(path: Path, lines: list[str], motion_line: int) -> tuple[int, float, int]:
    """(frames, frame rate, index of the first line of values)."""
    frames_text = time_text = None
    for number in range(motion_line + 1, len(lines)):
        line = lines[number].strip()
        key, _, value = line.partition(":")
        if key.strip().lower() == "frames":
            frames_text = value.strip()
        elif key.strip().lower() == "frame time":
            time_text = value.strip()
        elif line:
            break
        if frames_text is not None and time_text is not None:
            return _frame_count(path, frames_text), _frame_rate(path, time_text), number + 1
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
    path: Path, lines: list[str], frames: int, channels: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    # Block by block: the words of an hour of movement would take gigabytes.
    blocks, count, expected = [], 0, frames * channels
    for start in range(0, len(lines), _LINES_PER_BLOCK):
        words = " ".join(lines[start : start + _LINES_PER_BLOCK]).split()
        wanted = words[: max(expected - count, 0)]
        blocks.append(_numbers(path, wanted, count, channels))
        count += len(words)
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
    return np.concatenate(blocks).reshape(frames, channels), warnings


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
