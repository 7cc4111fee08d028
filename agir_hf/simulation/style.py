"""How a person walks: drawn from their severity, body, age and phenotype, with their own habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .body import Body

# Per score 0..3: the project's own interpolation between published group means, a start and not literature.
PRIOR = {
    "walking_speed_mps": (1.22, 1.06, 0.88, 0.64),
    "stride_length_m": (1.30, 1.17, 0.97, 0.72),
    "stride_time_cv_percent": (1.9, 2.4, 3.5, 5.5),
    "arm_swing_less_deg": (43.0, 37.0, 26.0, 14.0),
    "arm_swing_more_deg": (39.0, 25.0, 15.0, 8.0),
    "foot_strike_angle_deg": (23.0, 19.0, 13.0, 6.0),
    "turn_duration_180_s": (2.1, 2.5, 3.3, 4.7),
}


def prior_at(name: str, severity: float) -> float:
    """The prior at a severity between scores; beyond the ends it goes on at half the last step."""
    values = PRIOR[name]
    if severity < 0.0:
        return values[0] + 0.5 * severity * (values[1] - values[0])
    if severity > 3.0:
        return values[3] + 0.5 * (severity - 3.0) * (values[3] - values[2])
    return float(np.interp(severity, np.arange(4), values))


@dataclass(frozen=True)
class Style:
    """A person's way of walking. Pairs are (left, right); angles in degrees."""

    walking_speed_mps: float
    stride_length_m: float
    stride_time_cv_percent: float
    step_length_bias_m: float
    step_time_bias: float
    double_support_share: float
    step_width_m: float
    placement_sd_m: float
    toe_out_deg: tuple[float, float]
    strike_angle_deg: tuple[float, float]
    off_knee_deg: tuple[float, float]
    lift_m: tuple[float, float]
    low_swing_m: tuple[float, float]
    circumduction_m: tuple[float, float]
    hip_hike_deg: tuple[float, float]
    stance_knee_deg: tuple[float, float]
    loading_knee_deg: tuple[float, float]
    arm_swing_deg: tuple[float, float]
    upper_arm_forward_deg: tuple[float, float]
    elbow_deg: tuple[float, float]
    elbow_coupling: tuple[float, float]
    arm_out_deg: tuple[float, float]
    arm_across: float
    arm_restless_deg: float
    forearm_in: tuple[float, float]
    arm_lag: float
    elbow_sharpness: float
    knee_out_deg: tuple[float, float]
    head_wander_deg: float
    pelvis_rotation_deg: float
    pelvis_obliquity_deg: float
    pelvis_tilt_deg: float
    trunk_rotation_deg: float
    trunk_lean_deg: float
    trunk_lean_lag_rad: float
    trunk_nod_deg: float
    trunk_nod_lag_rad: float
    trunk_side_deg: float
    lateral_sway_m: float
    sway_lag_rad: float
    pelvis_surge_m: float
    trunk_flexion_deg: float
    head_pitch_deg: float
    turn_duration_180_s: float
    turn_lead_s: float
    tremor_deg: tuple[float, float]
    tremor_hz: float
    pelvis_back_m: float


def sample_style(
    rng: np.random.Generator,
    body: Body,
    age_years: float,
    severity: float,
    phenotype: str,
    affected: int,
    posture: float,
) -> Style:
    """Draw a way of walking.

    Args:
        severity: continuous, about the score.
        affected: 0 when the left side is the more affected one, 1 when the right is.
        posture: latent of trunk flexion, about standard normal.
    """
    pace, rhythm, arm, foot, turn = severity + 0.50 * np.clip(rng.standard_normal(5), -2.2, 2.2)
    ill = float(np.clip(severity, 0.0, 3.5))
    scale = body.leg_scale
    speed, stride = _pace(rng, scale, age_years, pace)
    relative_speed = speed / np.sqrt(scale)
    values: dict[str, Any] = {
        "walking_speed_mps": speed,
        "stride_length_m": stride,
        "stride_time_cv_percent": float(
            np.clip(prior_at("stride_time_cv_percent", rhythm) * _spread(rng, 0.25), 0.8, 12.0)
        ),
        "double_support_share": float(
            np.clip(0.142 + 0.075 * (1.25 - relative_speed) + 0.004 * ill + 0.011 * rng.standard_normal(), 0.07, 0.22)
        ),
        "step_length_bias_m": scale * (0.007 + 0.006 * ill) * rng.standard_normal(),
        "step_time_bias": (0.008 + 0.008 * ill) * rng.standard_normal(),
        "step_width_m": float(np.clip(0.098 + 0.034 * rng.standard_normal(), 0.035, 0.19)) * scale,
        "placement_sd_m": 0.011 * _spread(rng, 0.25) * scale,
        "turn_duration_180_s": float(np.clip(prior_at("turn_duration_180_s", turn) * _spread(rng, 0.16), 1.3, 9.0)),
        "turn_lead_s": float(np.clip(0.28 - 0.08 * ill + 0.08 * rng.standard_normal(), 0.0, 0.5)),
    }
    values |= _feet(rng, scale, stride, foot, affected)
    values |= _arms(rng, arm, affected)
    values |= _trunk(rng, relative_speed, ill, posture)
    if phenotype != "typical":
        _apply_phenotype(rng, values, phenotype, ill, affected, scale)
    return Style(**values)


