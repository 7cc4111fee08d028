"""From a plan to 22 joints: pelvis, legs by two-bone inverse kinematics, trunk, arms and head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..skeleton import JOINT_INDEX, NUM_JOINTS
from .body import Body, leg_length, trunk_offsets
from .curves import Array, forward, gaussian_smooth, hermite, leftward, rotate, slow_noise, smoothstep, through
from .feet import FootTrack, foot_track
from .habits import habit
from .path import MARGIN_S
from .people import Person
from .plan import FAR_S, WalkPlan

_HEIGHT_GRID_HZ = 120.0
_SETTLING_S, _RELEASING_S = 0.09, 0.12


@dataclass(frozen=True)
class Segments:
    """Orientation of pelvis, chest and head, radians: (T,) yaw, forward flexion, sideways lean (left side up)."""

    pelvis: tuple[Array, Array, Array]
    chest: tuple[Array, Array, Array]
    head: tuple[Array, Array]


def stride_phase(plan: WalkPlan, t: Array) -> Array:
    """Strides of the left leg: whole numbers at left strikes, halves at right strikes, smooth between."""
    steps = plan.steps
    moving = steps.strike_s > -FAR_S + 2.0
    strike, side = steps.strike_s[moving], steps.side[moving]
    if len(strike) < 2:
        return np.zeros_like(t)
    counted = 0.5 * np.arange(len(strike)) + (0.0 if side[0] == 0 else 0.5)
    first, last = strike[1] - strike[0], strike[-1] - strike[-2]
    knots = np.concatenate([[strike[0] - first], strike, [strike[-1] + last]])
    ends = np.concatenate([[counted[0] - 0.5], counted, [counted[-1] + 0.5]]).astype(np.float64)
    return through(t, knots, ends)


def segments(person: Person, plan: WalkPlan, t: Array) -> Segments:
    """Commanded orientation of pelvis, chest and head."""
    style = person.style
    phase = 2 * np.pi * stride_phase(plan, t)
    effort = plan.path.effort(t)
    lead = style.turn_lead_s
    hike_left, hike_right = style.hip_hike_deg
    tilt_mean = 0.40 * style.trunk_flexion_deg
    pelvis_yaw = -style.pelvis_rotation_deg * effort * np.cos(phase - 0.5)
    pelvis_yaw = pelvis_yaw + habit(person, "pelvis_yaw_deg", phase, effort)
    obliquity = style.pelvis_obliquity_deg * effort * (np.sin(phase) + 0.28 * np.sin(3 * phase)) * 0.95
    obliquity = obliquity + habit(person, "pelvis_obliquity_deg", phase, effort)
    # Hiking lifts the swinging side: the left leg swings about phase 0.8 of its stride.
    obliquity += hike_left * effort * np.clip(-np.sin(phase), 0, None) ** 2
    obliquity -= hike_right * effort * np.clip(np.sin(phase), 0, None) ** 2
    tilt = tilt_mean + style.pelvis_tilt_deg * effort * np.cos(2 * phase - 0.6)
    chest_yaw = style.trunk_rotation_deg * effort * np.cos(phase - 0.10)
    chest_yaw = chest_yaw + habit(person, "chest_yaw_deg", phase, effort)
    # The trunk bends towards the standing leg (its shoulder drops), which is what makes a waddle of a large bend.
    lean = style.trunk_side_deg + style.trunk_lean_deg * effort * np.sin(phase - style.trunk_lean_lag_rad)
    lean = lean + habit(person, "chest_lean_deg", phase, effort)
    chest_flexion = (style.trunk_flexion_deg - 0.32 * tilt_mean) / 0.68 + style.trunk_nod_deg * effort * np.cos(
        2 * phase + style.trunk_nod_lag_rad
    )
    chest_flexion = chest_flexion + habit(person, "chest_flexion_deg", phase, effort)
    nod = habit(person, "head_pitch_deg", phase, effort)
    span = (-MARGIN_S, plan.path.options.duration_s + MARGIN_S)
    rng = np.random.default_rng((plan.seed, person.seed, 0x7C))
    wander = [slow_noise(rng, t, period, *span) for period in (1.3, 1.7, 1.1, 1.9)]
    heading, chest_heading, head_heading = (
        plan.path.heading(t),
        plan.path.heading(t + 0.4 * lead),
        plan.path.heading(t + lead),
    )
    radians = np.radians
    return Segments(
        pelvis=(heading + radians(pelvis_yaw), radians(tilt), radians(obliquity)),
        chest=(
            chest_heading + radians(chest_yaw + 0.9 * wander[0]),
            radians(chest_flexion + 1.1 * wander[1]),
            radians(-lean + 0.6 * wander[2]),
        ),
        head=(
            head_heading + radians(0.25 * chest_yaw + style.head_wander_deg * wander[3]),
            radians(style.head_pitch_deg + 0.30 * chest_flexion + nod + 0.8 * wander[1]),
        ),
    )


def pose(person: Person, plan: WalkPlan, t: Array) -> Array:
    """Joint positions (T, 22, 3), metres, at the times ``t`` (seconds from the clip's first frame)."""
    body = person.body
    turned = segments(person, plan, t)
    feet = _feet(person, plan, t)
    hips_xz = _hips_xz(person, plan, t)
    height = _hip_height(person, plan, t, feet, turned, hips_xz)
    middle = np.stack([hips_xz[:, 0], height, hips_xz[:, 1]], axis=1)
    joints = np.empty((len(t), NUM_JOINTS, 3))
    place_trunk(joints, body, middle, turned)
    for side, name in enumerate(("left", "right")):
        foot = feet[side]
        if person.mechanics.soft_reach_m > 0.0:
            foot = _held_short(person, foot, joints[:, JOINT_INDEX[f"{name}_hip"]])
        place_leg(joints, person, name, foot, turned.pelvis[0])
        place_arm(joints, person, name, turned, arm_angles(person, plan, t, side))
    return joints


def _held_short(person: Person, foot: FootTrack, hip: Array) -> FootTrack:
    """The foot, drawn towards the hip by a few millimetres where the leg would swing out to its full length.

    Near full length a millimetre is degrees of knee: a foot that overreaches makes the knee jerk.
    """
    soft_m = person.mechanics.soft_reach_m
    ray = hip - foot.ankle_m
    distance = np.linalg.norm(ray, axis=1)
    longest = leg_length(person.body, person.mechanics.straightest_knee_deg + 1.5)
    excess = soft_m * np.logaddexp(0.0, (distance - longest) / soft_m)
    # It comes and goes by degrees: a shuffling leg is nearly straight already as it leaves the floor.
    settling, swinging = 1.0 - foot.since_strike_s / _SETTLING_S, -foot.until_off_s / _RELEASING_S
    free = np.where(foot.stance, smoothstep(settling), smoothstep(swinging))
    shift = (free * excess / distance)[:, None] * ray
    return replace(foot, ankle_m=foot.ankle_m + shift, toe_m=foot.toe_m + shift)


def _feet(person: Person, plan: WalkPlan, t: Array) -> tuple[FootTrack, FootTrack]:
    tremble: list[Array | None] = [None, None]
    if plan.path.freezing_s:
        for side in (0, 1):
            shake = np.zeros_like(t)
            for start, end in plan.path.freezing_s:
                inside = smoothstep((t - start) / 0.3) * smoothstep((end - t) / 0.3)
                wave = 0.5 - 0.5 * np.cos(2 * np.pi * 5.3 * (t - start) + np.pi * side)
                shake += np.radians(7.0) * inside * wave
            tremble[side] = shake
    return (
        foot_track(plan.steps, person.body, 0, t, tremble[0]),
        foot_track(plan.steps, person.body, 1, t, tremble[1]),
    )


def _hips_xz(person: Person, plan: WalkPlan, t: Array) -> Array:
    """Path of the middle of the hips: the planned path, swaying over the standing foot and pulsing forward."""
    style, scale = person.style, person.body.leg_scale
    phase = 2 * np.pi * stride_phase(plan, t)
    effort = plan.path.effort(t)
    moving = np.clip(effort * 1.6, 0.0, 1.0)
    ahead = style.pelvis_surge_m * scale * effort * np.sin(2 * phase - 0.3) - style.pelvis_back_m
    ahead = ahead + scale * habit(person, "pelvis_ahead_m", phase, effort)
    sway = style.lateral_sway_m * scale * moving * np.sin(phase - style.sway_lag_rad)
    heading = plan.path.heading(t)
    return plan.path.centre(t) + ahead[:, None] * forward(heading) + sway[:, None] * leftward(heading)


def _hip_height(
    person: Person,
    plan: WalkPlan,
    t: Array,
    feet: tuple[FootTrack, FootTrack],
    turned: Segments,
    hips_xz: Array,
) -> Array:
    """Height of the middle of the hips at ``t``: from a fixed grid, so that it does not depend on the frame rate."""
    start = np.floor((t[0] - 0.5) * _HEIGHT_GRID_HZ) / _HEIGHT_GRID_HZ
    grid = start + np.arange(int(np.ceil((t[-1] + 0.5 - start) * _HEIGHT_GRID_HZ)) + 1) / _HEIGHT_GRID_HZ
    grid_feet = _feet(person, plan, grid)
    grid_turned = segments(person, plan, grid)
    grid_xz = _hips_xz(person, plan, grid)
    span = (-MARGIN_S, plan.path.options.duration_s + MARGIN_S)
    wanted, most = [], []
    straightest_deg = person.mechanics.straightest_knee_deg
    for side in (0, 1):
        reach, offset = _hip_reach(person.body, side, grid_feet[side], grid_turned, grid_xz)
        knee, release = _stance_knee(person, side, grid_feet[side], grid_feet[1 - side])
        wobble = slow_noise(np.random.default_rng((plan.seed, person.seed, 0x3E, side)), grid, 0.8, *span)
        length = leg_length(person.body, np.maximum(knee + 1.3 * wobble, straightest_deg))
        base = grid_feet[side].ankle_m[:, 1] - offset
        wanted.append(base + np.sqrt(np.maximum(length**2 - reach**2, 0.01)) + release)
        straight = leg_length(person.body, straightest_deg)
        most.append(base + np.sqrt(np.maximum(straight**2 - reach**2, 0.01)))
    soft = 0.006
    ceiling = np.minimum(most[0], most[1])
    low = np.minimum(wanted[0], wanted[1])
    height = low - soft * np.log(np.exp(-(wanted[0] - low) / soft) + np.exp(-(wanted[1] - low) / soft))
    height = gaussian_smooth(height, 0.030 * _HEIGHT_GRID_HZ)
    for _ in range(6):
        excess = np.maximum(height - ceiling, 0.0)
        spread = np.max([np.roll(excess, shift) for shift in range(-4, 5)], axis=0)
        height = height - gaussian_smooth(spread, 2.5)
    slopes = np.gradient(height, grid)
    result = hermite(t, grid, height, slopes)
    # The last guarantee against a leg that is too short: by now a fraction of a millimetre, if anything.
    for side in (0, 1):
        reach, offset = _hip_reach(person.body, side, feet[side], turned, hips_xz)
        straight = leg_length(person.body, 0.5)
        top = feet[side].ankle_m[:, 1] - offset + np.sqrt(np.maximum(straight**2 - reach**2, 0.0))
        result = np.minimum(result, top)
    return result


def _hip_reach(body: Body, side: int, foot: FootTrack, turned: Segments, hips_xz: Array) -> tuple[Array, Array]:
    """Horizontal distance from hip to ankle, and height of the hip over the middle of the hips."""
    sign = 1.0 if side == 0 else -1.0
    hip = rotate(*turned.pelvis, np.array([sign * body.hip_half_width_m, 0.0, 0.0]))
    dx = foot.ankle_m[:, 0] - hips_xz[:, 0] - hip[:, 0]
    dz = foot.ankle_m[:, 2] - hips_xz[:, 1] - hip[:, 2]
    return np.hypot(dx, dz), hip[:, 1]


def _stance_knee(person: Person, side: int, foot: FootTrack, other: FootTrack) -> tuple[Array, Array]:
    """Knee flexion wanted of the leg while it carries, degrees, and how far it is free of carrying, metres."""
    style = person.style
    straight, loading = style.stance_knee_deg[side], style.loading_knee_deg[side]
    stance_s = np.clip(foot.since_strike_s + foot.until_off_s, 0.3, 1.4)
    share = np.where(foot.since_strike_s < 3.0, foot.since_strike_s / stance_s, 0.7)
    knee = hermite(
        share,
        np.array([0.0, 0.23, 0.62, 1.0]),
        np.array([straight, loading, straight, straight + 3.0]),
        np.zeros(4),
    )
    knee = np.where(foot.since_strike_s > 3.0, straight + 2.0, knee)
    # Carrying passes to the other leg from its strike on, and comes back shortly before the own strike.
    handed = np.where(other.stance, other.since_strike_s, 0.0)
    handing_s = 0.16 + person.mechanics.contact_delay_s
    leaving = np.where(foot.stance, np.clip(1.0 - foot.until_off_s / handing_s, 0.0, 1.0), 1.0)
    leaving = np.where(handed > 0.0, leaving, np.where(foot.stance, 0.0, 1.0))
    coming = np.clip(foot.until_strike_s / 0.11, 0.0, 1.0)
    free = np.where(foot.stance, smoothstep(leaving), smoothstep(coming))
    return knee, 0.12 * free


def place_trunk(joints: Array, body: Body, middle: Array, turned: Segments) -> None:
    """Write pelvis, hips, spine, neck, collars, shoulders and head."""
    index = JOINT_INDEX
    rest = trunk_offsets(body)
    width = np.array([body.hip_half_width_m, 0.0, 0.0])
    joints[:, index["pelvis"]] = middle + rotate(*turned.pelvis, rest["pelvis"])
    joints[:, index["left_hip"]] = middle + rotate(*turned.pelvis, width)
    joints[:, index["right_hip"]] = middle + rotate(*turned.pelvis, -width)
    previous = "pelvis"
    for name, share in (("spine1", 0.25), ("spine2", 0.5), ("spine3", 0.75)):
        yaw, flexion, lean = (
            (1 - share) * below + share * above for below, above in zip(turned.pelvis, turned.chest, strict=True)
        )
        bone = rotate(yaw, flexion, lean, rest[name] - rest[previous])
        joints[:, index[name]] = joints[:, index[previous]] + bone
        previous = name
    chest = joints[:, index["spine3"]]
    joints[:, index["neck"]] = chest + rotate(*turned.chest, rest["neck"] - rest["spine3"])
    for sign, name in ((1.0, "left"), (-1.0, "right")):
        collar = np.array([sign * body.collar_out_m, body.collar_up_m, 0.0]) - rest["spine3"]
        shoulder = np.array([sign * body.shoulder_half_width_m, body.trunk_m, body.shoulder_forward_m]) - rest["spine3"]
        joints[:, index[f"{name}_collar"]] = chest + rotate(*turned.chest, collar)
        joints[:, index[f"{name}_shoulder"]] = chest + rotate(*turned.chest, shoulder)
    head_yaw, head_pitch = turned.head
    head = np.array([0.0, body.head_up_m, body.head_forward_m])
    joints[:, index["head"]] = joints[:, index["neck"]] + rotate(head_yaw, head_pitch, 0.3 * turned.chest[2], head)


def place_leg(joints: Array, person: Person, name: str, foot: FootTrack, pelvis_yaw: Array) -> None:
    """Write knee, ankle and toe base; the knee bends forward, between the directions of foot and pelvis."""
    index = JOINT_INDEX
    body = person.body
    out_deg = person.style.knee_out_deg[0] if name == "left" else -person.style.knee_out_deg[1]
    hip, ankle = joints[:, index[f"{name}_hip"]], foot.ankle_m
    axis = ankle - hip
    distance = np.linalg.norm(axis, axis=1, keepdims=True)
    axis = axis / distance
    along = (body.thigh_m**2 - body.shank_m**2 + distance**2) / (2 * distance)
    out = np.sqrt(np.maximum(body.thigh_m**2 - along**2, 0.0))
    yaw = pelvis_yaw + 0.4 * np.sin(foot.yaw_rad - pelvis_yaw) + np.radians(out_deg)
    ahead = np.stack([np.sin(yaw), np.zeros_like(yaw), np.cos(yaw)], axis=1)
    ahead -= np.sum(ahead * axis, axis=1, keepdims=True) * axis
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    joints[:, index[f"{name}_knee"]] = hip + along * axis + out * ahead
    joints[:, index[f"{name}_ankle"]] = ankle
    joints[:, index[f"{name}_foot"]] = foot.toe_m


@dataclass(frozen=True)
class ArmAngles:
    """Commanded arm, radians: swing of shoulder to wrist from the chest's down direction, elbow, abduction."""

    swing: Array
    elbow: Array
    out: Array


def arm_angles(person: Person, plan: WalkPlan, t: Array, side: int) -> ArmAngles:
    """The arm swings with the opposite leg: forward at the opposite foot's strike."""
    style = person.style
    name = ("left", "right")[side]
    phase = 2 * np.pi * (stride_phase(plan, t) + 0.5 * side - style.arm_lag)
    effort = plan.path.effort(t)
    rng = np.random.default_rng((plan.seed, person.seed, 0xA4, side))
    span = (-MARGIN_S, plan.path.options.duration_s + MARGIN_S)
    vary = 1.0 + 0.12 * slow_noise(rng, t, 1.15, *span)
    # No two swings of an arm are the same: shoulder and elbow differ by a few degrees from stride to stride.
    restless = [style.arm_restless_deg * slow_noise(rng, t, period, *span) for period in (1.35, 0.95, 1.6)]
    amplitude = 0.5 * style.arm_swing_deg[side] * effort * vary
    # Arms hang: a stooping trunk leaves them nearly vertical, which is forward of the trunk. The upper arm does so
    # whatever the elbow does: a bent forearm points ahead, it does not push the elbow back behind the trunk.
    hang = 0.85 * 1.28 * style.trunk_flexion_deg
    carried = np.degrees(wrist_ahead(person.body, np.radians(style.elbow_deg[side])))
    middle = style.upper_arm_forward_deg[side] + carried + hang + restless[0]
    swing = middle - amplitude * (np.cos(phase) + 0.03 * np.cos(2 * phase + 0.5))
    swing = swing + habit(person, f"arm_{name}_deg", phase, effort)
    # The elbow bends mostly at the end of the forward swing: a peak, not a wave.
    wave = -np.cos(phase + 0.25)
    forwardness = 2.0 * (0.5 + 0.5 * wave) ** style.elbow_sharpness - 1.0
    # Part of that peak shows in the wrist, so that the upper arm keeps swinging like a pendulum.
    swing = swing + 0.3 * style.elbow_coupling[side] * amplitude * (forwardness - wave)
    elbow = style.elbow_deg[side] + style.elbow_coupling[side] * amplitude * forwardness + 1.3 * restless[1]
    elbow = elbow + habit(person, f"elbow_{name}_deg", phase, effort)
    tremor = style.tremor_deg[side]
    if tremor > 0.0:
        elbow = elbow + tremor * np.sin(2 * np.pi * style.tremor_hz * t) * (0.7 + 0.3 * slow_noise(rng, t, 0.9, *span))
    # The swing is oblique: most arms come in front of the body as they go forward, some go outward.
    out = style.arm_out_deg[side] + style.arm_across * amplitude * np.cos(phase) + 0.5 * restless[2]
    out = out + habit(person, f"arm_out_{name}_deg", phase, effort)
    return ArmAngles(np.radians(swing), np.radians(np.clip(elbow, 4.0, 130.0)), np.radians(np.clip(out, -8.0, 40.0)))


def wrist_ahead(body: Body, elbow_rad: Array | float) -> Array:
    """Angle at the shoulder from the elbow to the wrist, radians, with the elbow bent this far."""
    upper, fore = body.upper_arm_m, body.forearm_m
    return np.asarray(np.arctan2(fore * np.sin(elbow_rad), upper + fore * np.cos(elbow_rad)))


def arm_in_chest(person: Person, side: int, angles: ArmAngles) -> tuple[Array, Array]:
    """Elbow and wrist (T, 3) relative to the shoulder, in the chest's (left, up, forward) axes."""
    upper, fore = person.body.upper_arm_m, person.body.forearm_m
    shoulder = angles.swing - wrist_ahead(person.body, angles.elbow)
    sign = 1.0 if side == 0 else -1.0

    def direction(angle: Array, out: float | Array) -> Array:
        down = np.cos(angle)
        return np.stack([sign * down * np.sin(out), -down * np.cos(out), np.sin(angle)], axis=-1)

    elbow = upper * direction(shoulder, angles.out)
    bent = np.clip(angles.elbow / np.radians(90.0), 0.0, 1.0)
    ray = direction(shoulder + angles.elbow, angles.out * (1.0 - 0.6 * bent))
    inward = -sign * person.style.forearm_in[side] * bent
    ray[:, 0] += inward * np.abs(ray[:, 2])
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    return elbow, elbow + fore * ray


def place_arm(joints: Array, person: Person, name: str, turned: Segments, angles: ArmAngles) -> None:
    """Write elbow and wrist."""
    elbow, wrist = arm_in_chest(person, 0 if name == "left" else 1, angles)
    shoulder = joints[:, JOINT_INDEX[f"{name}_shoulder"]]
    joints[:, JOINT_INDEX[f"{name}_elbow"]] = shoulder + rotate(*turned.chest, elbow)
    joints[:, JOINT_INDEX[f"{name}_wrist"]] = shoulder + rotate(*turned.chest, wrist)
