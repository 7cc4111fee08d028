"""Gait patterns that are not Parkinson's disease, for contrast: recognisable, graded, and without a score.

What marks each pattern is clinical common ground; every amount is ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from .deep_style import on_side, paced, scaled
from .style import Style

Contrast = Literal["hemiparetic", "steppage", "ataxic", "antalgic"]
CONTRASTS: tuple[Contrast, ...] = get_args(Contrast)


def contrast_style(rng: np.random.Generator, style: Style, pattern: Contrast, affected: int, leg_scale: float) -> Style:
    """A healthy way of walking changed into one of the patterns.

    Args:
        affected: 0 left, 1 right; an ataxic gait has no side.
        leg_scale: leg length over that of a 1.72 m adult.
    """
    change = {"hemiparetic": _hemiparetic, "steppage": _steppage, "ataxic": _ataxic, "antalgic": _antalgic}[pattern]
    return change(rng, style, affected, leg_scale)


def _longer(affected: int) -> float:
    """Sign of the step biases that makes the affected side's step the longer one, in time or in length."""
    return 1.0 if affected == 0 else -1.0


def _hemiparetic(rng: np.random.Generator, style: Style, affected: int, scale: float) -> Style:
    """A stiff leg swung round in an arc by a hiked hip, the foot set down flat, the arm bent and still."""
    speed = float(rng.uniform(0.48, 0.75))
    slow = paced(style, speed, speed**0.7)
    sign = _longer(affected)
    return replace(
        slow,
        step_time_bias=sign * float(rng.uniform(0.06, 0.14)),
        step_length_bias_m=sign * scale * float(rng.uniform(-0.02, 0.09)),
        double_support_share=float(np.clip(style.double_support_share + 0.035, 0.07, 0.24)),
        circumduction_m=on_side(style.circumduction_m, affected, scale * float(rng.uniform(0.05, 0.10))),
        hip_hike_deg=on_side((0.0, 0.0), affected, float(rng.uniform(4.0, 8.0))),
        lift_m=on_side(style.lift_m, affected, scale * float(rng.uniform(0.018, 0.032))),
        off_knee_deg=on_side(style.off_knee_deg, affected, float(rng.uniform(6.0, 12.0))),
        loading_knee_deg=on_side(style.loading_knee_deg, affected, style.stance_knee_deg[affected] + 3.0),
        strike_angle_deg=on_side(style.strike_angle_deg, affected, float(rng.uniform(-4.0, 4.0))),
        arm_swing_deg=on_side(style.arm_swing_deg, affected, float(rng.uniform(2.0, 6.0))),
        elbow_deg=on_side(style.elbow_deg, affected, float(rng.uniform(60.0, 95.0))),
        elbow_coupling=on_side(style.elbow_coupling, affected, 0.1),
        arm_out_deg=on_side(style.arm_out_deg, affected, float(rng.uniform(12.0, 20.0))),
        trunk_side_deg=style.trunk_side_deg - sign * float(rng.uniform(1.0, 4.0)),  # away from the leg that is lifted
    )


def _steppage(rng: np.random.Generator, style: Style, affected: int, scale: float) -> Style:
    """The foot hangs: the leg is lifted high and the toes meet the floor first; in a third of people on both sides."""
    speed = float(rng.uniform(0.65, 0.88))
    slow = paced(style, speed, speed**0.6)
    both = bool(rng.random() < 0.33)
    lift, low = style.lift_m, style.low_swing_m
    strike = style.strike_angle_deg
    for side in (0, 1):
        height, angle = scale * float(rng.uniform(0.105, 0.145)), float(rng.uniform(-16.0, -7.0))
        if both or side == affected:
            lift, strike = on_side(lift, side, height), on_side(strike, side, angle)
            low = on_side(low, side, 0.6 * height)
    return replace(slow, lift_m=lift, low_swing_m=low, strike_angle_deg=strike)


def _ataxic(rng: np.random.Generator, style: Style, affected: int, scale: float) -> Style:
    """Wide and uneven: no two steps alike, arms held off the body, a swaying trunk."""
    del affected
    speed = float(rng.uniform(0.55, 0.82))
    slow = paced(style, speed, speed**0.75)
    return replace(
        slow,
        step_width_m=style.step_width_m + scale * float(rng.uniform(0.08, 0.15)),
        placement_sd_m=style.placement_sd_m * float(rng.uniform(2.4, 3.6)),
        stride_time_cv_percent=float(rng.uniform(5.0, 9.5)),
        double_support_share=float(np.clip(style.double_support_share + 0.025, 0.07, 0.24)),
        arm_out_deg=(style.arm_out_deg[0] + 10.0, style.arm_out_deg[1] + 10.0),
        arm_restless_deg=2.2 * style.arm_restless_deg,
        lateral_sway_m=style.lateral_sway_m + 0.015,
        trunk_lean_deg=style.trunk_lean_deg + float(rng.uniform(1.0, 4.0)),
        head_wander_deg=1.8 * style.head_wander_deg,
        strike_angle_deg=scaled(style.strike_angle_deg, 0.75, -8.0, 38.0),
    )


def _antalgic(rng: np.random.Generator, style: Style, affected: int, scale: float) -> Style:
    """Off the painful leg as soon as may be: its stance is short, the other leg's step quick and short."""
    speed = float(rng.uniform(0.60, 0.82))
    slow = paced(style, speed, speed**0.7)
    sign = _longer(affected)
    bent = float(rng.uniform(6.0, 14.0))
    return replace(
        slow,
        step_time_bias=sign * float(rng.uniform(0.10, 0.18)),
        step_length_bias_m=sign * scale * float(rng.uniform(0.04, 0.10)),
        stance_knee_deg=on_side(style.stance_knee_deg, affected, style.stance_knee_deg[affected] + bent),
        loading_knee_deg=on_side(style.loading_knee_deg, affected, style.stance_knee_deg[affected] + bent + 5.0),
        strike_angle_deg=on_side(style.strike_angle_deg, affected, 0.5 * style.strike_angle_deg[affected]),
        trunk_side_deg=style.trunk_side_deg + sign * float(rng.uniform(2.0, 6.0)),
        trunk_lean_deg=style.trunk_lean_deg + float(rng.uniform(1.0, 3.0)),
    )
