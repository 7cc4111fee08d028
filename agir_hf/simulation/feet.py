"""Feet over time: planted without sliding, rolling over heel and toes, swinging clear of the floor.

In stance the foot turns about its heel while the toes come down, lies flat, then turns about the toe base as the heel
rises. In swing the toe base follows a smooth path whose shape comes from normal walking, scaled to the planned lift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .body import HEEL_RADIUS, Body, heel_slip, strike_toe
from .curves import Array, Flags, Rows, bump, forward, hermite, leftward, smoothstep
from .plan import Steps

# Shape of normal swing, over the share of swing time: how far the toe base has come, and how far the foot's pitch has
# come back from its steepest toe-down angle to the strike angle. Rounded from normal adult walking.
_ADVANCE = np.array(
    [
        [0.0, 0.0, 0.0],
        [0.19, 0.083, 0.84],
        [0.405, 0.314, 1.22],
        [0.62, 0.603, 1.38],
        [0.84, 0.891, 0.97],
        [1.0, 1.0, 0.42],
    ]
)
_RETURN = np.array([[0.20, 0.0, 0.0], [0.53, 0.356, 1.58], [0.74, 0.694, 1.61], [0.90, 0.936, 0.95], [1.0, 1.0, 0.0]])
# A foot comes to rest within a moment of touching the floor.
_SETTLE_S = 0.06
# The toes are already coming down when the heel meets the floor: pitch rate, over that of an even way down to flat.
_SLAP = -0.3
_BLUR_NODES = 11


@dataclass(frozen=True)
class FootTrack:
    """One foot sampled in time: ankle and toe base (T, 3) metres, pitch and yaw (T,) radians, phases.

    ``stance`` (T,) is true while the foot is on the floor; ``since_strike_s`` and ``until_off_s`` are signed times to
    the strike and the foot off of the placement that is current or was last; ``until_strike_s`` to the next strike.
    """

    ankle_m: Array
    toe_m: Array
    pitch_rad: Array
    yaw_rad: Array
    stance: Flags
    since_strike_s: Array
    until_off_s: Array
    until_strike_s: Array


def rows_of(steps: Steps, side: int) -> Rows:
    """Rows of the placements of one foot."""
    return np.flatnonzero(steps.side == side)


def foot_track(steps: Steps, body: Body, side: int, t: Array, tremble_rad: Array | None = None) -> FootTrack:
    """Where one foot is at the times ``t``.

    Args:
        tremble_rad: (T,) extra heel-up pitch while the foot stands (trembling in place), positive.
    """
    sharp = _sharp_track(steps, body, side, t, tremble_rad)
    if steps.mechanics.blur_s == 0.0:
        return sharp
    # Toe base and pitch are averaged over a moment, and the ankle follows from them, so that the foot keeps its length.
    shifts = np.linspace(-1.0, 1.0, _BLUR_NODES) * steps.mechanics.reach_s
    weights = np.exp(-0.5 * (shifts / steps.mechanics.blur_s) ** 2)
    weights /= weights.sum()
    shifted = (t + shifts[:, None]).ravel()
    trembling = None if tremble_rad is None else np.tile(tremble_rad, len(shifts))
    around = _sharp_track(steps, body, side, shifted, trembling)
    toe = np.einsum("n,ntk->tk", weights, around.toe_m.reshape(len(shifts), len(t), 3))
    pitch = weights @ around.pitch_rad.reshape(len(shifts), len(t))
    return replace(sharp, toe_m=toe, ankle_m=_ankle(body, toe, pitch, sharp.yaw_rad), pitch_rad=pitch)


def _ankle(body: Body, toe: Array, pitch: Array, yaw: Array) -> Array:
    """The ankle (T, 3) of a foot with this toe base, pitch and yaw."""
    sin, cos = np.sin(pitch), np.cos(pitch)
    ankle = np.empty_like(toe)
    back = -body.foot_forward_m * cos - body.foot_rise_m * sin
    ankle[:, [0, 2]] = toe[:, [0, 2]] + back[:, None] * forward(yaw)
    ankle[:, 1] = toe[:, 1] - body.foot_forward_m * sin + body.foot_rise_m * cos
    return ankle


def _sharp_track(steps: Steps, body: Body, side: int, t: Array, tremble_rad: Array | None) -> FootTrack:
    rows = rows_of(steps, side)
    strike, off, leave = steps.land_s[rows], steps.off_s[rows], steps.toe_rise_s[rows]
    row = np.clip(np.searchsorted(strike, t, side="right") - 1, 0, len(rows) - 1)
    after = np.minimum(row + 1, len(rows) - 1)
    stance = (t <= leave[row]) | (after == row)
    swing_s = np.maximum(strike[after] - leave[row], 1e-3)
    u = np.clip((t - leave[row]) / swing_s, 0.0, 1.0)
    pitch = foot_pitch(steps, rows, t)
    if tremble_rad is not None:
        down = smoothstep((t - steps.flat_s[rows][row]) / 0.06) * smoothstep((leave[row] - t) / 0.06)
        pitch = pitch - tremble_rad * down
    yaw = steps.yaw_rad[rows]
    turned = yaw[after] - yaw[row]
    yaw_now = np.where(stance, yaw[row], yaw[row] + turned * smoothstep(u * 1.05))
    place = steps.place_m[rows]
    toe = np.empty((len(t), 3))
    # Stance: about the virtual heel while the toes are up, about the toe base while the heel is.
    heel = place[row] - body.heel_back_m * forward(yaw[row])
    sin, cos = np.sin(pitch), np.cos(pitch)
    sole_m = body.heel_back_m + body.foot_forward_m
    toes_up = pitch > 0.0
    flat_toe = place[row] + body.foot_forward_m * forward(yaw[row])
    settling = np.clip(1.0 - (t - strike[row]) / _SETTLE_S, 0.0, 1.0) ** 2
    slip = heel_slip(body, np.radians(steps.strike_deg[rows][row])) * settling
    reach = np.where(toes_up, sole_m * cos - body.toe_height_m * sin - HEEL_RADIUS * body.leg_scale * pitch, 0.0) - slip
    stance_xz = np.where(toes_up[:, None], heel, flat_toe) + reach[:, None] * forward(yaw[row])
    stance_y = np.where(toes_up, sole_m * sin + body.toe_height_m * cos, body.toe_height_m)
    # Swing: from the planted toe base to the toe base of the next strike.
    swing_xz, swing_y = _swing(steps, rows, body, row, after, u, swing_s, pitch, flat_toe)
    toe[:, [0, 2]] = np.where(stance[:, None], stance_xz, swing_xz)
    toe[:, 1] = np.where(stance, stance_y, swing_y)
    return FootTrack(
        _ankle(body, toe, pitch, yaw_now), toe, pitch, yaw_now, stance, t - strike[row], off[row] - t, strike[after] - t
    )


def foot_pitch(steps: Steps, rows: Rows, t: Array) -> Array:
    """Pitch of the foot, radians, toe up positive."""
    strike, flat = steps.land_s[rows], steps.flat_s[rows]
    rise, off = steps.heel_rise_s[rows], steps.toe_rise_s[rows]
    at_strike = np.radians(steps.strike_deg[rows])
    at_off = -np.radians(steps.push_off_deg[rows])
    count = len(rows)
    next_strike = np.append(at_strike[1:], at_strike[-1])
    swing_s = np.append(strike[1:] - off[:-1], 0.4)
    lift = np.append(steps.lift_m[rows][1:], steps.lift_m[rows][-1])
    # The heel keeps rising after the toes have left, the more the higher the foot is lifted.
    kick = np.radians(4.0 + 100.0 * np.clip(lift, 0.0, 0.1)) * np.clip(-at_off / 0.85, 0.2, 1.0)
    steepest = at_off - kick * steps.mechanics.kick
    back = next_strike - steepest
    blocks = [
        (strike, at_strike, at_strike * _SLAP / np.maximum(flat - strike, 0.03)),
        (flat, np.zeros(count), np.zeros(count)),
        (rise, np.zeros(count), np.zeros(count)),
        (off, at_off, 2.0 * at_off / np.maximum(off - rise, 1e-3)),
    ]
    for share, value, slope in _RETURN[:-1]:
        blocks.append((off + share * swing_s, steepest + back * value, back * slope / swing_s))
    knots, values, slopes = (np.stack([b[i] for b in blocks], axis=1).ravel() for i in range(3))
    return hermite(t, knots, values, slopes)


def _swing(
    steps: Steps,
    rows: Rows,
    body: Body,
    row: Rows,
    after: Rows,
    u: Array,
    swing_s: Array,
    pitch: Array,
    start_xz: Array,
) -> tuple[Array, Array]:
    yaw = steps.yaw_rad[rows][after]
    strike_pitch = np.radians(steps.strike_deg[rows][after])
    reach, _ = strike_toe(body, strike_pitch)
    end_xz = steps.place_m[rows][after] + reach[:, None] * forward(yaw)
    advance = hermite(u, _ADVANCE[:, 0], _ADVANCE[:, 1], _ADVANCE[:, 2])
    advance = advance + steps.mechanics.toe_ahead * bump(u / 0.8)
    # The foot meets the floor at the speed at which it then comes to rest: a jump would show as a jerk of the knee.
    slap = -_SLAP * strike_pitch / np.maximum(steps.flat_s[rows][after] - steps.land_s[rows][after], 0.03)
    sole_m = body.heel_back_m + body.foot_forward_m
    arm = sole_m * np.sin(strike_pitch) + body.toe_height_m * np.cos(strike_pitch) + HEEL_RADIUS * body.leg_scale
    landing_mps = 2.0 * heel_slip(body, strike_pitch) / _SETTLE_S + np.where(strike_pitch > 0.0, arm * slap, 0.0)
    distance = np.maximum(np.linalg.norm(end_xz - start_xz, axis=1), 0.05)
    slope = np.clip(landing_mps * swing_s / distance, 0.0, 1.2) - _ADVANCE[-1, 2]
    last = 1.0 - _ADVANCE[-2, 0]
    late = np.clip((u - _ADVANCE[-2, 0]) / last, 0.0, 1.0)
    advance = advance + slope * last * late * late * (late - 1.0)
    outward = leftward(yaw) * np.where(steps.side[rows][after] == 0, 1.0, -1.0)[:, None]
    bow = steps.outward_m[rows][after] * bump(u)
    xz = start_xz + advance[:, None] * (end_xz - start_xz) + bow[:, None] * outward
    off_pitch = -np.radians(steps.push_off_deg[rows][row])
    y = swing_toe_height(
        body, u, pitch, off_pitch, strike_pitch, steps.lift_m[rows][after], steps.low_swing_m[rows][after]
    )
    return xz, y


def swing_toe_height(
    body: Body, u: Array, pitch: Array, off_pitch: Array, strike_pitch: Array, lift_m: Array, low_m: Array
) -> Array:
    """Height of the toe base over the swing: clearance of the sole plus what the toe-up pitch adds, metres."""
    sole = body.heel_back_m + body.foot_forward_m
    rise, fall = u / 0.33, (u - 0.33) / 0.35
    settle = (u - 0.68) / 0.32
    clearance = np.where(
        u < 0.33,
        lift_m * _ease(rise),
        np.where(u < 0.68, lift_m + (low_m - lift_m) * _ease(fall), low_m * (1.0 - _ease(settle))),
    )

    def toe_up(angle: Array) -> Array:
        # Softened at zero, so that the toe gets no kick where the pitch passes level.
        return 0.5 * sole * (np.sin(angle) + np.sqrt(np.sin(angle) ** 2 + 0.07**2))

    _, strike_height = strike_toe(body, strike_pitch)
    end_error = strike_height - body.toe_height_m - toe_up(strike_pitch)
    start_error = -toe_up(off_pitch)
    blend = smoothstep(u)
    height = body.toe_height_m + clearance + toe_up(pitch) + blend * end_error + (1.0 - blend) * start_error
    return np.asarray(height, dtype=np.float64)


def _ease(x: Array) -> Array:
    v = np.clip(x, 0.0, 1.0)
    return np.asarray(v * v * (3.0 - 2.0 * v), dtype=np.float64)