def _spread(rng: np.random.Generator, sd: float) -> float:
    """A factor around 1, log-normal."""
    return float(np.exp(sd * np.clip(rng.standard_normal(), -2.5, 2.5)))


def _pace(rng: np.random.Generator, scale: float, age_years: float, severity: float) -> tuple[float, float]:
    """Speed and stride length; speed scales with the root of leg length, stride with it (dynamic similarity)."""
    residual = 0.165 * np.clip(rng.standard_normal(), -2.4, 2.4) - 0.0035 * max(age_years - 65.0, 0.0)
    speed = prior_at("walking_speed_mps", severity) * np.exp(residual) * np.sqrt(scale)
    # Part of a faster person's speed comes from longer strides, the rest from cadence.
    stride = prior_at("stride_length_m", severity + 0.2 * rng.standard_normal()) * np.exp(0.52 * residual) * scale
    stride *= _spread(rng, 0.055)
    stride_time = np.clip(stride / speed, 0.86 * np.sqrt(scale), 1.55 * np.sqrt(scale))
    stride = float(np.clip(stride, 0.22 * scale, 1.54 * scale))
    return float(max(stride / stride_time, 0.16)), stride


def _pair(rng: np.random.Generator, mean: float, sd: float) -> list[float]:
    return [float(mean + sd * rng.standard_normal()), float(mean + sd * rng.standard_normal())]


def _feet(rng: np.random.Generator, scale: float, stride: float, severity: float, affected: int) -> dict[str, Any]:
    ill = float(np.clip(severity, 0.0, 3.5))
    stride_ratio = stride / scale
    strike = prior_at("foot_strike_angle_deg", severity) + 4.4 * rng.standard_normal()
    strikes = _pair(rng, strike, 1.6)
    strikes[affected] -= 1.2 * ill
    off_knee = _pair(rng, 26.0 + 6.0 * (stride_ratio - 1.2) - 1.8 * ill + 2.6 * rng.standard_normal(), 2.0)
    lift_ill = float(np.clip(severity + 0.45 * rng.standard_normal(), 0.0, 3.5))
    lift = _pair(rng, 0.077 * np.exp(-0.23 * lift_ill) * _spread(rng, 0.23), 0.004)
    lift[affected] -= 0.003 * ill
    low = _pair(rng, 0.016 * _spread(rng, 0.3), 0.002)
    toe_out = float(np.clip(9.0 + 7.0 * rng.standard_normal(), -8.0, 28.0))
    # Straight to well bent, in health too: people differ, and so does where recording skeletons put the knee.
    knee = float(np.clip(2.5 + rng.gamma(1.1, 3.8) + 0.8 * ill, 2.5, 30.0))
    loading = float(np.clip(knee + 4.0 + 7.5 * stride_ratio - 2.0 * ill + 2.5 * rng.standard_normal(), knee, 30.0))
    return {
        "toe_out_deg": tuple(_pair(rng, toe_out, 2.5)),
        "strike_angle_deg": tuple(float(np.clip(s, -3.0, 34.0)) for s in strikes),
        "off_knee_deg": tuple(float(np.clip(k, 8.0, 42.0)) for k in off_knee),
        "lift_m": tuple(float(np.clip(v, 0.008, 0.12)) * scale for v in lift),
        "low_swing_m": tuple(float(np.clip(v, 0.004, 0.05)) * scale for v in low),
        "circumduction_m": tuple(float(max(v, 0.0)) * scale for v in _pair(rng, 0.008, 0.006)),
        "hip_hike_deg": (0.0, 0.0),
        "knee_out_deg": tuple(_pair(rng, 4.0 + 6.5 * rng.standard_normal(), 3.0)),
        "stance_knee_deg": tuple(float(max(v, 2.5)) for v in _pair(rng, knee, 1.0)),
        "loading_knee_deg": tuple(float(max(v, 3.0)) for v in _pair(rng, loading, 1.2)),
    }


