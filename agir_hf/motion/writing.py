"""Clips to files: .npz (joints), .bvh (for viewers and other tools) and .npy (HumanML3D features).

``read_motion`` reads all three back. What a format cannot hold is said by ``conversion_notes``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, PARENTS
from .features import REFERENCE_RATE_HZ, joints_to_features
from .retarget import CANONICAL_OFFSETS_M, resample_joints

Floats = NDArray[np.float64]

_CM_PER_M = 100.0
_FRAMES_AT_ONCE = 2048
# Axes of the rotation channels, as written. The middle angle of three must keep clear of 90 degrees: legs and trunk
# bend about X and turn about Y, an arm comes down from the T-pose about Z.
_BODY_ORDER = (1, 2, 0)
_ARM_ORDER = (2, 0, 1)
_ARM_WORDS = ("collar", "shoulder", "elbow", "wrist")
_AXIS_NAMES = "XYZ"
# Joints whose rotation is that of the bone to this child, with the sideways direction of the trunk there (0: the hip
# line, 1: the shoulder line). All others follow from their parent by the shortest rotation that points their bone.
_TRUNK_BONES: dict[str, tuple[str, float]] = {
    "spine1": ("spine2", 0.4),
    "spine2": ("spine3", 0.6),
    "spine3": ("neck", 1.0),
}
_LIMB_BONES: dict[str, str] = {
    f"{side}_{joint}": f"{side}_{child}"
    for side in ("left", "right")
    for joint, child in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "foot"),
        ("collar", "shoulder"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
}
_HAND_FRACTION = 0.35  # of the forearm: length of the end site behind a wrist
_TOE_FRACTION = 0.5  # of the foot: length of the end site before a toe base
_SKULL_FRACTION = 2.4  # of neck -> head: height of the end site over the skull base


def write_motion(clip: MotionClip, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a clip; the extension says how.

    - ``.npz``: ``joints_m`` (T, 22, 3) float32 in metres, ``frame_rate_hz``, ``joint_names``, ``joints_filled``,
      ``warnings``, ``path_recovered``: lossless but for annotated events and the source.
    - ``.bvh``: the 22 joints in centimetres, Y up, native rate. Position channels on every joint hold bones whose
      length changes over time; rotations point each bone, without twist, for viewers that draw bones from them.
    - ``.npy``: HumanML3D features (T' - 1, 263) float32 at 20 fps, not normalised, of this body (not retargeted). The
      clip is resampled to T' = floor((T - 1) * 20 / rate) + 1 frames, which removes movement above 9 Hz; frames after
      the last whole 1/20 s are lost. The last of the T' frames has no features of its own; its joints come back from
      the velocities of the one before. Reading starts above the origin, facing +Z.

    The file appears complete or not at all: it is written under another name in the same folder and then renamed.

    Args:
        clip: what to write.
        path: where; the folder must exist.
        overwrite: whether an existing file may be replaced.

    Raises:
        MotionFormatError: another extension, a file that exists, a folder that does not, a clip too short for features,
            or the disk refuses.
    """
    target = Path(path)
    writer = _writer(target)
    _check_target(target, overwrite)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            writer(clip, stream)
            stream.flush()
            os.fsync(stream.fileno())
        _check_target(target, overwrite)
        os.replace(temporary, target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MotionFormatError(f"{target}: expected a place that can be written to, found: {reason}") from error
    except MotionFormatError as error:
        text = str(error)
        raise MotionFormatError(text if text.startswith(str(target)) else f"{target}: {text}") from error
    finally:
        temporary.unlink(missing_ok=True)


def conversion_notes(clip: MotionClip, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """What ``write_motion`` to this path loses of this clip, one sentence each; empty where nothing is lost.

    Raises:
        MotionFormatError: an extension that cannot be written.
    """
    target = Path(path)
    _writer(target)
    extension = target.suffix.lower()
    notes = []
    if clip.joints_filled and extension != ".npz":
        notes.append(
            f"{extension} cannot say which joints were filled in, not recorded: {', '.join(clip.joints_filled)}."
        )
    if clip.lab_events:
        notes.append(f"{extension} files hold no annotated gait events: {len(clip.lab_events)} events are left out.")
    if extension == ".npy":
        frames = _feature_frames(clip)
        lost_s = max(clip.duration_s - (frames - 1) / REFERENCE_RATE_HZ, 0.0)
        notes.append(
            f"HumanML3D features have {REFERENCE_RATE_HZ:g} frames a second: {clip.num_frames} frames at "
            f"{clip.frame_rate_hz:g} become {frames - 1} feature frames; the last {lost_s:.3f} s and "
            "movement above 9 Hz are lost."
        )
        notes.append("Features hold neither the place nor the direction of the start.")
    return tuple(notes)


def _writer(target: Path) -> Callable[[MotionClip, BinaryIO], None]:
    writers = {".npz": _write_npz, ".bvh": _write_bvh, ".npy": _write_npy}
    writer = writers.get(target.suffix.lower())
    if writer is None:
        found = f"{target.suffix!r}" if target.suffix else "none"
        raise MotionFormatError(
            f"{target}: expected an extension that can be written ({', '.join(writers)}), found {found}: name the file "
            "with one of them"
        )
    return writer


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.parent.is_dir():
        raise MotionFormatError(f"{target}: expected an existing folder to write into, found none: make it first")
    if target.is_dir():
        raise MotionFormatError(f"{target}: expected the name of a file to write, found a folder")
    if not overwrite and os.path.lexists(target):
        raise MotionFormatError(
            f"{target}: expected a new file name, found a file of this name: choose another, or pass --overwrite"
        )


def _write_npz(clip: MotionClip, stream: BinaryIO) -> None:
    np.savez(
        stream,
        joints_m=clip.joints_m,
        frame_rate_hz=np.float64(clip.frame_rate_hz),
        joint_names=np.array(JOINT_NAMES),
        joints_filled=np.array(clip.joints_filled, dtype=np.str_),
        warnings=np.array(clip.warnings, dtype=np.str_),
        path_recovered=np.uint8(clip.path_recovered),
    )


def _feature_frames(clip: MotionClip) -> int:
    """Frames of the clip at the rate of the features (see ``resample_joints``)."""
    return int(np.floor((clip.num_frames - 1) * REFERENCE_RATE_HZ / clip.frame_rate_hz + 1e-6)) + 1


def _write_npy(clip: MotionClip, stream: BinaryIO) -> None:
    if _feature_frames(clip) < 2:
        raise MotionFormatError(
            f"expected at least 1/{REFERENCE_RATE_HZ:g} s of motion for a feature frame, found "
            f"{clip.duration_s:.3f} s: write .npz or .bvh"
        )
    joints = resample_joints(clip.joints_m, clip.frame_rate_hz, REFERENCE_RATE_HZ)
    np.save(stream, joints_to_features(joints), allow_pickle=False)


def _write_bvh(clip: MotionClip, stream: BinaryIO) -> None:
    offsets = _rest_offsets(clip)
    stream.write(_hierarchy(offsets).encode("ascii"))
    header = f"MOTION\nFrames: {clip.num_frames}\nFrame Time: {1.0 / clip.frame_rate_hz:.10f}\n"
    stream.write(header.encode("ascii"))
    row = " ".join(("%.4f %.4f %.4f", "%.5f %.5f %.5f") * NUM_JOINTS) + "\n"
    last: Floats | None = None
    for start in range(0, clip.num_frames, _FRAMES_AT_ONCE):
        joints = clip.joints_m[start : start + _FRAMES_AT_ONCE].astype(np.float64)
        places, angles = _channels(joints)
        # Angles go on without jumps of a whole turn, for viewers that interpolate.
        joined = angles if last is None else np.concatenate([last[None], angles])
        angles = np.unwrap(joined, axis=0, period=360.0)[len(joined) - len(angles) :]
        last = angles[-1]
        values = np.concatenate([_CM_PER_M * places, angles], axis=2)[:, _DEPTH_FIRST].reshape(len(joints), -1)
        values += 0.0  # no "-0.0000" from exact zeros
        stream.write("".join(row % tuple(frame) for frame in values.tolist()).encode("ascii"))


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _depth_first(joint: int = 0) -> list[int]:
    return [joint, *(node for child in _children(joint) for node in _depth_first(child))]


# BVH lists a joint's whole branch before its next sibling.
_DEPTH_FIRST = _depth_first()


def _rest_offsets(clip: MotionClip) -> Floats:
    """(22, 3) metres: this person's bone lengths (medians) along the bones of a person in a T-pose, facing +Z."""
    joints = clip.joints_m
    bones = np.linalg.norm(joints - joints[:, list(PARENTS)], axis=-1)
    lengths = np.median(bones.astype(np.float64), axis=0)
    canonical = np.linalg.norm(CANONICAL_OFFSETS_M, axis=-1)
    return CANONICAL_OFFSETS_M * (lengths / np.maximum(canonical, 1e-9))[:, None]


def _end_offset(name: str, offsets: Floats) -> Floats:
    """End site of a joint without children, metres, in the rest pose."""
    own = offsets[JOINT_INDEX[name]]
    if name == "head":
        # Straight above the neck joint, not in line with neck -> head, which leans forward with the face.
        return np.array([0.0, _SKULL_FRACTION * float(np.linalg.norm(own)), -own[2]])
    if name.endswith("foot"):
        return np.array([0.0, 0.0, _TOE_FRACTION * float(np.linalg.norm(own))])
    return _HAND_FRACTION * own


def _order(name: str) -> tuple[int, int, int]:
    return _ARM_ORDER if name.endswith(_ARM_WORDS) else _BODY_ORDER


def _hierarchy(offsets: Floats) -> str:
    lines = ["HIERARCHY"]

    def numbers(vector: Floats) -> str:
        return " ".join(f"{value + 0.0:.6f}" for value in (_CM_PER_M * vector).tolist())

    def add(joint: int, depth: int) -> None:
        name, indent = JOINT_NAMES[joint], "\t" * depth
        rotations = " ".join(f"{_AXIS_NAMES[axis]}rotation" for axis in _order(name))
        lines.append(f"{indent}{'JOINT' if depth else 'ROOT'} {name}")
        lines.append(f"{indent}{{")
        lines.append(f"{indent}\tOFFSET {numbers(offsets[joint])}")
        lines.append(f"{indent}\tCHANNELS 6 Xposition Yposition Zposition {rotations}")
        children = _children(joint)
        for child in children:
            add(child, depth + 1)
        if not children:
            end = numbers(_end_offset(name, offsets))
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{", f"{indent}\t\tOFFSET {end}", f"{indent}\t}}"])
        lines.append(f"{indent}}}")

    add(0, 0)
    return "\n".join(lines) + "\n"


def _channels(joints: Floats) -> tuple[Floats, Floats]:
    """Positions (T, 22, 3) in metres relative to the parent, and Euler angles (T, 22, 3) in degrees, as written."""
    world = _rotations(joints)
    places = np.empty_like(joints)
    angles = np.empty_like(joints)
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            places[:, joint] = joints[:, joint]
            local = world[joint]
        else:
            back = world[parent].transpose(0, 2, 1)
            places[:, joint] = np.matmul(back, (joints[:, joint] - joints[:, parent])[..., None])[..., 0]
            local = np.matmul(back, world[joint])
        angles[:, joint] = np.degrees(_euler(local, _order(JOINT_NAMES[joint])))
    return places, angles


def _rotations(joints: Floats) -> list[Floats]:
    """World rotation (T, 3, 3) of every joint: what turns the rest pose's bones into the directions of the frame."""
    at = {name: joints[:, index] for name, index in JOINT_INDEX.items()}
    # Directions only: a bone of no length still has one in the rest pose.
    rest = {name: CANONICAL_OFFSETS_M[index] for name, index in JOINT_INDEX.items()}
    side = np.array([1.0, 0.0, 0.0])
    hip_line = _unit(at["left_hip"] - at["right_hip"])
    shoulder_line = _unit(at["left_shoulder"] - at["right_shoulder"])
    hips = 0.5 * (at["left_hip"] + at["right_hip"])
    trunk = 0.5 * (at["left_shoulder"] + at["right_shoulder"]) - hips

    world: list[Floats] = [np.empty(0)] * NUM_JOINTS
    world[0] = _aligned(side, np.array([0.0, 1.0, 0.0]), hip_line, trunk)
    for joint, name in enumerate(JOINT_NAMES):
        if name in _TRUNK_BONES:
            child, twist = _TRUNK_BONES[name]
            across = (1.0 - twist) * hip_line + twist * shoulder_line
            world[joint] = _aligned(rest[child], side, at[child] - at[name], across)
        elif name == "neck":
            normal = _face_normal(at["head"] - at["neck"], trunk, shoulder_line)
            world[joint] = _aligned(rest["head"], side, at["head"] - at["neck"], normal)
        elif name in _LIMB_BONES:
            child = _LIMB_BONES[name]
            turned = world[PARENTS[joint]]
            bone = np.matmul(turned.transpose(0, 2, 1), (at[child] - at[name])[..., None])[..., 0]
            world[joint] = np.matmul(turned, _shortest(rest[child], bone))
        elif joint:  # wrists, toe bases and the head go with their parent
            world[joint] = world[PARENTS[joint]]
    return world


def _face_normal(head: Floats, trunk: Floats, shoulder_line: Floats) -> Floats:
    """(T, 3) to the left, at right angles to the plane that neck -> head and the trunk's ahead span.

    In that plane the skull base lies ahead of the line from the neck to the top of the head (``canonical``), so that a
    neck turned with it has the top of the head straight above.
    """
    ahead = _unit(np.cross(shoulder_line, _unit(trunk)))
    normal = np.cross(_unit(head), ahead)
    normal *= np.where((normal * shoulder_line).sum(axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
    clear = np.linalg.norm(normal, axis=-1, keepdims=True) > 0.2  # else the face looks straight up or down
    return np.where(clear, normal, shoulder_line)


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _frame(first: Floats, second: Floats) -> Floats:
    """(..., 3, 3) right-handed axes in columns: along ``first``, then ``second`` as far as it is at right angles."""
    first = _unit(first)
    across = second - (second * first).sum(axis=-1, keepdims=True) * first
    # Parallel directions leave the turn about them open: any perpendicular will do.
    spare = np.where(np.abs(first[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    spare = spare - (spare * first).sum(axis=-1, keepdims=True) * first
    across = _unit(np.where(np.linalg.norm(across, axis=-1, keepdims=True) > 1e-6, across, spare))
    return np.stack([first, across, np.cross(first, across)], axis=-1)


def _aligned(rest_first: Floats, rest_second: Floats, first: Floats, second: Floats) -> Floats:
    """(T, 3, 3) rotations that turn two rest directions (3,) onto those of each frame, the first one exactly."""
    none = np.linalg.norm(first, axis=-1, keepdims=True) < 1e-9
    return np.matmul(_frame(np.where(none, rest_first, first), second), _frame(rest_first, rest_second).T)


def _shortest(rest: Floats, bones: Floats) -> Floats:
    """(T, 3, 3) shortest rotations of a direction (3,) onto directions (T, 3); half a turn where they are opposite."""
    start = _unit(rest)
    length = np.linalg.norm(bones, axis=-1, keepdims=True)
    end = np.where(length > 1e-9, bones / np.maximum(length, 1e-9), start)
    middle = start + end
    opposite = np.linalg.norm(middle, axis=-1, keepdims=True) < 1e-6
    middle = _unit(np.where(opposite, _frame(start, start)[:, 1], middle))
    # Two half turns: about the start, then about the direction half-way.
    first = 2.0 * np.outer(start, start) - np.eye(3)
    second = 2.0 * middle[:, :, None] * middle[:, None, :] - np.eye(3)
    return np.matmul(second, first)


def _euler(rotation: Floats, order: tuple[int, int, int]) -> Floats:
    """(T, 3) radians a, b, c with rotation = R_i(a) R_j(b) R_k(c) for three different axes i, j, k."""
    i, j, k = order
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    sine = np.clip(sign * rotation[:, i, k], -1.0, 1.0)
    first = np.arctan2(-sign * rotation[:, j, k], rotation[:, k, k])
    last = np.arctan2(-sign * rotation[:, i, j], rotation[:, i, i])
    # With the middle angle at 90 degrees only the sum or difference of the others counts: the last one is put to 0.
    locked = np.abs(sine) > 1.0 - 1e-12
    first = np.where(locked, np.arctan2(sign * rotation[:, k, j], rotation[:, j, j]), first)
    return np.stack([first, np.arcsin(sine), np.where(locked, 0.0, last)], axis=-1)
