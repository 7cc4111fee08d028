"""The plan of a walk: where the body goes, where and when each foot stands. Everything a clip is checked against.

The body follows a path (speed and heading as smooth functions of time); a foot is set down where the body will be about
half a step later, so that straight walking, curves, turns on the spot, starts and stops come from one rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import leg_length, strike_ankle
from .curves import Array, Flags, Rows, forward, leftward
from .mechanics import FIRST, Mechanics
from .path import Path, PlanOptions, plan_path
from .people import Person

FAR_S = 100.0


@dataclass(frozen=True)
class Steps:
    """One row per foot placement, in order of time; the same foot's next placement is two rows on.

    Attributes:
        side: (N,) 0 left, 1 right.
        strike_s, flat_s, heel_rise_s, toe_rise_s, off_s: (N,) times of meeting the floor, of the foot lying flat, of
            the heel and of the toe base starting to rise, and of the toes leaving the floor; -100 or 100 where the foot
            stands before or after the walk.
        place_m: (N, 2) X and Z of the point under the ankle of the flat foot.
        yaw_rad: (N,) heading of the foot.
        strike_deg: (N,) pitch at strike, positive toe up; ``push_off_deg``: (N,) heel-up pitch at foot off.
        lift_m, low_swing_m: (N,) height of the sole in early and in middle swing, of the swing that ends here.
        outward_m: (N,) sideways bow of that swing.
        frozen: (N,) step made in a freezing episode.
        mechanics: how the feet move between these times.
    """

    side: Rows
    strike_s: Array
    flat_s: Array
    heel_rise_s: Array
    toe_rise_s: Array
    off_s: Array
    place_m: Array
    yaw_rad: Array
    strike_deg: Array
    push_off_deg: Array
    lift_m: Array
    low_swing_m: Array
    outward_m: Array
    frozen: Flags
    mechanics: Mechanics = FIRST

    @property
    def land_s(self) -> Array:
        """(N,) when the foot reaches the floor: its strike, or a little before."""
        return self.strike_s - self.mechanics.contact_delay_s


@dataclass(frozen=True)
class WalkPlan:
    """A planned walk: the path of the body and the placements of the feet."""

    path: Path
    steps: Steps
    seed: int


def plan_walk(person: Person, options: PlanOptions, seed: int) -> WalkPlan:
    """Draw the plan of one walk of this person."""
    rng = np.random.default_rng((person.seed, int(seed), 0x9A1))
    path = plan_path(rng, person, options)
    return WalkPlan(path, _plan_steps(rng, person, path), int(seed))


def _strike_times(
    rng: np.random.Generator,
    person: Person,
    path: Path,
) -> tuple[list[int], list[float], list[bool]]:
    """Sides, strike times and freezing flags of the steps."""
    style = person.style
    cv = style.stride_time_cv_percent / 100.0
    side = int(rng.integers(2))
    phase = float(rng.random())
    time = -2.2 - phase * path.stride_time_s if path.begin_s is None else path.begin_s + 0.52 * path.stride_time_s
    last = path.options.duration_s + 2.2 if path.end_s is None else path.end_s - 0.2 * path.stride_time_s
    sides, times, frozen = [side], [time], [False]
    drift = 0.0
    while time < last:
        side = 1 - side
        cold = any(start <= time < end - 0.2 for start, end in path.freezing_s)
        # Half of the variability carries over from step to step, as in measured series.
        drift = 0.5 * drift + np.sqrt(0.75) * rng.standard_normal()
        own = 0.5 * (1.0 + (style.step_time_bias if side == 0 else -style.step_time_bias))
        step_time = path.stride_time_s * (own + 0.62 * cv * float(np.clip(drift, -2.5, 2.5)))
        if cold:
            step_time = float(rng.uniform(0.19, 0.34))
        elif path.turn_s is not None and path.turn_s[0] < time < path.turn_s[1]:
            step_time *= 0.95
        time += max(float(step_time), 0.18)
        sides.append(side)
        times.append(time)
        frozen.append(cold)
    return sides, times, frozen


def _plan_steps(
    rng: np.random.Generator,
    person: Person,
    path: Path,
) -> Steps:
    sides, times, frozen = _strike_times(rng, person, path)
    if path.begin_s is not None:  # both feet stand before the first step
        sides = [sides[0], 1 - sides[0], *sides]
        times = [-FAR_S, -FAR_S + 1.0, *times]
        frozen = [False, False, *frozen]
    side, strike, cold = np.array(sides), np.array(times), np.array(frozen, dtype=bool)
    count = len(strike)
    stride_local = np.full(count, path.stride_time_s)
    moving = strike > -FAR_S + 2.0
    step_time = np.full(count, path.stride_time_s / 2)
    step_time[1:] = np.where(moving[:-1], np.diff(strike), path.stride_time_s / 2)
    step_time = np.clip(step_time, 0.15, 1.2)
    stride_local = 2 * step_time
    off = _off_times(rng, person, strike, step_time, moving, stopped=path.end_s is not None)
    effort = np.where(moving, path.effort(strike + 0.1), 0.0)
    place, yaw = _places(rng, person, path, side, strike, stride_local, moving, cold)
    style, land = person.style, strike - person.mechanics.contact_delay_s
    easy = np.clip(effort, 0.0, 1.1) * (0.0 if path.options.in_place else 1.0)
    # The foot rolls over the toe tips, which this skeleton does not have: the toe base rises a little before foot off.
    toe_rise = off - 0.025 * stride_local
    strike_deg = np.array(style.strike_angle_deg)[side] * easy + 1.1 * rng.standard_normal(count) * (easy > 0.3)
    strike_deg = np.where(moving, strike_deg, 0.0)
    shuffle = np.where(cold, rng.uniform(0.15, 0.5, count), 1.0)
    lift = np.array(style.lift_m)[side] * (0.45 + 0.55 * easy) * np.exp(0.07 * rng.standard_normal(count)) * shuffle
    low = np.array(style.low_swing_m)[side] * np.exp(0.10 * rng.standard_normal(count)) * shuffle
    if path.options.in_place:
        lift = lift * rng.uniform(1.2, 2.2)
        low = lift * 0.9
    flat = np.minimum(
        land + 0.125 * stride_local * np.clip(np.sqrt(np.abs(strike_deg) / 23.0), 0.35, 1.1),
        land + 0.4 * (off - land),
    )
    heel_rise, push = _heel_rise(person, path, side, land, strike_deg, flat, toe_rise, place, yaw)
    return Steps(
        side=side,
        strike_s=strike,
        flat_s=flat,
        heel_rise_s=heel_rise,
        toe_rise_s=toe_rise,
        off_s=off,
        place_m=place,
        yaw_rad=yaw,
        strike_deg=strike_deg,
        push_off_deg=np.where(cold, 0.35, 1.0) * push,
        lift_m=lift,
        low_swing_m=np.minimum(low, 0.9 * lift),
        outward_m=_outward(path, person, side, place, yaw),
        frozen=cold,
        mechanics=person.mechanics,
    )


def _off_times(
    rng: np.random.Generator, person: Person, strike: Array, step_time: Array, moving: Flags, stopped: bool
) -> Array:
    """A foot leaves the floor one double support after the other foot's strike."""
    count = len(strike)
    off = np.full(count, FAR_S)
    share = person.style.double_support_share * (1.0 + 0.05 * rng.standard_normal(count))
    after = strike[1:] + np.clip(share[1:], 0.05, 0.26) * 2 * step_time[1:]
    off[:-1] = after
    first = int(np.argmax(moving))
    if first == 2:  # the foot that steps first has nobody else's strike to follow
        off[0] = strike[2] - 0.42 * 2 * step_time[2]
    # A swing keeps at least a third of the stride, however the steps fall.
    off[:-2] = np.minimum(off[:-2], strike[2:] - 0.62 * step_time[2:])
    off[-1] = FAR_S
    if stopped:
        off[-2] = FAR_S
    else:
        off[-2:] = strike[-2:] + 1.25 * step_time[-2:]
    return off


