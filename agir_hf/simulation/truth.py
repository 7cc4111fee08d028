"""What is true about a simulated walk, from its plan and its commanded curves, never from measuring the joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..clip import PARAMETER_NAMES, GaitEvent
from .body import Body, trunk_offsets
from .curves import Array, Rows, rotate
from .feet import foot_pitch, foot_track, rows_of, swing_toe_height
from .people import Person
from .plan import FAR_S, WalkPlan
from .pose import arm_angles, arm_in_chest

_FEWEST_STRIDES_FOR_CV = 10
_SMALLEST_ABOUT_TURN_RAD = np.radians(134.99)


@dataclass(frozen=True)
class Footprint:
    """A placement of a foot: the point under the ankle of the flat foot (X, Z, metres), its heading and its times."""

    side: str
    strike_s: float
    off_s: float
    x_m: float
    z_m: float
    yaw_rad: float
    flat_s: float
    heel_rise_s: float


@dataclass(frozen=True)
class WalkTruth:
    """Truth of one clip: events in order of time, the gait parameters by name (None: not in this clip), footprints."""

    events: tuple[GaitEvent, ...]
    values: dict[str, float | None]
    footprints: tuple[Footprint, ...]
    turn_s: tuple[float, float] | None
    turn_deg: float
    freezing_s: tuple[tuple[float, float], ...]


def truth_of(person: Person, plan: WalkPlan, end_s: float, heading_rad: float, origin_m: Array) -> WalkTruth:
    """Truth of the clip from 0 to ``end_s`` seconds, in the clip's own (turned and moved) coordinates."""
    steps = plan.steps
    events: list[GaitEvent] = []
    prints: list[Footprint] = []
    for row in range(len(steps.side)):
        side = "left" if steps.side[row] == 0 else "right"
        strike, off = float(steps.strike_s[row]), float(steps.off_s[row])
        if 0.0 <= strike <= end_s:
            events.append(GaitEvent("foot_strike", side, strike))  # type: ignore[arg-type]
        if 0.0 <= off <= end_s:
            events.append(GaitEvent("foot_off", side, off))  # type: ignore[arg-type]
        if strike <= end_s and off >= 0.0:
            x, z = steps.place_m[row]
            cos, sin = np.cos(heading_rad), np.sin(heading_rad)
            prints.append(
                Footprint(
                    side,
                    strike,
                    off,
                    float(x * cos + z * sin + origin_m[0]),
                    float(-x * sin + z * cos + origin_m[1]),
                    float(steps.yaw_rad[row] + heading_rad),
                    float(steps.flat_s[row]) + steps.mechanics.reach_s,
                    float(steps.heel_rise_s[row]) - steps.mechanics.reach_s,
                )
            )
    events.sort(key=lambda event: event.time_s)
    return WalkTruth(
        events=tuple(events),
        values=_values(person, plan, end_s),
        footprints=tuple(prints),
        turn_s=plan.path.turn_s,
        turn_deg=float(np.degrees(plan.path.turn_rad)),
        freezing_s=plan.path.freezing_s,
    )


def steady_strides(plan: WalkPlan, end_s: float) -> Rows:
    """Rows whose stride (to the same foot's next strike) lies in the clip, straight, at the person's speed."""
    steps = plan.steps
    rows = []
    for row in range(len(steps.side) - 2):
        start, end = steps.strike_s[row], steps.strike_s[row + 2]
        if start < 0.0 or end > end_s or start < -FAR_S + 2.0 or steps.frozen[row : row + 3].any():
            continue
        inside = (plan.path.grid_s >= start) & (plan.path.grid_s <= end)
        if plan.path.speed_mps[inside].min() < 0.8 * plan.path.nominal_speed_mps:
            continue
        if plan.path.turn_s is not None and start < plan.path.turn_s[1] and end > plan.path.turn_s[0]:
            continue
        rows.append(row)
    return np.array(rows, dtype=int)


def _values(person: Person, plan: WalkPlan, end_s: float) -> dict[str, float | None]:
    values: dict[str, float | None] = dict.fromkeys(PARAMETER_NAMES)
    rows = steady_strides(plan, end_s)
    if len(rows):
        values |= _time_and_distance(plan, rows)
        values |= _arm_swing(person, plan, rows)
        values |= _feet(person.body, plan, rows)
    values["trunk_flexion_deg"] = trunk_flexion_deg(person)
    turn_s, angle = plan.path.turn_s, abs(plan.path.turn_rad)
    if turn_s is not None and angle >= _SMALLEST_ABOUT_TURN_RAD and turn_s[0] >= 0.0 and turn_s[1] <= end_s:
        values["turn_duration_180_s"] = (turn_s[1] - turn_s[0]) * np.pi / angle
    rounded = {name: None if value is None else float(value) for name, value in values.items()}
    return rounded | {"freezing_episodes": sum(start < end_s and end > 0.0 for start, end in plan.path.freezing_s)}


