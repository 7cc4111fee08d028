"""One body for every clip: resampling to the feature rate, and canonical bone lengths.

Only the feature step uses this module. Measurements are made on the native clip, so that nothing here can touch them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, PARENTS
from . import anatomy
from .floor import leg_length, stance_height

Floats = NDArray[np.floating]

FEATURE_RATE_HZ = 20.0
CANONICAL_LEG_LENGTH_M = anatomy.LEG_LENGTH_M

# Anti-aliasing: pass band as a fraction of the lower Nyquist frequency, half width of the kernel in zero crossings.
_CUTOFF_FRACTION = 0.9
_KERNEL_ZERO_CROSSINGS = 8
_KAISER_BETA = 5.0

# Foot planting (see ``_planted_shift``): pull of the path to the scaled one, weight of a foot in swing.
_PATH_STIFFNESS = 0.02
_SWING_WEIGHT = 1e-3
_EPSILON_M = 1e-6


def _canonical_positions() -> NDArray[np.float64]:
    """(22, 3) joint positions of the canonical person in a T-pose, floor at Y = 0, facing +Z."""
    hip_height = anatomy.ANKLE_HEIGHT_M + anatomy.LEG_LENGTH_M
    trunk = anatomy.TRUNK_LENGTH_M
    shoulder = anatomy.HALF_SHOULDER_WIDTH_M
    shoulder_height = hip_height + trunk
    elbow = shoulder + anatomy.UPPER_ARM_LENGTH_M
    places = {name: (0.0, hip_height + up * trunk, ahead * trunk) for name, (up, ahead) in anatomy.TRUNK_PLACES.items()}
    neck = places["neck"]
    places["head"] = (0.0, neck[1] + anatomy.HEAD_UP_FRACTION * trunk, neck[2] + anatomy.HEAD_AHEAD_FRACTION * trunk)
    collar_height = hip_height + anatomy.COLLAR_UP_FRACTION * trunk
    left = {
        "hip": (anatomy.HALF_HIP_WIDTH_M, hip_height, 0.0),
        "knee": (anatomy.HALF_HIP_WIDTH_M, anatomy.ANKLE_HEIGHT_M + anatomy.SHANK_LENGTH_M, 0.0),
        "ankle": (anatomy.HALF_HIP_WIDTH_M, anatomy.ANKLE_HEIGHT_M, 0.0),
        "foot": (anatomy.HALF_HIP_WIDTH_M, anatomy.TOE_BASE_HEIGHT_M, anatomy.FOOT_REACH_M),
        "collar": (anatomy.COLLAR_OUT_FRACTION * shoulder, collar_height, 0.0),
        "shoulder": (shoulder, shoulder_height, 0.0),
        "elbow": (elbow, shoulder_height, 0.0),
        "wrist": (elbow + anatomy.FOREARM_LENGTH_M, shoulder_height, 0.0),
    }
    for name, (x, y, z) in left.items():
        places[f"left_{name}"] = (x, y, z)
        places[f"right_{name}"] = (-x, y, z)
    return np.array([places[name] for name in JOINT_NAMES])


def _offsets(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    offsets = positions - positions[list(PARENTS)]
    offsets[0] = 0.0
    return offsets


CANONICAL_OFFSETS_M: NDArray[np.float64] = _offsets(_canonical_positions())
_CANONICAL_LENGTHS_M = np.linalg.norm(CANONICAL_OFFSETS_M, axis=-1)

_HIPS = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
_TOES = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


def resample_joints(joints_m: Floats, from_hz: float, to_hz: float) -> NDArray[np.float64]:
    """Joints at another rate, by band-limited interpolation (Kaiser-windowed sinc, any ratio).

    Going down, frequencies above 0.9 of the new Nyquist frequency are removed before they can fold back. The ends are
    extended by odd reflection, so that a walk goes on at its speed instead of stopping.

    Args:
        joints_m: (T, ...) array of positions.
        from_hz: its rate.
        to_hz: the rate wanted.

    Returns:
        (T', ...) float64 with T' = floor((T - 1) * to_hz / from_hz) + 1: the first frames coincide.

    Raises:
        MotionFormatError: a rate that is not positive, or no frames.
    """
    values = np.asarray(joints_m, dtype=np.float64)
    if not (from_hz > 0 and to_hz > 0 and np.isfinite(from_hz) and np.isfinite(to_hz)):
        raise MotionFormatError(f"expected positive frame rates, found {from_hz} and {to_hz}")
    if len(values) < 1:
        raise MotionFormatError("expected at least 1 frame to resample, found 0")
    if abs(from_hz - to_hz) < 1e-9 * from_hz or len(values) == 1:
        return values.copy()
    flat = values.reshape(len(values), -1)
    frames_out = int(np.floor((len(values) - 1) * to_hz / from_hz + 1e-6)) + 1
    # Cutoff as a fraction of the sampling rate of the input; below 0.5 the kernel widens accordingly.
    cutoff = 0.5 * min(1.0, _CUTOFF_FRACTION * to_hz / from_hz)
    half_width = _KERNEL_ZERO_CROSSINGS / (2.0 * cutoff)
    margin = int(np.ceil(half_width)) + 1
    padded = np.pad(flat, ((margin, margin), (0, 0)), mode="reflect", reflect_type="odd")
    times = np.arange(frames_out) * (from_hz / to_hz)
    nearest = np.rint(times).astype(np.int64)
    total = np.zeros((frames_out, flat.shape[1]))
    weight_sum = np.zeros((frames_out, 1))
    for offset in range(-margin + 1, margin):
        distance = nearest + offset - times
        inside = np.clip(1.0 - (distance / half_width) ** 2, 0.0, None)
        weight = (np.sinc(2.0 * cutoff * distance) * np.i0(_KAISER_BETA * np.sqrt(inside)) * (inside > 0))[:, None]
        total += weight * padded[nearest + margin + offset]
        weight_sum += weight
    return (total / weight_sum).reshape(frames_out, *values.shape[1:])


def body_scale(joints_m: Floats) -> float:
    """This person's leg length (hip to knee to ankle, both sides, median over time) over the canonical one.

    Raises:
        MotionFormatError: legs of no length.
    """
    joints = np.asarray(joints_m, dtype=np.float64)
    length = leg_length(joints)
    if not length > 0.01:
        raise MotionFormatError(f"expected legs of some length in metres, found {length:.4f} m from hip to ankle")
    return length / CANONICAL_LEG_LENGTH_M


def retarget_joints(joints_m: Floats) -> NDArray[np.float64]:
    """The same movement on the canonical person.

    Every bone keeps its direction and gets its canonical length. The path of the hips is scaled by the leg-length ratio
    and then shifted by the millimetres that keep planted feet planted: other proportions of thigh, shank and foot would
    otherwise let them slide. The stance height of the toe bases becomes the canonical one.

    Args:
        joints_m: (T, 22, 3) metres, Y up, T at least 2; any rate.

    Returns:
        (T, 22, 3) float64, metres, Y up, floor at Y = 0.

    Raises:
        MotionFormatError: wrong shape, legs of no length.
    """
    joints = np.asarray(joints_m, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or len(joints) < 2:
        raise MotionFormatError(
            f"expected at least 2 frames of joints, shape (T, {NUM_JOINTS}, 3), found {np.shape(joints_m)}"
        )
    scaled = joints / body_scale(joints)
    bones = scaled - scaled[:, list(PARENTS)]
    lengths = np.linalg.norm(bones, axis=-1, keepdims=True)
    rest = np.broadcast_to(CANONICAL_OFFSETS_M, bones.shape)
    # A joint that coincides with its parent has no direction: the rest direction stands in.
    bones = np.where(
        lengths > _EPSILON_M, bones / np.maximum(lengths, _EPSILON_M) * _CANONICAL_LENGTHS_M[:, None], rest
    )
    bones[:, 0] = 0.0
    moved = np.empty_like(scaled)
    moved[:, 0] = 0.0
    for joint in range(1, NUM_JOINTS):
        moved[:, joint] = moved[:, PARENTS[joint]] + bones[:, joint]
    # The hips, not the pelvis joint, follow the path: where the pelvis joint sits differs between sources.
    moved += (scaled[:, _HIPS].mean(axis=1) - moved[:, _HIPS].mean(axis=1))[:, None]
    moved += _planted_shift(scaled, moved)[:, None]
    moved[..., 1] += anatomy.TOE_BASE_HEIGHT_M - stance_height(moved)
    return moved


def _planted_shift(scaled: Floats, moved: Floats) -> Floats:
    """(T, 3) small shift of the whole body after which planted toe bases move as they do in ``scaled``.

    Horizontally the steps of the shift cancel the slide that the new bone lengths cause in the foot on the floor, with
    a weak pull back to zero; vertically the shift itself cancels the height error of that foot. Both are linear
    least-squares problems with a tridiagonal matrix.
    """
    target = scaled[:, _TOES]
    error = moved[:, _TOES] - target
    # Which foot is planted does not depend on the rate: displacement is compared per frame with the body's own pace.
    step = np.linalg.norm(np.diff(target, axis=0), axis=-1)
    pace = np.maximum(np.quantile(step.max(axis=1), 0.9), _EPSILON_M)
    planted = _SWING_WEIGHT + 1.0 / (1.0 + (step / (0.1 * pace)) ** 2) ** 2
    slide = np.diff(error, axis=0)
    total = planted.sum(axis=1)
    wanted_step = -(planted[..., None] * slide).sum(axis=1) / total[:, None]
    shift = np.empty((len(scaled), 3))
    stiffness = _PATH_STIFFNESS * total.mean() / len(scaled)
    shift[:, ::2] = _solve_shift(
        total, wanted_step[:, ::2], np.full(len(scaled), stiffness), np.zeros((len(scaled), 2))
    )
    weight = np.concatenate([planted, planted[-1:]])
    wanted_height = -(weight * (error[..., 1] - np.median(error[..., 1], axis=0).mean())).sum(axis=1) / weight.sum(
        axis=1
    )
    smooth = np.full(len(scaled) - 1, 4.0)
    shift[:, 1:2] = _solve_shift(smooth, np.zeros((len(scaled) - 1, 1)), weight.sum(axis=1), wanted_height[:, None])
    return shift


def _solve_shift(step_weight: Floats, wanted_step: Floats, weight: Floats, wanted: Floats) -> Floats:
    """Minimise sum step_weight |c[t+1] - c[t] - wanted_step[t]|^2 + sum weight |c[t] - wanted[t]|^2 over c (T, C)."""
    from scipy.linalg import solveh_banded

    diagonal = weight.copy()
    diagonal[:-1] += step_weight
    diagonal[1:] += step_weight
    right = weight[:, None] * wanted
    right[:-1] -= step_weight[:, None] * wanted_step
    right[1:] += step_weight[:, None] * wanted_step
    bands = np.stack([diagonal, np.concatenate([-step_weight, [0.0]])])
    return solveh_banded(bands, right, lower=True)