def _places(
    rng: np.random.Generator,
    person: Person,
    path: Path,
    side: Rows,
    strike: Array,
    stride_local: Array,
    moving: Flags,
    cold: Flags,
) -> tuple[Array, Array]:
    """Where the feet stand, and their headings."""
    style = person.style
    count = len(side)
    # The hip is above the ankle at about 26 % of the gait cycle.
    # The body is over the foot in the middle of the step to come as much as of the step just made.
    around = 0.5 * (stride_local + np.append(stride_local[1:], stride_local[-1]))
    land = strike - person.mechanics.contact_delay_s
    over = np.where(moving, land + person.mechanics.over_foot_strides * around, path.grid_s[0])
    heading = path.heading(over)
    effort = path.effort(over)
    # However uneven, no step is longer than the legs allow, nor shorter than nothing.
    half = style.stride_length_m * (0.5 + 0.5 * abs(style.step_time_bias))
    most = np.clip(min(0.78 * person.body.leg_scale - half, half - 0.05), 0.005, None)
    bias = np.where(side == 0, 0.5, -0.5) * float(np.clip(style.step_length_bias_m, -most, most)) * effort
    ahead = bias + style.placement_sd_m * rng.standard_normal(count) * np.clip(effort, 0.2, 1.0) * np.where(
        cold, 0.4, 1
    )
    # Nobody comes to stand with the feet exactly side by side.
    ahead += np.where(effort < 0.2, 0.016 * person.body.leg_scale * rng.standard_normal(count), 0.0) * ~cold
    turning = np.abs(np.gradient(heading)) if count > 1 else np.zeros(count)
    width = style.step_width_m + np.clip(0.16 * turning, 0.0, 0.07) + np.where(effort < 0.2, 0.03, 0.0)
    sign = np.where(side == 0, 1.0, -1.0)
    aside = sign * np.maximum(width, 0.035) / 2 + 0.6 * style.placement_sd_m * rng.standard_normal(count) * (
        effort > 0.2
    )
    place = path.centre(over) + ahead[:, None] * forward(heading) + aside[:, None] * leftward(heading)
    toe_out = np.radians(np.array(style.toe_out_deg))[side] + 0.02 * rng.standard_normal(count)
    return place, heading + sign * toe_out


