"""More ways of moving than a cohort has: motion varied on the canonical skeleton, for the motion tokenizer's training.

Simulated people share one generator's habits. Turning parts of the body by a little, for the whole clip and slowly over
it, and making the movement at a joint larger or smaller, gives postures and ways of moving that nobody in the cohort
has, with every bone as long as before and planted feet as still.
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
_MOVING_SHARE, _MOVING_S = 0.15, 0.5
# Standard deviation of the logarithm of how much larger the movement at a joint becomes.
_GAIN_SPREAD = 0.3
# A foot that moves by less than this share of the body's pace is planted; a foot in swing counts a little.
_PLANTED_PACE, _SWING_WEIGHT, _HEIGHT_SMOOTHING_S = 0.1, 1e-3, 0.1
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
_CHILDREN = {name: [c for c, parent in enumerate(PARENTS) if parent == JOINT_INDEX[name]] for name in JOINT_NAMES}


def mirrored(joints_m: Floats) -> Floats:
    """Left and right swapped: (T, 22, 3)."""
    swapped = joints_m[:, MIRROR_INDEX].copy()
    swapped[..., 0] *= -1.0
    return swapped


def varied(joints_m: Floats, rng: np.random.Generator, *, frame_rate_hz: float, strength: float = 1.0) -> Floats:
    """A clip (T, 22, 3) with parts of the body turned, from the root to the tips, bone lengths kept.

    Turns are about axes of the body, so that they go along where the person turns. The body then goes where a planted
    foot that stays as still as it was takes it, and the lowest point of the feet is at the height it had.
    """
    before = np.asarray(joints_m, dtype=np.float64)
    joints = before.copy()
    across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    yaw = np.arctan2(-across[:, 2], across[:, 0])
    for name in JOINT_NAMES:  # parents come before children
        spread = strength * np.radians(_SPREAD_DEG.get(name, 0.0))
        if spread == 0.0 or not _BELOW[name]:
            continue
        moving = _smooth(rng.standard_normal((len(joints), 3)), _MOVING_S * frame_rate_hz)
        turn = spread * (rng.standard_normal(3) + _MOVING_SHARE * moving)
        gain = np.exp(strength * _GAIN_SPREAD * rng.standard_normal())
        centre = joints[:, JOINT_INDEX[name], None]
        bone = _in_body((before[:, _CHILDREN[name]] - before[:, JOINT_INDEX[name], None]).mean(1), yaw)
        turn = turn + (gain - 1.0) * _away_from_mean(bone)
        joints[:, _BELOW[name]] = centre + _rotated(joints[:, _BELOW[name]] - centre, _in_world(turn, yaw))
    joints += _planted_shift(before, joints, _HEIGHT_SMOOTHING_S * frame_rate_hz)[:, None]
    lowest = (np.percentile(one[:, _LEGS, 1], _LOWEST_PERCENTILE) for one in (before, joints))
    joints[..., 1] += next(lowest) - next(lowest)
    return joints


def _planted_shift(before: Floats, after: Floats, sigma_frames: float) -> Floats:
    """(T, 3) shift of the whole body after which a planted foot moves as it did."""
    old, new = before[:, _LEGS], after[:, _LEGS]
    steps = np.diff(old, axis=0)
    pace = np.linalg.norm(steps, axis=-1)
    pace = pace / max(float(np.quantile(pace.max(axis=1), 0.9)), 1e-6)
    planted = _SWING_WEIGHT + 1.0 / (1.0 + (pace / _PLANTED_PACE) ** 2) ** 2
    share = planted / planted.sum(axis=1, keepdims=True)
    shift = np.zeros((len(before), 3))
    shift[1:] = np.cumsum((share[..., None] * (steps - np.diff(new, axis=0))).sum(axis=1), axis=0)
    share = np.concatenate([share, share[-1:]])
    height = (share * (old - new)[..., 1]).sum(axis=1, keepdims=True)
    shift[:, 1:2] = _smoothed(height, sigma_frames)
    return shift


def _away_from_mean(bones: Floats) -> Floats:
    """Rotation vectors (T, 3) from a bone's mean direction to its direction in each frame (T, 3)."""
    directions = bones / np.maximum(np.linalg.norm(bones, axis=1, keepdims=True), 1e-9)
    mean = directions.mean(axis=0)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-9)
    axis = np.cross(mean, directions)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, directions @ mean[:, None])
    return np.asarray(axis / np.maximum(sine, 1e-9) * angle)


def _smooth(values: Floats, sigma_frames: float) -> Floats:
    """White noise (T, 3) made slow, of unit variance."""
    return _smoothed(values, sigma_frames) * np.sqrt(2.0 * np.sqrt(np.pi) * sigma_frames)


def _smoothed(values: Floats, sigma_frames: float) -> Floats:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(values, sigma_frames, axis=0, mode="reflect"))


def _in_body(vectors: Floats, yaw: Floats) -> Floats:
    """Vectors (T, 3) in X, Y, Z as vectors in the body's axes (left, up, forward)."""
    return _in_world(vectors, -yaw)


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
