"""Clips that are no walk, or no longer one, made from walks: what should be abstained from or flagged.

Each kind has its own way of being wrong, and a seed chooses how. ``KINDS_FOR_CHOICES`` may be looked at while limits
are chosen; ``KINDS_KEPT`` are for the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..skeleton import JOINT_INDEX, MIRROR_INDEX

Joints = NDArray[np.float64]
Make = Callable[[Joints, float, np.random.Generator], Joints]
_PELVIS = JOINT_INDEX["pelvis"]
_LEGS = {
    side: [JOINT_INDEX[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "foot")] for side in ("left", "right")
}
_ABOVE = [i for i in range(len(JOINT_INDEX)) if i not in _LEGS["left"] + _LEGS["right"]]
_UP = np.array([0.0, 1.0, 0.0])


def standing(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """One pose held, with sway of some millimetres at half a hertz."""
    pose = joints[rng.integers(len(joints))]
    return pose + _sway(len(joints), rate_hz, rng) * (pose[:, 1:2] / pose[:, 1].max())


def sitting(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """Thighs level and shanks upright below them, as on a chair, trunk and arms as they were in one pose."""
    pose = joints[rng.integers(len(joints))].copy()
    forward = _forward(pose)
    for side in _LEGS:
        hip, knee, ankle, foot = _LEGS[side]
        thigh, shank = (np.linalg.norm(pose[b] - pose[a]) for a, b in ((hip, knee), (knee, ankle)))
        sole = pose[foot] - pose[ankle]
        pose[knee] = pose[hip] + thigh * forward
        pose[ankle] = pose[knee] - shank * _UP
        pose[foot] = pose[ankle] + sole
    pose[:, 1] -= pose[:, 1].min()
    return pose + _sway(len(joints), rate_hz, rng) * (pose[:, 1:2] / pose[:, 1].max())


def squatting(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """Knees bent and stretched again every two to four seconds, feet in place."""
    pose = joints[rng.integers(len(joints))]
    forward = _forward(pose)
    depth = 0.5 * (1 - np.cos(2 * np.pi * np.arange(len(joints)) / rate_hz / rng.uniform(2.0, 4.0)))
    made = np.repeat(pose[None], len(joints), axis=0)
    lowered = np.zeros(len(joints))
    for side in _LEGS:
        hip, knee, ankle, _ = _LEGS[side]
        thigh, shank = (np.linalg.norm(pose[b] - pose[a]) for a, b in ((hip, knee), (knee, ankle)))
        bend = depth * np.radians(rng.uniform(60, 80))
        made[:, knee] = made[:, ankle] + shank * (np.cos(bend)[:, None] * _UP + np.sin(bend)[:, None] * forward)
        made[:, hip] = made[:, knee] + thigh * (np.cos(bend)[:, None] * _UP - np.sin(bend)[:, None] * forward)
        lowered += 0.5 * (pose[hip, 1] - made[:, hip, 1])
    back = made[:, _LEGS["left"][0]] - pose[_LEGS["left"][0]]
    made[:, _ABOVE] += back[:, None] * np.array([1.0, 0.0, 1.0])
    made[:, _ABOVE, 1] -= lowered[:, None]
    return made


def stepping_in_place(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """The walk with its path taken away, and the reach of its feet, which then go up and down only."""
    made = joints.copy()
    made[..., ::2] -= made[:, _PELVIS : _PELVIS + 1, ::2] - made[0, _PELVIS, ::2]
    forward = np.stack([_forward(pose) for pose in made])
    for joint in _LEGS["left"][1:] + _LEGS["right"][1:]:
        reach = ((made[:, joint] - made[:, _PELVIS]) * forward).sum(1)
        made[:, joint] -= (reach - reach.mean())[:, None] * forward
    return made


def shuffled_frames(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """Frames in random order."""
    return joints[rng.permutation(len(joints))]


def swapped_limbs(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """Left and right change their names for stretches of a third to a whole second, as a tracker's identities do."""
    made = joints.copy()
    start = 0
    swapped = False
    while start < len(joints):
        end = start + max(int(rng.uniform(0.33, 1.0) * rate_hz), 1)
        if swapped:
            made[start:end] = joints[start:end][:, MIRROR_INDEX]
        swapped, start = not swapped, end
    return made


def sliding_feet(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """The body carried along, or held back, by most of its speed while the feet walk."""
    made = joints.copy()
    path = made[:, _PELVIS, ::2] - made[0, _PELVIS, ::2]
    made[..., ::2] += (rng.choice([-0.7, 0.8, 1.5]) * path)[:, None]
    return made


def ten_fold_scale(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """Ten times as large or a tenth."""
    return joints * rng.choice([10.0, 0.1])


def lost_frames(joints: Joints, rate_hz: float, rng: np.random.Generator) -> Joints:
    """More than half of the frames gone, in stretches of 0.3 to 0.8 s: not a number there."""
    made = joints.copy()
    while np.isfinite(made[:, 0, 0]).mean() > rng.uniform(0.3, 0.45):
        start = rng.integers(len(made))
        made[start : start + max(int(rng.uniform(0.3, 0.8) * rate_hz), 1)] = np.nan
    return made


KINDS_FOR_CHOICES: dict[str, Make] = {
    "standing": standing,
    "squatting": squatting,
    "shuffled frames": shuffled_frames,
    "sliding feet": sliding_feet,
    "ten-fold scale": ten_fold_scale,
    "swapped limbs": swapped_limbs,
}
KINDS_KEPT: dict[str, Make] = {
    "sitting": sitting,
    "stepping in place": stepping_in_place,
    "lost frames": lost_frames,
}


def spoiled(clip: MotionClip, kind: str, *, seed: int) -> tuple[NDArray[np.float32], float]:
    """Joints (T, 22, 3) of the clip made into a kind, and their rate; as a file would hold them, checked by nobody."""
    make = (KINDS_FOR_CHOICES | KINDS_KEPT)[kind]
    rng = np.random.default_rng(seed)
    return make(np.asarray(clip.joints_m, dtype=np.float64), clip.frame_rate_hz, rng).astype(
        np.float32
    ), clip.frame_rate_hz


def _forward(pose: Joints) -> NDArray[np.float64]:
    """Unit vector (3,) in the floor that the hips face."""
    across = pose[JOINT_INDEX["left_hip"]] - pose[JOINT_INDEX["right_hip"]]
    facing = np.array([-across[2], 0.0, across[0]])
    return facing / max(float(np.linalg.norm(facing)), 1e-9)


def _sway(frames: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T, 1, 3) metres at the head."""
    time_s = np.arange(frames) / rate_hz
    turns = 2 * np.pi * (np.array([0.4, 0.55]) * time_s[:, None] + rng.random(2))
    sway = np.zeros((frames, 1, 3))
    sway[:, 0, ::2] = rng.uniform(0.004, 0.012) * np.sin(turns)
    return sway