def _trailing_pitch(
    person: Person,
    path: Path,
    side: Rows,
    time: Array,
    place: Array,
    yaw: Array,
    lead_ankle: Array,
    lead_deg: Array,
    knee_deg: Array,
) -> Array:
    """Heel-up pitch (degrees) that a foot, turning about its toe base, needs at ``time`` for its knee to bend this far.

    The hips' height at that moment follows from the other leg, which takes the weight with its knee at ``lead_deg``
    and its ankle at ``lead_ankle`` (N, 2): forward of where it is in the flat foot, and up from the floor, metres.
    """
    body = person.body
    sign = np.where(side == 0, 1.0, -1.0)
    time = np.clip(time, path.grid_s[0], path.grid_s[-1])
    centre, heading = path.centre(time), path.heading(time)
    aside = body.hip_half_width_m * leftward(heading)
    hip = centre + sign[:, None] * aside
    lead = np.minimum(np.arange(len(side)) + 1, len(side) - 1)
    lead_place = place[lead] + lead_ankle[:, :1] * forward(yaw[lead])
    lead_reach = np.linalg.norm(centre - sign[:, None] * aside - lead_place, axis=1)
    lead_leg = leg_length(body, lead_deg)
    height = lead_ankle[:, 1] + np.sqrt(np.maximum(lead_leg**2 - lead_reach**2, 0.2 * lead_leg**2))
    toe = place + body.foot_forward_m * forward(yaw)
    ahead = np.einsum("ij,ij->i", hip - toe, forward(yaw))
    across = np.einsum("ij,ij->i", hip - toe, leftward(yaw))
    up = height - body.toe_height_m
    wanted = leg_length(body, knee_deg)
    foot = np.hypot(body.foot_forward_m, body.foot_rise_m)
    # |hip - ankle| = wanted, with the ankle on a circle about the toe base: A cos(pitch) + B sin(pitch) = Q.
    a = up * body.foot_rise_m - ahead * body.foot_forward_m
    b = -(ahead * body.foot_rise_m + up * body.foot_forward_m)
    q = 0.5 * (ahead**2 + across**2 + up**2 + foot**2 - wanted**2)
    pitch = np.arctan2(b, a) + np.arccos(np.clip(q / np.hypot(a, b), -1.0, 1.0))
    return np.asarray(-np.degrees(pitch), dtype=np.float64)


def _heel_rise(
    person: Person,
    path: Path,
    side: Rows,
    land: Array,
    strike_deg: Array,
    flat: Array,
    toe_rise: Array,
    place: Array,
    yaw: Array,
) -> tuple[Array, Array]:
    """When each heel starts to rise, and the heel-up pitch (degrees) when the toe base does.

    Both are chosen so that the legs reach: the knee nearly straight at the other foot's strike, bent as far as this
    person bends it when the toes leave. A longer step makes the heel rise earlier.
    """
    style = person.style
    other = 1 - side
    stance, loading = np.array(style.stance_knee_deg), np.array(style.loading_knee_deg)
    after = np.append(land[1:], toe_rise[-1] - 0.1)
    flat_ankle = np.tile([0.0, person.body.ankle_height_m], (len(side), 1))
    knee = np.array(style.off_knee_deg)[side] + 0.6 * stance[side]
    push = _trailing_pitch(person, path, side, toe_rise, place, yaw, flat_ankle, loading[other], knee)
    push = np.clip(push, 7.0, person.mechanics.steepest_push_deg)
    landed = strike_ankle(person.body, np.radians(np.append(strike_deg[1:], 0.0)))
    early = _trailing_pitch(person, path, side, after, place, yaw, landed, stance[other] + 3.0, stance[side] + 1.0)
    share = np.sqrt(np.clip(early, 1.0, 0.62 * push) / push)
    rise = (after - share * toe_rise) / (1.0 - share)
    return np.maximum(np.minimum(rise, toe_rise - 0.08), flat + 0.25 * (toe_rise - flat)), push


def _outward(path: Path, person: Person, side: Rows, place: Array, yaw: Array) -> Array:
    """Sideways bow of each swing: the person's own, and enough to pass the standing foot in a turn."""
    own = np.array(person.style.circumduction_m)[side]
    if len(side) < 3:
        return own
    result = own.copy()
    sign = np.where(side == 0, 1.0, -1.0)
    out = leftward(yaw[1:-1]) * sign[2:, None]
    middle = 0.5 * (place[2:] + place[:-2])
    gap = np.einsum("ij,ij->i", middle - place[1:-1], out)
    result[2:] += np.maximum(0.085 * person.body.leg_scale - gap, 0.0) * 0.9
    return np.minimum(result, 0.22)
