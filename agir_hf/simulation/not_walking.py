"""Clips in which nobody walks: for abstention, and so that nobody trains on walks alone."""

from __future__ import annotations

import numpy as np

from ..clip import MotionClip
from ..errors import AgirError
from ..skeleton import NUM_JOINTS
from .curves import Array, slow_noise, smoothstep
from .feet import FootTrack
from .path import PlanOptions
from .people import Person, simulate_person
from .plan import plan_walk
from .pose import ArmAngles, Segments, place_arm, place_leg, place_trunk, pose, wrist_ahead
from .walks import moved, sensor_noise

NOT_WALKING_KINDS = ("standing", "sitting", "squatting", "stepping_in_place")
"""What `simulate_not_walking` can do."""


def simulate_not_walking(
    kind: str, *, seed: int, frame_rate_hz: float = 60.0, duration_s: float = 6.0, noise_m: float = 0.003
) -> MotionClip:
    """A clip of standing, sitting down, squatting or stepping in place.

    Raises:
        AgirError: the kind is none of ``NOT_WALKING_KINDS``.
    """
    if kind not in NOT_WALKING_KINDS:
        raise AgirError(f"expected one of {', '.join(NOT_WALKING_KINDS)}, found {kind!r}")
    rng = np.random.default_rng((int(seed), NOT_WALKING_KINDS.index(kind), 0x57))
    person = simulate_person(int(rng.integers(2**31)))
    frames = int(np.floor(duration_s * frame_rate_hz + 1e-6)) + 1
    t = np.arange(frames) / frame_rate_hz
    if kind == "stepping_in_place":
        plan = plan_walk(person, PlanOptions(duration_s, in_place=True), int(rng.integers(2**31)))
        joints = pose(person, plan, t)
    else:
        joints = _feet_down(rng, person, kind, t)
    joints = moved(joints, rng.uniform(-np.pi, np.pi), rng.uniform(-2.0, 2.0, 2))
    joints += sensor_noise(rng, joints.shape, frame_rate_hz, noise_m)
    return MotionClip(joints.astype(np.float32), frame_rate_hz, source=f"simulated:{kind}-{int(seed)}")


def _feet_down(rng: np.random.Generator, person: Person, kind: str, t: Array) -> Array:
    """Both feet stay where they are; the hips stand, sink to a chair, or squat."""
    body, style = person.body, person.style
    span = (0.0, float(t[-1]))
    noise = [slow_noise(rng, t, period, *span) for period in (1.8, 2.2, 1.4, 2.6, 1.2)]
    stance = 0.5 * body.hip_half_width_m * 2 * rng.uniform(0.9, 1.6)
    start = rng.uniform(0.1, 0.35) * t[-1]
    length = rng.uniform(1.1, 2.2)
    if kind == "standing":
        down = np.zeros_like(t)
    elif kind == "sitting":
        down = smoothstep((t - start) / length)
    else:
        cycles = rng.uniform(2.2, 4.0)
        down = (0.5 - 0.5 * np.cos(2 * np.pi * t / cycles)) * rng.uniform(0.6, 1.0)
    upright = body.ankle_height_m + 0.993 * (body.thigh_m + body.shank_m)
    seat = body.ankle_height_m + body.shank_m * (1.04 if kind == "sitting" else 0.75)
    back = body.thigh_m * (0.92 if kind == "sitting" else 0.55)
    height = upright + (seat - upright) * down
    shift = 0.012 * noise[0]
    middle = np.stack([shift, height - 0.002 * np.abs(noise[1]), 0.03 + 0.008 * noise[1] - back * down], axis=1)
    bow = np.sin(np.pi * np.clip(down, 0, 1)) if kind == "sitting" else down
    lean = np.radians(style.trunk_flexion_deg + 32.0 * bow)
    zero = np.zeros_like(t)
    turned = Segments(
        pelvis=(0.02 * noise[2], 0.5 * lean, 0.01 * noise[3]),
        chest=(0.04 * noise[2], 1.2 * lean, 0.015 * noise[3]),
        head=(0.10 * noise[4], np.radians(style.head_pitch_deg) + 0.2 * lean),
    )
    joints = np.empty((len(t), NUM_JOINTS, 3))
    place_trunk(joints, body, middle, turned)
    for side, name in enumerate(("left", "right")):
        sign = 1.0 if side == 0 else -1.0
        yaw = sign * np.radians(style.toe_out_deg[side]) + zero
        ankle = np.stack([sign * stance + zero, body.ankle_height_m + zero, zero], axis=1)
        toe = ankle + np.stack(
            [np.sin(yaw) * body.foot_forward_m, zero - body.foot_rise_m, np.cos(yaw) * body.foot_forward_m], axis=1
        )
        place_leg(joints, person, name, FootTrack(ankle, toe, zero, yaw, zero == 0, zero, zero, zero), turned.pelvis[0])
        raise_arm = np.radians(35.0 * down) if kind != "standing" else zero
        elbow = np.radians(style.elbow_deg[side] + 25.0 * down) + 0.02 * noise[3]
        upper = np.radians(style.upper_arm_forward_deg[side]) + 0.9 * lean + raise_arm + 0.02 * noise[4]
        out = np.radians(style.arm_out_deg[side]) + zero
        place_arm(joints, person, name, turned, ArmAngles(upper + wrist_ahead(body, elbow), elbow, out))
    return joints