def _arms(rng: np.random.Generator, severity: float, affected: int) -> dict[str, Any]:
    ill = float(np.clip(severity, 0.0, 3.5))
    common = _spread(rng, 0.26)
    swing = [0.0, 0.0]
    swing[affected] = prior_at("arm_swing_more_deg", severity) * common * _spread(rng, 0.20)
    swing[1 - affected] = prior_at("arm_swing_less_deg", severity) * common * _spread(rng, 0.16)
    if rng.random() < 0.05:  # a habit of keeping one arm still (a bag, a hand in the pocket) is no disease
        swing[int(rng.integers(2))] *= 0.35
    elbow = _pair(rng, 25.0 + 7.0 * rng.standard_normal() + 5.0 * ill, 4.0)
    elbow[affected] += 4.5 * ill * float(rng.random())
    if rng.random() < 0.12:  # arms carried bent are a habit too
        carried = float(rng.uniform(20.0, 65.0))
        elbow = [angle + carried * float(rng.uniform(0.6, 1.0)) for angle in elbow]
    forward = -3.0 + 6.0 * rng.standard_normal()
    out = 9.0 + 4.5 * rng.standard_normal()
    return {
        "arm_swing_deg": tuple(float(np.clip(v, 1.5, 85.0)) for v in swing),
        # An arm that is carried bent is also drawn back a little at the shoulder.
        "upper_arm_forward_deg": tuple(
            value - 0.12 * angle for value, angle in zip(_pair(rng, forward, 2.5), elbow, strict=True)
        ),
        "elbow_deg": tuple(float(np.clip(v, 6.0, 105.0)) for v in elbow),
        "elbow_coupling": tuple(float(np.clip(v, 0.0, 1.5)) for v in _pair(rng, 0.20 + rng.gamma(2.0, 0.19), 0.12)),
        "arm_out_deg": tuple(float(np.clip(v, 0.5, 28.0)) for v in _pair(rng, out, 2.0)),
        "forearm_in": tuple(_pair(rng, 0.28 + 0.16 * rng.standard_normal(), 0.06)),
        "arm_across": float(0.12 + 0.16 * np.clip(rng.standard_normal(), -2.0, 2.0)),
        "elbow_sharpness": float(rng.uniform(1.0, 2.4)),
        "arm_restless_deg": 2.0 * _spread(rng, 0.35),
        "arm_lag": float(np.clip(0.014 + 0.025 * rng.standard_normal(), -0.05, 0.09)),
        "tremor_deg": (0.0, 0.0),
        "tremor_hz": float(rng.uniform(4.0, 6.0)),
    }


def _trunk(rng: np.random.Generator, relative_speed: float, ill: float, posture: float) -> dict[str, Any]:
    pace = float(np.clip(relative_speed / 1.2, 0.4, 1.4))
    flexion = float(np.clip(-1.2 + 4.0 * np.exp(0.72 * posture) + 2.4 * rng.standard_normal(), -8.0, 42.0))
    return {
        "pelvis_rotation_deg": 5.2 * pace * np.exp(-0.10 * ill) * _spread(rng, 0.35),
        "pelvis_obliquity_deg": 3.6 * pace * np.exp(-0.05 * ill) * _spread(rng, 0.30),
        "pelvis_tilt_deg": 1.3 * pace * _spread(rng, 0.35),
        "trunk_rotation_deg": 4.4 * pace * np.exp(-0.14 * ill) * _spread(rng, 0.35),
        "trunk_lean_deg": 1.8 * _spread(rng, 0.5),
        "trunk_lean_lag_rad": float(-0.7 + 0.6 * rng.standard_normal()),
        "trunk_nod_deg": 1.1 * _spread(rng, 0.45),
        "trunk_nod_lag_rad": float(0.6 + 0.8 * rng.standard_normal()),
        "sway_lag_rad": float(0.28 + 0.2 * rng.standard_normal()),
        "pelvis_surge_m": 0.0112 * _spread(rng, 0.22),
        "trunk_side_deg": float((0.9 + 0.5 * ill) * rng.standard_normal()),
        "lateral_sway_m": float(np.clip(0.028 - 0.009 * (pace - 1.0) + 0.006 * rng.standard_normal(), 0.012, 0.06)),
        "trunk_flexion_deg": flexion,
        "head_pitch_deg": float(5.0 + 6.5 * rng.standard_normal() + 0.12 * max(flexion - 8.0, 0.0)),
        "head_wander_deg": 2.0 * _spread(rng, 0.5),
        "pelvis_back_m": float(0.0016 * max(flexion - 6.0, 0.0)),
    }


