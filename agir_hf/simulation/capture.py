"""What joints lifted from the video of one camera do to a movement: scale, depth, smoothing, jitter and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..skeleton import JOINT_INDEX
from .curves import Array, gaussian_smooth, slow_noise

# What a camera loses is a limb, mostly its far end: hidden by the body, blurred by speed. Lost with their descendants.
_LOSABLE = (
    ("left_wrist",),
    ("right_wrist",),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_foot",),
    ("right_foot",),
    ("left_ankle", "left_foot"),
    ("right_ankle", "right_foot"),
)
_FAR_ENDS = ("wrist", "foot", "head", "ankle", "elbow")


@dataclass(frozen=True)
class LiftingQuality:
    """How good the lifting of one clip is. All amounts are ours, within what monocular lifters show.

    Attributes:
        scale: of the whole scene about the camera: one camera cannot tell a small person near from a tall one far.
        jitter_m: standard deviation of a joint across the line of sight, before smoothing; far ends of limbs half more.
        depth_factor: how many times worse it is along the line of sight.
        smoothing_s: standard deviation of the lifter's smoothing over time.
        gaps_per_s: how often a limb is lost; it is drawn straight over the gap.
    """

    scale: float
    jitter_m: float
    depth_factor: float
    smoothing_s: float
    gaps_per_s: float


def sample_quality(rng: np.random.Generator) -> LiftingQuality:
    """From a good recent lifter on a clear video to a poor one."""
    return LiftingQuality(
        scale=float(np.exp(0.03 * np.clip(rng.standard_normal(), -2.0, 2.0))),
        jitter_m=float(rng.uniform(0.003, 0.010)),
        depth_factor=float(rng.uniform(1.3, 2.5)),
        smoothing_s=float(rng.uniform(0.020, 0.040)),
        gaps_per_s=float(rng.uniform(0.0, 0.35)),
    )


def lifted(
    rng: np.random.Generator, joints: Array, frame_rate_hz: float, camera_m: Array, quality: LiftingQuality
) -> tuple[Array, float]:
    """Joints as a lifter would deliver them, and the share of joint positions that were drawn over gaps.

    Args:
        joints: (T, 22, 3) metres, without noise.
        camera_m: (2,) X and Z of the camera.
    """
    sight = joints[:, 0, [0, 2]] - camera_m
    sight /= np.maximum(np.linalg.norm(sight, axis=1, keepdims=True), 0.5)
    middle = np.array([camera_m[0], 0.0, camera_m[1]])
    seen = middle + quality.scale * (joints - middle)
    size = quality.jitter_m * _unsteadiness()
    noise = rng.standard_normal(joints.shape) * size[:, None]
    depth = rng.standard_normal(joints.shape[:2]) * size * np.sqrt(quality.depth_factor**2 - 1.0)
    noise[..., 0] += depth * sight[:, None, 0]
    noise[..., 2] += depth * sight[:, None, 1]
    seen = seen + noise
    # The whole body drifts nearer and farther: depth is guessed anew from every few frames.
    t = np.arange(len(joints)) / frame_rate_hz
    drift = 1.5 * quality.depth_factor * quality.jitter_m * slow_noise(rng, t, 0.9, 0.0, float(t[-1]))
    seen[..., 0] += (drift * sight[:, 0])[:, None]
    seen[..., 2] += (drift * sight[:, 1])[:, None]
    flat = seen.reshape(len(seen), -1)
    sigma = quality.smoothing_s * frame_rate_hz
    smooth = np.stack([gaussian_smooth(column, sigma) for column in flat.T], axis=1).reshape(seen.shape)
    return _with_gaps(rng, smooth, frame_rate_hz, quality.gaps_per_s)


def _unsteadiness() -> Array:
    """(22,) size of the jitter of each joint, over that of the trunk."""
    sizes = np.ones(len(JOINT_INDEX))
    for name, index in JOINT_INDEX.items():
        if name.endswith(_FAR_ENDS):
            sizes[index] = 1.5
    return sizes


def _with_gaps(rng: np.random.Generator, joints: Array, frame_rate_hz: float, per_s: float) -> tuple[Array, float]:
    frames = len(joints)
    result = joints.copy()
    lost = np.zeros(joints.shape[:2], dtype=bool)
    for _ in range(int(rng.poisson(per_s * frames / frame_rate_hz))):
        limb = _LOSABLE[int(rng.integers(len(_LOSABLE)))]
        first = int(rng.integers(1, max(frames - 2, 2)))
        last = min(first + max(round(float(rng.uniform(0.08, 0.35)) * frame_rate_hz), 1), frames - 1)
        share = ((np.arange(first, last) - first + 1) / (last - first + 1))[:, None]
        for name in limb:
            joint = JOINT_INDEX[name]
            result[first:last, joint] = (1 - share) * joints[first - 1, joint] + share * joints[last, joint]
            lost[first:last, joint] = True
    return result, float(lost.mean())
