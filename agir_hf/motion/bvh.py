"""Biovision Hierarchy (BVH) files as clips: forward kinematics, and the body in the skeleton.

Conventions: angles in degrees; a joint's rotation is the product of its channels in the order written (column vectors,
so that the last written is applied first); position channels replace the joint's OFFSET. Motion is computed for
thousands of frames at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from .axis_rotation import axis_rotation
from .bvh_file import BvhFile, Skeleton, parse_bvh
from .canonical import Landmarks
from .naming import find_parts, trunk_gaps
from .root_relative import place_landmarks

__all__ = ["BvhFile", "Skeleton", "bvh_landmarks", "forward_kinematics", "looks_like_bvh", "parse_bvh", "read_bvh"]

_M_PER_CM = 0.01
# Frames whose motion is computed at once: what one block needs stays in the processor's cache.
_FRAMES_PER_BLOCK = 2048
# From one frame to the next no joint turns so far; from a skeleton's rest pose into a movement most do.
_MAX_TURN_DEG = 20.0


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
            return MotionClip(
                joints, file.frame_rate_hz, source=str(path), warnings=file.warnings, format="BVH of 22 joints"
            )
        clip = place_landmarks(bvh_landmarks(file), source=str(path))
        parts = find_parts(file.skeleton.names, file.skeleton.parents)
        leg = ", ".join(file.skeleton.names[parts[f"left_{joint}"]] for joint in ("hip", "knee", "ankle"))
        return clip.replace(format=f"BVH (legs from {leg})")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def _own_joints_m(file: BvhFile) -> NDArray[np.float32] | None:
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
    positions, _ = forward_kinematics(skeleton, file.values, nodes=[nodes[name] for name in JOINT_NAMES])
    positions *= _M_PER_CM
    return positions.astype(np.float32)


def bvh_landmarks(file: BvhFile) -> Landmarks:
    """Body parts of a parsed file over time, in file units and axes.

    Raises:
        MotionFormatError: no legs.
    """
    skeleton = file.skeleton
    parts = find_parts(skeleton.names, skeleton.parents)
    ankles = {side: parts[f"{side}_ankle"] for side in ("left", "right")}
    values, told = _without_rest_pose(file)
    positions, rotations = forward_kinematics(
        skeleton, values, nodes=list(parts.values()), keep_rotations=tuple(ankles.values())
    )
    rest = np.zeros_like(skeleton.offsets)
    for node, parent in enumerate(skeleton.parents):
        rest[node] = skeleton.offsets[node] + (rest[parent] if parent >= 0 else 0.0)
    missing, spine = trunk_gaps(skeleton.names, skeleton.parents, parts)
    return Landmarks(
        points={part: positions[:, place] for place, part in enumerate(parts)},
        frame_rate_hz=file.frame_rate_hz,
        rest={part: rest[node] for part, node in parts.items()},
        foot_rotations={side: rotations[node] for side, node in ankles.items()},
        warnings=file.warnings + told + spine,
        interpolated=missing,
    )


def _without_rest_pose(file: BvhFile) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The values without a first frame that is the skeleton's rest pose, not the movement, and what to tell.

    The widespread BVH conversions of the CMU recordings, among others, have such a frame.
    """
    is_rotation = np.array([rotation for channels in file.skeleton.channels for _, rotation in channels])
    first, second = file.values[0][is_rotation], file.values[1][is_rotation]
    if len(file.values) < 3 or first.any() or np.abs(second).max(initial=0.0) < _MAX_TURN_DEG:
        return file.values, ()
    return file.values[1:], ("The first frame is the skeleton's rest pose, not part of the movement; it was left out.",)


def forward_kinematics(
    skeleton: Skeleton,
    values: NDArray[np.float64],
    *,
    nodes: Sequence[int] | None = None,
    keep_rotations: tuple[int, ...] = (),
) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
    """Where nodes are, and how some are turned.

    Args:
        skeleton: N nodes.
        values: (T, C) channel values.
        nodes: whose positions are wanted; None for all, in order.
        keep_rotations: nodes whose world rotations are wanted.

    Returns:
        (T, len(nodes), 3) positions in file units, and (T, 3, 3) world rotations by node.
    """
    wanted = list(range(len(skeleton.names))) if nodes is None else list(nodes)
    is_placed = _placed_nodes(skeleton, values)
    positions = np.empty((len(values), len(wanted), 3))
    rotations = {node: np.empty((len(values), 3, 3)) for node in keep_rotations}
    for start in range(0, len(values), _FRAMES_PER_BLOCK):
        block = slice(start, start + _FRAMES_PER_BLOCK)
        places, turns = _block_kinematics(skeleton, values[block], is_placed, keep_rotations)
        for column, node in enumerate(wanted):
            positions[block, column] = places[node]
        for node in keep_rotations:
            rotations[node][block] = turns[node]
    return positions, rotations


def _placed_nodes(skeleton: Skeleton, values: NDArray[np.float64]) -> list[bool]:
    """Which nodes position channels place. Some exporters write these for every joint but leave them zero: there the
    offset holds."""
    is_placed, column = [], 0
    for channels in skeleton.channels:
        columns = [column + index for index, (_, is_rotation) in enumerate(channels) if not is_rotation]
        is_placed.append(any(values[:, own].any() for own in columns))
        column += len(channels)
    return is_placed


def _block_kinematics(
    skeleton: Skeleton, values: NDArray[np.float64], is_placed: list[bool], keep_rotations: tuple[int, ...]
) -> tuple[list[NDArray[np.float64]], dict[int, NDArray[np.float64]]]:
    """Positions (T, 3) of all nodes, and world rotations (T, 3, 3) of those to keep, for a block of frames."""
    positions: list[NDArray[np.float64]] = []
    rotations: dict[int, NDArray[np.float64]] = {}
    last_child = {parent: node for node, parent in enumerate(skeleton.parents)}
    column = 0
    for node, channels in enumerate(skeleton.channels):
        own = values[:, column : column + len(channels)]
        column += len(channels)
        position, rotation = _local_transform(skeleton.offsets[node], channels, own, is_placed[node])
        parent = skeleton.parents[node]
        if parent >= 0:
            position = positions[parent] + np.matmul(rotations[parent], position[..., None])[..., 0]
            rotation = rotations[parent] if rotation is None else np.matmul(rotations[parent], rotation)
            if last_child[parent] == node and parent not in keep_rotations:
                del rotations[parent]
        positions.append(position)
        if node in last_child or node in keep_rotations:
            rotations[node] = np.broadcast_to(np.eye(3), (len(values), 3, 3)) if rotation is None else rotation
    return positions, rotations


def _local_transform(
    offset: NDArray[np.float64],
    channels: tuple[tuple[int, bool], ...],
    values: NDArray[np.float64],
    is_placed: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Position (T, 3) and rotation (T, 3, 3), or None for no rotation, of a node in its parent's frame."""
    position = np.tile(offset, (len(values), 1))
    rotation: NDArray[np.float64] | None = None
    for index, (axis, is_rotation) in enumerate(channels):
        if not is_rotation and is_placed:
            position[:, axis] = values[:, index]
        elif is_rotation:
            turn = axis_rotation(axis, np.deg2rad(values[:, index]))
            rotation = turn if rotation is None else np.matmul(rotation, turn)
    return position, rotation