def _time_and_distance(plan: WalkPlan, rows: Rows) -> dict[str, float | None]:
    steps = plan.steps
    strike, off, place = steps.strike_s, steps.off_s, steps.place_m
    stride_s = strike[rows + 2] - strike[rows]
    stride = place[rows + 2] - place[rows]
    ahead = stride / np.linalg.norm(stride, axis=1, keepdims=True)
    first = place[rows + 1] - place[rows]
    second = place[rows + 2] - place[rows + 1]
    lengths: dict[int, list[float]] = {0: [], 1: []}
    widths: list[float] = []
    for index, row in enumerate(rows):
        # The step belongs to the foot that lands; a step in two strides counts once in each.
        lengths[int(steps.side[row + 1])].append(first[index] @ ahead[index])
        lengths[int(steps.side[row])].append(second[index] @ ahead[index])
        widths.append(abs(first[index] @ np.array([ahead[index][1], -ahead[index][0]])))
    left, right = (float(np.mean(lengths[side])) for side in (0, 1))
    initial = off[rows - 1] - strike[rows]
    terminal = off[rows] - strike[rows + 1]
    speeds = []
    for row in rows:
        inside = (plan.path.grid_s >= strike[row]) & (plan.path.grid_s <= strike[row + 2])
        speeds.append(plan.path.speed_mps[inside].mean())
    enough = len(rows) >= _FEWEST_STRIDES_FOR_CV
    return {
        "walking_speed_mps": float(np.average(speeds, weights=stride_s)),
        "cadence_spm": float(120.0 / stride_s.mean()),
        "stride_length_m": float(np.linalg.norm(stride, axis=1).mean()),
        "stride_time_s": float(stride_s.mean()),
        "step_length_left_m": left,
        "step_length_right_m": right,
        "step_length_asymmetry_percent": 100.0 * abs(left - right) / max(left, right),
        "step_width_m": float(np.mean(widths)),
        "double_support_percent": float((100.0 * (initial + terminal) / stride_s).mean()),
        "swing_percent": float((100.0 * (strike[rows + 2] - off[rows]) / stride_s).mean()),
        "stride_time_cv_percent": float(100.0 * stride_s.std(ddof=1) / stride_s.mean()) if enough else None,
    }


def _arm_swing(person: Person, plan: WalkPlan, rows: Rows) -> dict[str, float | None]:
    steps = plan.steps
    swing = []
    for side in (0, 1):
        ranges = []
        for row in rows:
            times = np.linspace(steps.strike_s[row], steps.strike_s[row + 2], 60)
            _, wrist = arm_in_chest(person, side, arm_angles(person, plan, times, side))
            angle = np.degrees(np.arctan2(wrist[:, 2], -wrist[:, 1]))
            ranges.append(angle.max() - angle.min())
        swing.append(float(np.mean(ranges)))
    return {
        "arm_swing_left_deg": swing[0],
        "arm_swing_right_deg": swing[1],
        "arm_swing_asymmetry_percent": 100.0 * abs(swing[0] - swing[1]) / max(swing),
    }


def _feet(body: Body, plan: WalkPlan, rows: Rows) -> dict[str, float | None]:
    steps = plan.steps
    values: dict[str, float | None] = {}
    share = np.linspace(0.0, 1.0, 41)
    for side, name in enumerate(("left", "right")):
        mine = rows[steps.side[rows] == side]
        if not len(mine):
            continue
        own = rows_of(steps, side)
        swung = mine[:, None]
        times = steps.toe_rise_s[swung] + share * (steps.land_s[swung + 2] - steps.toe_rise_s[swung])
        if steps.mechanics.blur_s > 0.0:  # the peak of a smoothed path is lower
            heights = foot_track(steps, body, side, times.ravel()).toe_m[:, 1].reshape(times.shape)
        else:
            heights = swing_toe_height(
                body,
                share,
                foot_pitch(steps, own, times),
                -np.radians(steps.push_off_deg[swung]),
                np.radians(steps.strike_deg[swung + 2]),
                steps.lift_m[swung + 2],
                steps.low_swing_m[swung + 2],
            )
        peaks = heights.max(axis=1) - body.toe_height_m
        values[f"foot_clearance_{name}_m"] = float(np.mean(peaks))
        landed = np.append(mine, mine[-1] + 2)
        angles = steps.strike_deg[landed]
        if steps.mechanics.contact_delay_s > 0.0:  # by the contact the toes have begun to come down
            angles = np.degrees(foot_track(steps, body, side, steps.strike_s[landed]).pitch_rad)
        values[f"foot_strike_angle_{name}_deg"] = float(np.mean(angles))
    return values


def trunk_flexion_deg(person: Person) -> float:
    """Commanded mean angle of pelvis -> neck from the vertical, sagittal, positive forward."""
    rest = trunk_offsets(person.body)
    flexion = person.style.trunk_flexion_deg
    pelvis = np.radians(0.40 * flexion)
    chest = np.radians((flexion - 0.32 * 0.40 * flexion) / 0.68)
    names = ("pelvis", "spine1", "spine2", "spine3", "neck")
    total = np.zeros(3)
    for before, after, part in zip(names[:-1], names[1:], (0.25, 0.5, 0.75, 1.0), strict=True):
        total = total + rotate(0.0, (1 - part) * pelvis + part * chest, 0.0, rest[after] - rest[before])
    return float(np.degrees(np.arctan2(total[2], total[1])))
