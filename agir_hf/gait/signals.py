"""What every measure is computed from: smoothed paths of the joints that matter, on one fine time grid.

The grid starts at the clip's first frame and is a whole multiple of the native rate, at least 100 Hz, so that a
threshold crossing means the same at 20 and at 120 Hz and event times fall between frames. Everything is linear in the
length of the clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip, Side
from ..skeleton import JOINT_INDEX

Array = NDArray[np.float64]

SIDES: tuple[Side, Side] = ("left", "right")
MIN_GRID_HZ = 100.0
# Walking holds almost all its power below 6 Hz at the feet and 4 Hz at the trunk and arms (Winter 2009, ch. 3).
FOOT_CUTOFF_HZ = 8.0
BODY_CUTOFF_HZ = 4.0
# Half-power point of the fourth-order Gaussian kernel below: sigma [s] x cut-off [Hz].
_SIGMA_TIMES_CUTOFF = 0.234
_SINC_HALF_WIDTH = 6  # native samples on each side when interpolating between frames


def leg_length_m(joints_m: NDArray[np.floating]) -> float:
    """Hip to knee to ankle, mean of both sides, median over time, of joints (T, 22, 3)."""
    joints = joints_m.astype(np.float64)
    lengths = [
        np.linalg.norm(joints[:, JOINT_INDEX[f"{side}_{upper}"]] - joints[:, JOINT_INDEX[f"{side}_{lower}"]], axis=1)
        for side in SIDES
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median(sum(lengths) / 2.0))


def smoothing_kernel(sigma: float) -> Array:
    """Fourth-order Gaussian kernel (reproduces cubics), ``sigma`` in samples: no ringing, no lag, peaks kept."""
    half = max(1, math.ceil(4.0 * sigma))
    t = np.arange(-half, half + 1) / max(sigma, 1e-9)
    kernel = (1.5 - 0.5 * t**2) * np.exp(-0.5 * t**2)
    return kernel / kernel.sum()


def low_pass(values: Array, rate_hz: float, cutoff_hz: float, upsampling: int = 1) -> Array:
    """Zero-lag low-pass filter that can also put samples between the frames.

    Args:
        values: (T, ...) samples at ``rate_hz``.
        cutoff_hz: half-power frequency; lowered to 0.35 x ``rate_hz`` where the rate is too low for it.
        upsampling: samples per frame in the result.

    Returns:
        ((T - 1) * upsampling + 1, ...) samples; the first and last are at the first and last frame.
    """
    cutoff_hz = min(cutoff_hz, 0.35 * rate_hz)
    kernel = smoothing_kernel(_SIGMA_TIMES_CUTOFF / cutoff_hz * rate_hz * upsampling)
    if upsampling > 1:
        t = np.arange(-_SINC_HALF_WIDTH * upsampling, _SINC_HALF_WIDTH * upsampling + 1) / upsampling
        window = 0.5 + 0.5 * np.cos(np.pi * t / (_SINC_HALF_WIDTH + 1.0 / upsampling))
        kernel = np.convolve(np.sinc(t) * window, kernel)
        half = len(kernel) // 2
        for phase in range(upsampling):  # every phase must pass a constant unchanged
            taps = slice((half + phase) % upsampling, None, upsampling)
            kernel[taps] /= kernel[taps].sum()
    half = len(kernel) // 2
    flat = values.reshape(len(values), -1)
    pad = -(-half // upsampling)
    padded = _reflect(flat, pad)
    size = (len(flat) - 1) * upsampling + 1
    result = np.empty((size, flat.shape[1]))
    stuffed = np.zeros((len(padded) - 1) * upsampling + 1)
    start = pad * upsampling - half
    for column in range(flat.shape[1]):
        stuffed[::upsampling] = padded[:, column]
        result[:, column] = np.convolve(stuffed, kernel, mode="valid")[start : start + size]
    return result.reshape(size, *values.shape[1:])


def _reflect(values: Array, pad: int) -> Array:
    """Extend by point reflection about the end samples, so that a steady trend goes on; repeats where too short."""
    while pad > 0:
        step = min(pad, len(values) - 1)
        before = 2.0 * values[0] - values[step:0:-1]
        after = 2.0 * values[-1] - values[-2 : -step - 2 : -1]
        values = np.concatenate([before, values, after])
        pad -= step
    return values


@dataclass(frozen=True)
class BodySignals:
    """Smoothed signals on the fine grid; positions in metres, Y up, speeds in metres a second.

    Attributes:
        rate_hz: rate of the grid; sample ``i`` is ``i / rate_hz`` seconds after the first frame.
        pelvis_m: (N, 3).
        ankle_m, toe_m: (N, 3) for each side; ``toe`` is the base of the toes.
        ankle_speed_mps, toe_speed_mps: (N,) horizontal speed over the floor, each side.
        facing_rad: (N,) unwrapped direction the body faces, from +Z, positive to the left, mean of hips and shoulders.
        trunk_flexion_deg: (N,) pelvis -> neck from the vertical in the sagittal plane, positive forwards.
        arm_angle_deg: (N,) shoulder -> wrist in the sagittal plane of the trunk, positive forwards, each side.
    """

    rate_hz: float
    pelvis_m: Array
    ankle_m: dict[Side, Array]
    toe_m: dict[Side, Array]
    ankle_speed_mps: dict[Side, Array]
    toe_speed_mps: dict[Side, Array]
    facing_rad: Array
    trunk_flexion_deg: Array
    arm_angle_deg: dict[Side, Array]

    @property
    def size(self) -> int:
        return len(self.pelvis_m)

    @property
    def duration_s(self) -> float:
        return (self.size - 1) / self.rate_hz

    def index(self, time_s: float) -> int:
        """Grid sample nearest to a time."""
        return min(max(round(time_s * self.rate_hz), 0), self.size - 1)

    def at(self, values: Array, time_s: float) -> Array:
        """(N, ...) ``values`` interpolated at a time."""
        position = min(max(time_s * self.rate_hz, 0.0), self.size - 1.0)
        low = min(int(position), self.size - 2)
        weight = position - low
        return (1.0 - weight) * values[low] + weight * values[low + 1]


def horizontal(points: Array) -> Array:
    """The (..., 2) floor coordinates (x, z) of (..., 3) points."""
    return points[..., [0, 2]]


def body_signals(clip: MotionClip) -> BodySignals:
    """Smooth and interpolate the joints the measures need."""
    rate = clip.frame_rate_hz
    upsampling = max(1, math.ceil(MIN_GRID_HZ / rate - 1e-9))
    grid_hz = rate * upsampling
    joints = clip.joints_m

    def track(name: str, cutoff_hz: float) -> Array:
        return low_pass(joints[:, JOINT_INDEX[name]].astype(np.float64), rate, cutoff_hz, upsampling)

    def speed(points: Array) -> Array:
        velocity = np.gradient(horizontal(points), axis=0) * grid_hz
        return np.hypot(velocity[:, 0], velocity[:, 1])

    ankle = {side: track(f"{side}_ankle", FOOT_CUTOFF_HZ) for side in SIDES}
    toe = {side: track(f"{side}_foot", FOOT_CUTOFF_HZ) for side in SIDES}
    pelvis, neck = track("pelvis", BODY_CUTOFF_HZ), track("neck", BODY_CUTOFF_HZ)
    shoulder = {side: track(f"{side}_shoulder", BODY_CUTOFF_HZ) for side in SIDES}
    wrist = {side: track(f"{side}_wrist", BODY_CUTOFF_HZ) for side in SIDES}
    hips = track("left_hip", BODY_CUTOFF_HZ) - track("right_hip", BODY_CUTOFF_HZ)
    shoulders = shoulder["left"] - shoulder["right"]

    # Hips and shoulders rotate against each other in walking: the mean of both directions is the steadier one.
    leftward = _unit(horizontal(hips)) + _unit(horizontal(shoulders))
    forward = _unit(np.stack([-leftward[:, 1], leftward[:, 0]], axis=1))
    facing = np.unwrap(np.arctan2(forward[:, 0], forward[:, 1]))

    trunk = neck - pelvis
    lean = (horizontal(trunk) * forward).sum(axis=1)
    flexion = np.degrees(np.arctan2(lean, trunk[:, 1]))
    trunk_up = _unit(trunk)
    trunk_left = _unit(_unit(hips) + _unit(shoulders))
    trunk_forward = _unit(np.cross(trunk_left, trunk_up))
    arm_angle = {}
    for side in SIDES:
        arm = wrist[side] - shoulder[side]
        arm_angle[side] = np.degrees(
            np.unwrap(np.arctan2((arm * trunk_forward).sum(axis=1), -(arm * trunk_up).sum(axis=1)))
        )
    return BodySignals(
        rate_hz=grid_hz,
        pelvis_m=pelvis,
        ankle_m=ankle,
        toe_m=toe,
        ankle_speed_mps={side: speed(ankle[side]) for side in SIDES},
        toe_speed_mps={side: speed(toe[side]) for side in SIDES},
        facing_rad=facing,
        trunk_flexion_deg=flexion,
        arm_angle_deg=arm_angle,
    )


def _unit(vectors: Array) -> Array:
    """Vectors of length 1 along the last axis; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 1e-9, length, 1.0)
