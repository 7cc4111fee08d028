"""Body sizes: where the joints of a virtual person sit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curves import Array

# Segment lengths as fractions of stature follow Drillis and Contini (1966), as tabulated in Winter (2009), moved to the
# joint centres of the 22-joint skeleton. Trunk joints sit at fixed fractions of the line from the middle of the hips to
# the middle of the shoulders, with personal variation about where reading a recording puts them: the neck on that line,
# the lower spine a little behind it, the head close above the neck. Means that differ would mark every simulated body.


@dataclass(frozen=True)
class Body:
    """Bone lengths and joint offsets, metres. Trunk offsets are (left, up, forward) from the middle of the hips."""

    height_m: float
    thigh_m: float
    shank_m: float
    hip_half_width_m: float
    ankle_height_m: float
    toe_height_m: float
    foot_forward_m: float
    heel_back_m: float
    trunk_m: float
    pelvis_up_m: float
    spine_up_m: tuple[float, float, float]
    spine_forward_m: tuple[float, float, float]
    neck_up_m: float
    neck_forward_m: float
    head_up_m: float
    head_forward_m: float
    collar_up_m: float
    collar_out_m: float
    shoulder_half_width_m: float
    shoulder_forward_m: float
    upper_arm_m: float
    forearm_m: float

    @property
    def leg_m(self) -> float:
        """Hip joint to floor, standing straight."""
        return self.thigh_m + self.shank_m + self.ankle_height_m

    @property
    def leg_scale(self) -> float:
        """Leg length over that of a 1.72 m adult: lengths of a walk scale with it, times with its root."""
        return self.leg_m / 0.88

    @property
    def foot_rise_m(self) -> float:
        """Height of the ankle above the toe base in a flat foot."""
        return self.ankle_height_m - self.toe_height_m


def sample_body(rng: np.random.Generator, sex: str, height_m: float) -> Body:
    """Draw the proportions of a person of this sex and height."""

    def around(mean: float, sd: float) -> float:
        return float(mean * (1.0 + np.clip(rng.standard_normal(), -2.4, 2.4) * sd))

    h = height_m
    female = sex == "female"
    leg_share = around(1.0, 0.025)
    trunk = around(0.288, 0.03) * h / leg_share
    spine = (
        0.37 + 0.02 * rng.standard_normal(),
        0.62 + 0.015 * rng.standard_normal(),
        0.72 + 0.015 * rng.standard_normal(),
    )
    bend = 0.006 * h / 1.7 * np.clip(rng.standard_normal(3), -2, 2)
    half_shoulder = around(0.107 if female else 0.114, 0.05) * h
    foot_forward = around(0.072, 0.06) * h
    return Body(
        height_m=h,
        thigh_m=around(0.245, 0.025) * h * leg_share,
        shank_m=around(0.246, 0.025) * h * leg_share,
        hip_half_width_m=around(0.050 if female else 0.048, 0.10) * h + 0.004,
        ankle_height_m=around(0.040, 0.06) * h,
        toe_height_m=around(0.012, 0.15) * h,
        foot_forward_m=foot_forward,
        heel_back_m=foot_forward * around(0.38, 0.08),
        trunk_m=trunk,
        pelvis_up_m=trunk * around(0.175, 0.08),
        spine_up_m=(float(trunk * spine[0]), float(trunk * spine[1]), float(trunk * spine[2])),
        spine_forward_m=(float(-0.008 * h + bend[0]), float(-0.008 * h + bend[1]), float(-0.001 * h + bend[2])),
        neck_up_m=trunk * around(1.115, 0.015),
        neck_forward_m=float(0.002 * h * rng.standard_normal()),
        head_up_m=around(0.042, 0.12) * h,
        head_forward_m=around(0.018, 0.25) * h,
        collar_up_m=trunk * around(0.945, 0.015),
        collar_out_m=half_shoulder * around(0.43, 0.08),
        shoulder_half_width_m=half_shoulder,
        shoulder_forward_m=float(0.006 * h * rng.standard_normal()),
        upper_arm_m=around(0.162, 0.035) * h,
        forearm_m=around(0.148, 0.035) * h,
    )


def trunk_offsets(body: Body) -> dict[str, Array]:
    """Rest offsets (left, up, forward) from the middle of the hips of the trunk joints, metres."""
    up, ahead = body.spine_up_m, body.spine_forward_m
    return {
        "pelvis": np.array([0.0, body.pelvis_up_m, 0.0]),
        "spine1": np.array([0.0, up[0], ahead[0]]),
        "spine2": np.array([0.0, up[1], ahead[1]]),
        "spine3": np.array([0.0, up[2], ahead[2]]),
        "neck": np.array([0.0, body.neck_up_m, body.neck_forward_m]),
    }


def leg_length(body: Body, knee_deg: Array | float) -> Array:
    """Hip to ankle with the knee bent this far."""
    bend = np.radians(knee_deg)
    return np.asarray(np.sqrt(body.thigh_m**2 + body.shank_m**2 + 2 * body.thigh_m * body.shank_m * np.cos(bend)))


# The heel is round: the foot rolls forward over it, so far per radian (for a leg scale of 1).
HEEL_RADIUS = 0.045


def heel_slip(body: Body, strike_pitch: Array) -> Array:
    """How far behind its resting place the heel touches the floor, metres: more in a long, heel-first step."""
    return np.asarray(0.029 * body.leg_scale * np.clip(strike_pitch / 0.4, 0.25, 1.1), dtype=np.float64)


def strike_ankle(body: Body, pitch_rad: Array) -> Array:
    """(N, 2) ankle at a strike with this pitch: forward of where it is in the flat foot, and up from the floor, m."""
    toe, height = strike_toe(body, pitch_rad)
    back = -body.foot_forward_m * np.cos(pitch_rad) - body.foot_rise_m * np.sin(pitch_rad)
    up = -body.foot_forward_m * np.sin(pitch_rad) + body.foot_rise_m * np.cos(pitch_rad)
    return np.stack([toe + back, height + up], axis=-1)


def strike_toe(body: Body, pitch_rad: Array) -> tuple[Array, Array]:
    """Forward distance from the point under the flat ankle, and height, of the toe base at a strike with this pitch."""
    sole = body.heel_back_m + body.foot_forward_m
    up = pitch_rad > 0.0
    rolled = sole * np.cos(pitch_rad) - body.toe_height_m * np.sin(pitch_rad) - body.heel_back_m
    rolled = rolled - HEEL_RADIUS * body.leg_scale * pitch_rad
    reach = np.where(up, rolled, body.foot_forward_m) - heel_slip(body, pitch_rad)
    height = np.where(up, sole * np.sin(pitch_rad) + body.toe_height_m * np.cos(pitch_rad), body.toe_height_m)
    return np.asarray(reach), np.asarray(height)
