"""More ways of moving than a cohort has: motion varied on the canonical skeleton, for the motion tokenizer's training.

Simulated people share one generator's habits. Turning parts of the body by a little, for the whole clip and slowly over
it, gives postures and ways of moving that nobody in the cohort has, with every bone as long as before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT_INDEX, JOINT_NAMES, MIRROR_INDEX, PARENTS

Floats = NDArray[np.floating]

# Standard deviation, in degrees, of the turn of all that hangs on a joint, for the whole clip.
_SPREAD_DEG = {
    **{"left_hip": 4.0, "right_hip": 4.0, "left_knee": 4.0, "right_knee": 4.0, "left_ankle": 5.0, "right_ankle": 5.0},
    **{"spine1": 5.0, "spine2": 3.0, "spine3": 3.0, "neck": 8.0, "left_collar": 5.0, "right_collar": 5.0},
    **{"left_shoulder": 14.0, "right_shoulder": 14.0, "left_elbow": 16.0, "right_elbow": 16.0},
}
# The part that changes over the clip, over the part that stays; its standard deviation in time.
_MOVING_SHARE, _MOVING_S = 0.35, 0.5
_LOWEST_PERCENTILE = 2.0
_LEGS = tuple(JOINT_INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "foot"))


def _below(joint: int) -> list[int]:
    """All joints that hang on a joint, itself left out."""
    found: list[int] = []
    for other, parent in enumerate(PARENTS):
        if parent == joint or parent in found:
            found.append(other)
    return found


_BELOW = {name: _below(JOINT_INDEX[name]) for name in JOINT_NAMES}


def mirrored(joints_m: Floats) -> Floats:
    """Left and right swapped: (T, 22, 3)."""
    swapped = joints_m[:, MIRROR_INDEX].copy()
    swapped[..., 0] *= -1.0
    return swapped


def varied(joints_m: Floats, rng: np.random.Generator, *, frame_rate_hz: float, strength: float = 1.0) -> Floats:
    """A clip (T, 22, 3) with parts of the body turned, from the root to the tips, bone lengths kept.

    Turns are about axes of the body, so that they go along where the person turns. Afterwards the lowest point of the
    feet is at the height it had.
    """
    joints = np.array(joints_m, dtype=np.float64)
    across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    yaw = np.arctan2(-across[:, 2], across[:, 0])
    lowest = np.percentile(joints[:, _LEGS, 1], _LOWEST_PERCENTILE)
    for name in JOINT_NAMES:  # parents come before children
        spread = strength * np.radians(_SPREAD_DEG.get(name, 0.0))
        if spread == 0.0 or not _BELOW[name]:
            continue
        moving = _smooth(rng.standard_normal((len(joints), 3)), _MOVING_S * frame_rate_hz)
        turn = spread * (rng.standard_normal(3) + _MOVING_SHARE * moving)
        centre = joints[:, JOINT_INDEX[name], None]
        joints[:, _BELOW[name]] = centre + _rotated(joints[:, _BELOW[name]] - centre, _in_world(turn, yaw))
    joints[..., 1] += lowest - np.percentile(joints[:, _LEGS, 1], _LOWEST_PERCENTILE)
    return joints


def _smooth(values: Floats, sigma_frames: float) -> Floats:
    """White noise (T, 3) made slow, of unit variance."""
    from scipy.ndimage import gaussian_filter1d

    slow = gaussian_filter1d(values, sigma_frames, axis=0, mode="reflect")
    return np.asarray(slow * np.sqrt(2.0 * np.sqrt(np.pi) * sigma_frames))


def _in_world(turn: Floats, yaw: Floats) -> Floats:
    """Rotation vectors (T, 3) in the body's axes (left, up, forward) as vectors in X, Y, Z."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    x, y, z = turn.T
    return np.stack([x * cosine + z * sine, y, z * cosine - x * sine], axis=1)


def _rotated(points: Floats, turn: Floats) -> Floats:
    """Points (T, K, 3) turned by rotation vectors (T, 3) (Rodrigues' formula)."""
    angle = np.linalg.norm(turn, axis=1)[:, None, None]
    axis = turn[:, None] / np.maximum(angle, 1e-12)
    along = (points * axis).sum(-1, keepdims=True) * axis
    return along + np.cos(angle) * (points - along) + np.sin(angle) * np.cross(axis, points)
