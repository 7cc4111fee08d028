"""Acclaim skeleton and motion files (ASF with AMC), the format of the CMU motion capture database.

Conventions, from the Acclaim Skeleton File Definition V1.10 (Schafer, 1995) and Vicon's notes on it: a bone starts at
the end of its parent and reaches ``length`` along ``direction``, in the axes of the whole skeleton. ``axis`` turns
these axes into the bone's own (matrix C); recorded rotations M are about the bone's own axes, so that a bone turns its
parent's frame by C M C^-1. Rotations are about fixed axes, the first listed applied first: of ``axis`` in the order of
its letters, of the motion in the order of ``dof`` (of ``order`` for the root). File lengths are local lengths times the
``length`` of ``:units``: 0.45 in CMU files, whose local unit is the inch.

An ASF bone is named after the segment (``lfemur``); here its node is the joint it starts at (the hip).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from .asf_amc_text import (
    FORMAT,
    ROOT,
    AcclaimMotion,
    AcclaimSkeleton,
    looks_like_asf_amc,
    motion_rotation,
    parse_amc,
    parse_asf,
)
from .canonical import Landmarks
from .naming import find_parts, trunk_gaps
from .root_relative import place_landmarks

__all__ = [
    "FORMAT",
    "AcclaimMotion",
    "AcclaimSkeleton",
    "acclaim_landmarks",
    "forward_kinematics",
    "looks_like_asf_amc",
    "parse_amc",
    "parse_asf",
    "read_asf_amc",
]

Floats = NDArray[np.float64]

# The rate of the CMU recordings; the files do not state it.
_CMU_RATE_HZ = 120.0
_MAX_BYTES = 1024**3
_AXES = {"x": 0, "y": 1, "z": 2}


def read_asf_amc(path: Path, *, frame_rate_hz: float | None = None, skeleton: Path | None = None) -> MotionClip:
    """Read one AMC file with its skeleton as a clip.

    Args:
        path: the .amc file.
        frame_rate_hz: frames per second. AMC files seldom say; without it 120 Hz is taken, with a warning.
        skeleton: the .asf file. Without it, that of the same stem beside the .amc is taken, else that of the stem up to
            the first underscore (``02.asf`` for ``02_01.amc``), else the only one in the folder.

    Raises:
        MotionFormatError: an .asf alone, no skeleton found, files that are broken or do not belong together, no legs,
            no plausible body.
    """
    motion = parse_amc(path)
    found, warnings = (skeleton, ()) if skeleton is not None else _find_skeleton(path)
    body = parse_asf(found)
    rate = motion.frame_rate_hz if frame_rate_hz is None else frame_rate_hz
    if rate is None:
        rate = _CMU_RATE_HZ
        warnings += (
            f"The file does not state its frame rate; {rate:g} Hz was taken, the rate of the CMU recordings: pass "
            "frame_rate_hz=... if it was another.",
        )
    if not 1.0 <= rate <= 2000.0:
        raise MotionFormatError(f"{path}: expected a frame rate between 1 and 2000 Hz, found {rate:g}")
    try:
        landmarks = acclaim_landmarks(body, motion, frame_rate_hz=rate, warnings=warnings)
        parts = find_parts(body.names, body.parents)
        leg = ", ".join(body.names[parts[f"left_{joint}"]] for joint in ("hip", "knee", "ankle"))
        return place_landmarks(landmarks, source=str(path)).replace(format=f"{FORMAT} (legs from {leg})")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def acclaim_landmarks(
    skeleton: AcclaimSkeleton, motion: AcclaimMotion, *, frame_rate_hz: float, warnings: tuple[str, ...] = ()
) -> Landmarks:
    """Body parts of a motion over time, in local length units (inches in CMU files) and the axes of the file.

    Raises:
        MotionFormatError: the motion has other bones or other numbers of values than the skeleton; no legs.
    """
    values, told = _values_by_node(skeleton, motion)
    parts = find_parts(skeleton.names, skeleton.parents)
    ankles = {side: parts[f"{side}_ankle"] for side in ("left", "right")}
    in_degrees = skeleton.in_degrees if motion.in_degrees is None else motion.in_degrees
    positions, rotations = forward_kinematics(skeleton, values, in_degrees=in_degrees, keep=(*ankles.values(),))
    missing, spine = trunk_gaps(skeleton.names, skeleton.parents, parts)
    still = [np.zeros((1, len(channels))) for channels in skeleton.channels]
    rest, _ = forward_kinematics(skeleton, still, in_degrees=in_degrees)
    return Landmarks(
        points={part: positions[:, node] for part, node in parts.items()},
        frame_rate_hz=frame_rate_hz,
        rest={part: rest[0, node] for part, node in parts.items()},
        # From the rest pose as it stands preset to the world.
        foot_rotations={side: rotations[node] @ skeleton.root_rotation.T for side, node in ankles.items()},
        warnings=warnings + motion.warnings + told + spine,
        interpolated=missing,
    )


def forward_kinematics(
    skeleton: AcclaimSkeleton, values: list[Floats], *, in_degrees: bool, keep: tuple[int, ...] = ()
) -> tuple[Floats, dict[int, Floats]]:
    """Joint positions over time.

    Args:
        skeleton: N nodes.
        values: (T, C) motion values per node, translations in file units.
        in_degrees: unit of the angles.
        keep: nodes whose world rotations are wanted.

    Returns:
        (T, N, 3) where each node starts, local length units, and (T, 3, 3) world rotations of the nodes to keep.

    Raises:
        MotionFormatError: more than 1 GiB of positions.
    """
    frames = len(values[0])
    if frames * len(skeleton.names) * 24 > _MAX_BYTES:
        raise MotionFormatError(
            f"expected at most {_MAX_BYTES // 1024**3} GiB of joints, found {frames} frames of {len(skeleton.names)} "
            "joints: cut the recording"
        )
    last_child = {parent: node for node, parent in enumerate(skeleton.parents)}
    positions = np.empty((frames, len(skeleton.names), 3))
    rotations: dict[int, Floats] = {}
    for node, parent in enumerate(skeleton.parents):
        turn = motion_rotation(skeleton.channels[node], values[node], in_degrees)
        if turn is not None:
            turn = skeleton.axes[node] @ turn @ skeleton.axes[node].T
        if parent < 0:
            moved = _translation(skeleton.channels[node], values[node])
            positions[:, node] = skeleton.root_position + moved / skeleton.length_scale
            preset = np.broadcast_to(skeleton.root_rotation, (frames, 3, 3))
            rotation = preset if turn is None else turn @ preset
        else:
            positions[:, node] = positions[:, parent] + rotations[parent] @ skeleton.vectors[parent]
            rotation = rotations[parent] if turn is None else rotations[parent] @ turn
            # A long recording of a detailed skeleton would not fit into memory with all its rotations.
            if last_child[parent] == node and parent not in keep:
                del rotations[parent]
        if node in last_child or node in keep:
            rotations[node] = rotation
    return positions, {node: rotations[node] for node in keep}


def _translation(channels: tuple[str, ...], values: Floats) -> Floats:
    moved = np.zeros((len(values), 3))
    for index, channel in enumerate(channels):
        if channel[0] == "t":
            moved[:, _AXES[channel[1]]] = values[:, index]
    return moved


def _values_by_node(skeleton: AcclaimSkeleton, motion: AcclaimMotion) -> tuple[list[Floats], tuple[str, ...]]:
    """Motion values (T, C) per node of the skeleton, and what to tell."""
    recorded = {name.lower(): (name, values) for name, values in motion.values.items()}
    known = {name.lower() for name in skeleton.names}
    strange = [name for lower, (name, _) in recorded.items() if lower not in known]
    if strange:
        raise MotionFormatError(
            f"expected motion of the bones of its skeleton, found {strange[0][:40]!r}, which the skeleton lacks: does "
            "the .asf belong to another person? Pass skeleton=..."
        )
    if ROOT not in recorded:
        raise MotionFormatError("expected motion of the root, found none: where the person goes is not recorded")
    frames = len(recorded[ROOT][1])
    by_node: list[Floats] = []
    still = []
    for name, channels in zip(skeleton.names, skeleton.channels, strict=True):
        if name.lower() not in recorded:
            by_node.append(np.zeros((frames, len(channels))))
            still += [name] if channels else []
            continue
        values = recorded[name.lower()][1]
        if values.shape[1] != len(channels):
            raise MotionFormatError(
                f"expected {len(channels)} values a frame for {name} ({' '.join(channels) or 'no dof'}), found "
                f"{values.shape[1]}: does the .asf belong to another person? Pass skeleton=..."
            )
        by_node.append(values)
    told = (f"The motion has no values for {', '.join(still[:5])}; they stay as in the rest pose.",) if still else ()
    return by_node, told


def _find_skeleton(path: Path) -> tuple[Path, tuple[str, ...]]:
    """(the .asf file that belongs to an .amc file, what to tell)."""
    beside = sorted(file for file in path.parent.iterdir() if file.suffix.lower() == ".asf" and file.is_file())
    wanted = list(dict.fromkeys((path.stem, path.stem.partition("_")[0])))
    for stem in wanted:
        for file in beside:
            if file.stem.lower() == stem.lower():
                return file, ()
    if len(beside) == 1:
        return beside[0], (f"The skeleton was taken from {beside[0].name}, the only .asf file beside the motion.",)
    looked = " or ".join(f"{stem}.asf" for stem in wanted)
    found = f"{len(beside)} .asf files of other names" if beside else "no .asf file"
    raise MotionFormatError(
        f"{path}: expected its skeleton beside it as {looked}, found {found}: put it there or pass skeleton=..."
    )
