"""A stick figure that walks by a written plan: every event time and every length is known before a joint is placed.

Feet stand still between their planned times, the ankle crosses to the next planned place in swing, reaching the floor
with a fifth of its highest speed (as feet do) and coming to rest over the heel. Arms are pendulums of a given range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agir_hf.clip import GaitEvent, MotionClip
from agir_hf.skeleton import JOINT_INDEX, MIRROR_INDEX

SIDES = ("left", "right")
END_SPEED = 0.20  # of the highest speed of a swing, at the strike


@dataclass(frozen=True)
class Plan:
    """What the figure is told to do; lengths in metres, times in seconds, angles in degrees."""

    speed: float = 1.2
    stride_time: float = 1.1
    swing: float = 0.38  # of the stride
    step_width: float = 0.10
    left_step_bias: float = 0.0  # the left step is longer by twice this, the right one shorter
    arm_range: tuple[float, float] = (40.0, 30.0)
    trunk_flexion: float = 5.0
    clearance: tuple[float, float] = (0.06, 0.06)
    strike_angle: tuple[float, float] = (18.0, 18.0)
    rate: float = 100.0
    duration: float = 6.0
    turn_deg: float = 0.0
    turn_s: tuple[float, float] = (0.0, 0.0)
    sway: float = 0.02
    noise: float = 0.0
    leg: float = 0.9
    stand_s: tuple[float, float] = (-1e3, 1e3)  # the figure moves from the first time to the second


@dataclass(frozen=True)
class Walk:
    clip: MotionClip
    events: tuple[GaitEvent, ...]
    clearance: tuple[float, float]  # left, right: highest toe base over the standing one


def smooth(x: np.ndarray) -> np.ndarray:
    u = np.clip(x, 0.0, 1.0)
    return u**3 * (10 + u * (6 * u - 15))


def heading(plan: Plan, t: np.ndarray) -> np.ndarray:
    start, end = plan.turn_s
    if plan.turn_deg == 0.0:
        return np.zeros_like(t)
    progress = np.clip((t - start) / (end - start), 0, 1)
    return np.radians(plan.turn_deg) * progress


def centre_path(plan: Plan) -> Callable[[np.ndarray], np.ndarray]:
    grid = np.arange(-4.0, plan.duration + 4.0, 0.002)
    speed = np.full_like(grid, plan.speed)
    first, last = plan.stand_s
    speed *= smooth((grid - first) / 0.8) * smooth((last - grid) / 0.8)
    yaw = heading(plan, grid)
    steps = speed[:, None] * np.stack([np.sin(yaw), np.cos(yaw)], axis=1) * 0.002
    path = np.cumsum(steps, axis=0)
    path -= path[np.searchsorted(grid, 0.0)]
    return lambda t: np.stack([np.interp(t, grid, path[:, 0]), np.interp(t, grid, path[:, 1])], axis=-1)


def walk(plan: Plan, seed: int = 0) -> Walk:
    """Build the clip of a plan."""
    t = np.arange(round(plan.duration * plan.rate) + 1) / plan.rate
    centre = centre_path(plan)
    yaw = heading(plan, t)
    ahead = np.stack([np.sin(yaw), np.cos(yaw)], axis=1)
    left = np.stack([np.cos(yaw), -np.sin(yaw)], axis=1)
    joints = np.zeros((len(t), 22, 3))

    def put(name: str, floor: np.ndarray, height: np.ndarray | float) -> None:
        joints[:, JOINT_INDEX[name], 0] = floor[:, 0]
        joints[:, JOINT_INDEX[name], 2] = floor[:, 1]
        joints[:, JOINT_INDEX[name], 1] = height

    phase = 2 * np.pi * t / plan.stride_time
    body = centre(t) + plan.sway * np.sin(phase)[:, None] * left
    hip_height = plan.leg + 0.02 * np.cos(2 * phase)
    flexion = np.radians(plan.trunk_flexion)
    events: list[GaitEvent] = []
    clearance: list[float] = []
    put("pelvis", body, hip_height + 0.08)
    for fraction, name in ((0.2, "spine1"), (0.45, "spine2"), (0.6, "spine3"), (1.0, "neck"), (1.2, "head")):
        put(name, body + 0.5 * fraction * np.sin(flexion) * ahead, hip_height + 0.08 + 0.5 * fraction * np.cos(flexion))
    for index, side in enumerate(SIDES):
        sign = 1.0 if side == "left" else -1.0
        hip = body + sign * 0.09 * left
        put(f"{side}_hip", hip, hip_height)
        foot = _foot(plan, index, t, centre)
        clearance.append(foot["top"])
        events += foot["events"]
        put(f"{side}_ankle", foot["ankle"][:, [0, 2]], foot["ankle"][:, 1])
        put(f"{side}_foot", foot["toe"][:, [0, 2]], foot["toe"][:, 1])
        ankle = foot["ankle"]
        knee = 0.5 * (ankle[:, [0, 2]] + hip) + 0.08 * ahead
        put(f"{side}_knee", knee, 0.5 * (ankle[:, 1] + hip_height))
        shoulder_floor = body + 0.45 * np.sin(flexion) * ahead + sign * 0.17 * left
        shoulder_height = hip_height + 0.08 + 0.45 * np.cos(flexion)
        put(f"{side}_shoulder", shoulder_floor, shoulder_height)
        put(f"{side}_collar", body + 0.44 * np.sin(flexion) * ahead + sign * 0.07 * left, shoulder_height)
        # The trunk's own down is tilted by the flexion: an arm angle to the trunk is one to the world less that.
        angle = np.radians(0.5 * plan.arm_range[index]) * np.sin(phase + (0.0 if side == "left" else np.pi)) - flexion
        for name, length in (("elbow", 0.28), ("wrist", 0.53)):
            floor = shoulder_floor + length * np.sin(angle)[:, None] * ahead
            put(f"{side}_{name}", floor, shoulder_height - length * np.cos(angle))
    rng = np.random.default_rng(seed)
    joints += plan.noise * rng.standard_normal(joints.shape)
    events.sort(key=lambda event: event.time_s)
    clip = MotionClip(joints.astype(np.float32), plan.rate, "stick figure")
    return Walk(clip, tuple(events), (clearance[0], clearance[1]))


def _foot(plan: Plan, index: int, t: np.ndarray, centre: Callable[[np.ndarray], np.ndarray]) -> dict:
    side, sign = SIDES[index], (1.0 if index == 0 else -1.0)
    stride, toe_ahead, ankle_up, toe_up = plan.stride_time, 0.13, 0.08, 0.02
    flat_pitch = np.arcsin((toe_up - ankle_up) / np.hypot(toe_ahead, ankle_up - toe_up))
    foot_length = np.hypot(toe_ahead, ankle_up - toe_up)
    strikes = np.arange(-3, int(plan.duration / stride) + 4) * stride + 0.37 * stride + index * 0.5 * stride
    strikes = strikes[(strikes > plan.stand_s[0] + 0.4) & (strikes < plan.stand_s[1])]
    bias = (1.0 if side == "left" else -1.0) * plan.left_step_bias / 2

    def place(time: float) -> np.ndarray:
        over = np.array([time + 0.27 * stride])
        yaw = heading(plan, over)[0]
        ahead, left = np.array([np.sin(yaw), np.cos(yaw)]), np.array([np.cos(yaw), -np.sin(yaw)])
        return centre(over)[0] + bias * ahead + sign * 0.5 * plan.step_width * left

    times = [-100.0, *strikes.tolist()]
    first = strikes[0] if len(strikes) else 0.0
    spots = [place(first - stride), *[place(time) for time in strikes]]
    yaws = [float(heading(plan, np.array([time + 0.27 * stride]))[0]) for time in times]
    floor = np.tile(spots[0], (len(t), 1))
    pitch = np.zeros_like(t)
    lift = np.zeros_like(t)
    yaw = np.full_like(t, yaws[0])
    events = []
    settle = 0.07 * stride
    shape = _swing_shape()
    # The toe base gathers speed while the toes still push: the foot is off the floor at a quarter of its highest speed.
    swing_s = plan.swing * stride / (1.0 - np.arcsin(0.25) / (np.pi - np.arcsin(END_SPEED)))
    for number in range(1, len(times)):
        strike, off = times[number], times[number] - swing_s
        events += [GaitEvent("foot_off", side, strike - plan.swing * stride), GaitEvent("foot_strike", side, strike)]
        move = spots[number] - spots[number - 1]
        u = (t - off) / swing_s
        after = (t >= off) & (t < times[number + 1] if number + 1 < len(times) else True)
        floor[after] = spots[number - 1] + shape(u[after], settle / swing_s)[:, None] * move
        yaw[after] = yaws[number - 1] + smooth(u[after]) * (yaws[number] - yaws[number - 1])
        toe_off = (t >= off - 0.15 * stride) & (t <= strike)
        x = (t[toe_off] - (off - 0.15 * stride)) / (0.15 * stride)
        down = np.radians(45.0) * smooth(x) * (1.0 - smooth((t[toe_off] - off) / (0.6 * swing_s)))
        pitch[toe_off] -= down
        up = np.radians(plan.strike_angle[index])
        rise = smooth((t - off) / (0.95 * swing_s))
        pitch += np.where((t >= off) & (t < strike), up * rise, 0.0)
        landing = (t >= strike) & (t < strike + settle)
        pitch[landing] += up * (1.0 - (t[landing] - strike) / settle)
        air = (t >= off) & (t <= strike)
        lift[air] = np.sin(np.pi * u[air]) ** 2
    raised = plan.clearance[index] * lift
    ankle = np.zeros((len(t), 3))
    toe = np.zeros((len(t), 3))
    ahead = np.stack([np.sin(yaw), np.cos(yaw)], axis=1)
    standing_toe = floor + toe_ahead * ahead
    # Heel up: the foot turns about its toe base. Toes up: about the heel, which leaves the ankle where it is.
    reach = foot_length * np.cos(flat_pitch + pitch)
    rise = foot_length * np.sin(flat_pitch + pitch)
    about_toe = pitch < 0
    ankle[:, [0, 2]] = np.where(about_toe[:, None], standing_toe - reach[:, None] * ahead, floor)
    toe[:, [0, 2]] = np.where(about_toe[:, None], standing_toe, floor + reach[:, None] * ahead)
    toe[:, 1] = np.where(about_toe, toe_up, ankle_up + rise) + raised
    ankle[:, 1] = np.where(about_toe, toe_up - rise, ankle_up) + raised
    events = [event for event in events if 0.0 <= event.time_s <= plan.duration]
    return {"ankle": ankle, "toe": toe, "events": events, "top": float(toe[:, 1].max()) - toe_up}


def _swing_shape() -> Callable[[np.ndarray, float], np.ndarray]:
    """Share of the way done at a share of the swing: the speed is a sine that ends at 20 % of its height, then dies."""

    def shape(u: np.ndarray, settle: float) -> np.ndarray:
        grid = np.linspace(0.0, 1.0 + settle, 400)
        end = np.arcsin(END_SPEED)
        speed = np.where(
            grid <= 1.0, np.sin((np.pi - end) * grid), END_SPEED * (1.0 - (grid - 1.0) / max(settle, 1e-6))
        )
        speed = np.clip(speed, 0.0, None)
        way = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(grid))])
        return np.interp(u, grid, way / way[-1])

    return shape


def mirrored(clip: MotionClip) -> MotionClip:
    """Left and right swapped."""
    joints = clip.joints_m[:, MIRROR_INDEX].copy()
    joints[..., 0] *= -1.0
    return clip.replace(joints_m=joints)


def moved(clip: MotionClip, yaw_deg: float, shift: tuple[float, float]) -> MotionClip:
    """The scene turned about the vertical and moved over the floor."""
    yaw = np.radians(yaw_deg)
    joints = clip.joints_m.astype(np.float64)
    x, z = joints[..., 0].copy(), joints[..., 2].copy()
    joints[..., 0] = np.cos(yaw) * x + np.sin(yaw) * z + shift[0]
    joints[..., 2] = -np.sin(yaw) * x + np.cos(yaw) * z + shift[1]
    return clip.replace(joints_m=joints.astype(np.float32))