def _apply_phenotype(
    rng: np.random.Generator,
    values: dict[str, Any],
    phenotype: str,
    ill: float,
    affected: int,
    scale: float,
) -> None:
    """Change the drawn values in place to a recognisable pattern, in proportion to the severity."""
    grade = float(np.clip(0.35 + 0.28 * ill, 0.3, 1.2)) * float(rng.uniform(0.7, 1.3))

    def on_affected(name: str, change: float, low: float, high: float) -> None:
        pair = list(values[name])
        pair[affected] = float(np.clip(pair[affected] + change, low, high))
        values[name] = tuple(pair)

    if phenotype == "tremor":
        pair = [0.0, 0.0]
        pair[affected] = float(3.0 + 7.0 * rng.random()) * grade
        values["tremor_deg"] = tuple(pair)
    elif phenotype == "one_sided":
        sign = -1.0 if affected == 1 else 1.0  # positive bias: the left step is the longer one
        direction = 1.0 if rng.random() < 0.65 else -1.0
        values["step_length_bias_m"] = sign * direction * scale * grade * float(rng.uniform(0.03, 0.10))
        # Standing on the affected leg is cut short: the step of the other leg comes early.
        values["step_time_bias"] = sign * grade * float(rng.uniform(0.03, 0.11))
        on_affected("lift_m", -grade * float(rng.uniform(0.0, 0.03)), 0.008, 0.12)
        on_affected("strike_angle_deg", -grade * float(rng.uniform(2.0, 13.0)), -8.0, 34.0)
        on_affected("off_knee_deg", -grade * float(rng.uniform(0.0, 15.0)), 10.0, 52.0)
        on_affected("circumduction_m", grade * float(rng.uniform(0.0, 0.05)) * scale, 0.0, 0.09)
        on_affected("hip_hike_deg", grade * float(rng.uniform(0.0, 5.0)), 0.0, 8.0)
        on_affected("arm_swing_deg", -0.5 * grade * values["arm_swing_deg"][affected], 1.5, 85.0)
        if rng.random() < 0.5:
            on_affected("elbow_deg", grade * float(rng.uniform(10.0, 50.0)), 6.0, 105.0)
        values["trunk_side_deg"] = float(values["trunk_side_deg"] - sign * grade * rng.uniform(-2.0, 4.0))
    elif phenotype == "waddling":
        values["trunk_lean_lag_rad"] = 0.2 * float(rng.standard_normal())
        values["trunk_lean_deg"] = 3.0 + 7.0 * grade * float(rng.random())
        values["lateral_sway_m"] = values["lateral_sway_m"] + 0.02 * grade
        values["step_width_m"] = values["step_width_m"] + 0.04 * grade * scale
        values["pelvis_obliquity_deg"] = values["pelvis_obliquity_deg"] * (1.0 - 1.2 * grade * float(rng.random()))
    elif phenotype == "wide_based":
        values["step_width_m"] = values["step_width_m"] + float(rng.uniform(0.05, 0.12)) * grade * scale
        values["placement_sd_m"] = values["placement_sd_m"] * (1.0 + 1.6 * grade)
        values["stride_time_cv_percent"] = values["stride_time_cv_percent"] * (1.0 + 0.5 * grade)
        values["arm_out_deg"] = tuple(v + 9.0 * grade for v in values["arm_out_deg"])
    else:
        extra = float(rng.uniform(8.0, 22.0)) * grade
        values["stance_knee_deg"] = tuple(float(np.clip(v + extra, 2.5, 38.0)) for v in values["stance_knee_deg"])
        values["loading_knee_deg"] = tuple(float(np.clip(v + extra, 3.0, 45.0)) for v in values["loading_knee_deg"])
