"""Made-up measurements of people, for the tests of texts. Nobody's gait: values only have to look like some."""

from __future__ import annotations

import random

from agir_hf.gait import PARAMETER_NAMES, GaitParameters, GaitQuality

# speed, stride, arm swing of the two sides, foot-strike angle, turn duration, clearance (cm)
_KINDS = (
    (1.20, 1.30, 42.0, 38.0, 23.0, 2.1, 7.5),
    (1.06, 1.18, 36.0, 24.0, 19.0, 2.5, 6.2),
    (0.86, 0.96, 24.0, 14.0, 12.0, 3.4, 4.9),
    (0.60, 0.70, 12.0, 8.0, 5.0, 5.0, 3.6),
)


def parameters(
    values: dict[str, float | None],
    *,
    uncertain: tuple[str, ...] = (),
    walking: bool = True,
    strides: int = 9,
    steady_strides: int = 7,
) -> GaitParameters:
    """``GaitParameters`` with these values and None for the others."""
    full = {name: values.get(name) for name in PARAMETER_NAMES}
    return GaitParameters(
        values=full,
        reasons={name: "made up" for name, value in full.items() if value is None},
        low_confidence=dict.fromkeys(uncertain, "made up"),
        events=(),
        quality=GaitQuality(walking, strides, steady_strides, 100.0, (), None if walking else "stands still"),
        warnings=(),
    )


def some_person(seed: int, *, missing: float = 0.1, uncertain: float = 0.1) -> GaitParameters:
    """A random person; each value is missing or uncertain with the given probability."""
    rng = random.Random(f"person {seed}")
    speed_0, stride_0, arm_a, arm_b, strike, turn, lift = rng.choice(_KINDS)
    speed = max(0.2, rng.gauss(speed_0, 0.2))
    stride = max(0.3, stride_0 * (speed / speed_0) ** 0.6 * rng.gauss(1.0, 0.05))
    arms = [max(0.5, rng.gauss(arm_a, 8.0)), max(0.5, rng.gauss(arm_b, 8.0))]
    rng.shuffle(arms)
    step_left = stride / 2 * rng.gauss(1.0, 0.06)
    step_right = stride - step_left
    values: dict[str, float | None] = {
        "walking_speed_mps": speed,
        "cadence_spm": speed / stride * 120.0,
        "stride_length_m": stride,
        "stride_time_s": stride / speed,
        "step_length_left_m": step_left,
        "step_length_right_m": step_right,
        "step_length_asymmetry_percent": 100 * abs(step_left - step_right) / max(step_left, step_right),
        "step_width_m": abs(rng.gauss(0.11, 0.04)),
        "double_support_percent": rng.gauss(32.0, 4.0),
        "swing_percent": rng.gauss(34.0, 2.0),
        "stride_time_cv_percent": abs(rng.gauss(3.0, 1.2)),
        "arm_swing_left_deg": arms[0],
        "arm_swing_right_deg": arms[1],
        "arm_swing_asymmetry_percent": 100 * abs(arms[0] - arms[1]) / max(arms),
        "trunk_flexion_deg": rng.gauss(8.0, 7.0),
        "foot_clearance_left_m": max(0.002, rng.gauss(lift, 1.0) / 100),
        "foot_clearance_right_m": max(0.002, rng.gauss(lift, 1.0) / 100),
        "foot_strike_angle_left_deg": rng.gauss(strike, 4.0),
        "foot_strike_angle_right_deg": rng.gauss(strike, 4.0),
        "turn_duration_180_s": max(0.8, rng.gauss(turn, 0.5)),
        "freezing_episodes": float(rng.choice((0, 0, 0, 1, 2))),
    }
    for name in values:
        if rng.random() < missing:
            values[name] = None
    doubtful = tuple(name for name, value in values.items() if value is not None and rng.random() < uncertain)
    return parameters(values, uncertain=doubtful)


def known_person() -> GaitParameters:
    """A slow walker with a small left arm swing; all values known, all six rated aspects reduced."""
    return parameters(
        {
            "walking_speed_mps": 0.782,
            "cadence_spm": 98.3,
            "stride_length_m": 0.953,
            "stride_time_s": 1.22,
            "step_length_left_m": 0.45,
            "step_length_right_m": 0.503,
            "step_length_asymmetry_percent": 10.5,
            "step_width_m": 0.11,
            "double_support_percent": 34.2,
            "swing_percent": 32.9,
            "stride_time_cv_percent": 3.4,
            "arm_swing_left_deg": 12.2,
            "arm_swing_right_deg": 31.1,
            "arm_swing_asymmetry_percent": 60.8,
            "trunk_flexion_deg": 12.0,
            "foot_clearance_left_m": 0.041,
            "foot_clearance_right_m": 0.058,
            "foot_strike_angle_left_deg": 11.0,
            "foot_strike_angle_right_deg": 19.3,
            "turn_duration_180_s": 3.42,
            "freezing_episodes": 0.0,
        }
    )
