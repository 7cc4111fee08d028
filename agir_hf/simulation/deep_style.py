"""What age, sex, one-sided onset, phenotype and a second task do to a way of walking: styles in, styles out.

Where a docstring names a source, the direction is published; amounts are ours unless it gives a figure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from .people import Sex
from .style import Style, prior_at

ParkinsonPhenotype = Literal["tremor-dominant", "akinetic-rigid", "freezing"]
Pair = tuple[float, float]

# No gait of the cohort is slower or shorter than this: below it the steps of the plan fall into each other.
_LEAST_SPEED_MPS, _LEAST_STRIDE_M = 0.16, 0.22


def paced(style: Style, speed_factor: float, stride_factor: float) -> Style:
    """The same walker at another speed and stride length."""
    return replace(
        style,
        walking_speed_mps=max(style.walking_speed_mps * speed_factor, _LEAST_SPEED_MPS),
        stride_length_m=max(style.stride_length_m * stride_factor, _LEAST_STRIDE_M),
    )


def scaled(pair: Pair, factor: float, low: float, high: float) -> Pair:
    """Both sides times ``factor``, kept within limits."""
    return (float(np.clip(pair[0] * factor, low, high)), float(np.clip(pair[1] * factor, low, high)))


def on_side(pair: Pair, side: int, value: float) -> Pair:
    """The pair with one side replaced."""
    return (value, pair[1]) if side == 0 else (pair[0], value)


def with_free_knees(style: Style) -> Style:
    """Knees that come nearly straight, and a foot that lands steeper: by the counted contact the toes have come down.

    Normal walking has the knee within a few degrees of straight in mid-stance (facts/normal_joint_angles.csv); in the
    first cohort it stops at 9.
    """
    stance = tuple(2.0 + 0.45 * (knee - 2.5) for knee in style.stance_knee_deg)
    loading = tuple(
        now + (high - low) for now, low, high in zip(stance, style.stance_knee_deg, style.loading_knee_deg, strict=True)
    )
    return replace(
        style,
        stance_knee_deg=(stance[0], stance[1]),
        loading_knee_deg=(loading[0], loading[1]),
        off_knee_deg=(style.off_knee_deg[0] + 5.0, style.off_knee_deg[1] + 5.0),
        strike_angle_deg=scaled(style.strike_angle_deg, 1.35, -3.0, 40.0),
    )


def aged(style: Style, age_years: float) -> Style:
    """Slower, shorter steps, a little more double support and less arm swing beyond 60 years, healthy or not.

    Speed falls by 12 % (women) and 16 % (men) a decade from 62 on (Himann 1988); together with the 3.5 % of the first
    cohort this takes 9.5 % a decade, as people who still come to a laboratory are the fitter ones.
    """
    decades = max(age_years - 60.0, 0.0) / 10.0
    slower = paced(style, np.exp(-0.060 * decades), np.exp(-0.045 * decades))
    return replace(
        slower,
        double_support_share=float(np.clip(style.double_support_share + 0.004 * decades, 0.07, 0.24)),
        stride_time_cv_percent=style.stride_time_cv_percent * np.exp(0.04 * decades),
        arm_swing_deg=scaled(style.arm_swing_deg, np.exp(-0.06 * decades), 1.5, 85.0),
        strike_angle_deg=scaled(style.strike_angle_deg, np.exp(-0.04 * decades), -8.0, 38.0),
        turn_duration_180_s=style.turn_duration_180_s * np.exp(0.05 * decades),
    )


def sexed(style: Style, sex: Sex) -> Style:
    """Women step a little quicker and shorter at their speed (Oberg 1993), narrower, with more pelvis motion."""
    sign = 1.0 if sex == "female" else -1.0
    return replace(
        style,
        stride_length_m=style.stride_length_m * (1.0 - 0.015 * sign),
        step_width_m=style.step_width_m * (1.0 - 0.05 * sign),
        pelvis_obliquity_deg=style.pelvis_obliquity_deg * (1.0 + 0.10 * sign),
        pelvis_rotation_deg=style.pelvis_rotation_deg * (1.0 + 0.05 * sign),
    )


def with_likely_arms(style: Style, severity: float, affected: int) -> Style:
    """Arms that differ less by chance: half of how far their ratio is from the one that the severity brings is kept.

    Healthy controls show 5.1 +- 4.0 percent by the arctangent formula (Lewek 2010), 16 +- 12 percent by ours; the first
    cohort's arms measure 22 +- 15.
    """
    brought = prior_at("arm_swing_more_deg", severity) / prior_at("arm_swing_less_deg", severity)
    affected_deg, other_deg = style.arm_swing_deg[affected], style.arm_swing_deg[1 - affected]
    mean = np.sqrt(affected_deg * other_deg)
    ratio = brought * (affected_deg / other_deg / brought) ** 0.5
    arms = (mean * np.sqrt(ratio), mean / np.sqrt(ratio))
    return replace(style, arm_swing_deg=scaled((arms[affected], arms[1 - affected]), 1.0, 1.5, 85.0))


def with_onset(style: Style, severity: float, disease_years: float, affected: int) -> Style:
    """The other arm follows: the difference between the arms shrinks as the disease goes on (Espinoza-Araneda 2023).

    Untreated early disease: 22.6 against 35.7 degrees (facts/gait_norms.csv), which is where this starts.
    """
    more, less = prior_at("arm_swing_more_deg", severity), prior_at("arm_swing_less_deg", severity)
    one_sidedness = 1.25 * np.exp(-disease_years / 8.0)
    other = 1 - affected
    swing = style.arm_swing_deg[other] * (more + one_sidedness * (less - more)) / less
    return replace(style, arm_swing_deg=on_side(style.arm_swing_deg, other, float(np.clip(swing, 1.5, 85.0))))


def with_phenotype(
    style: Style,
    phenotype: ParkinsonPhenotype,
    severity: float,
    affected: int,
    tremor_deg: float,
    medicated: bool,
) -> Style:
    """A recognisable way of having Parkinson's disease, on top of the severity.

    Args:
        tremor_deg: the person's own size of tremor at the elbow, unmedicated.
    """
    ill = float(np.clip(severity, 0.0, 3.5))
    if phenotype == "tremor-dominant":
        seen = tremor_deg * (0.45 if medicated else 1.0)
        other = 0.35 * seen if ill > 1.5 else 0.0
        return replace(style, tremor_deg=on_side((other, other), affected, seen))
    if phenotype == "akinetic-rigid":
        elbow = on_side(style.elbow_deg, affected, min(style.elbow_deg[affected] + 4.0 + 5.0 * ill, 105.0))
        return replace(
            style,
            elbow_deg=elbow,
            arm_swing_deg=scaled(style.arm_swing_deg, 0.92 - 0.03 * ill, 1.5, 85.0),
            arm_restless_deg=0.7 * style.arm_restless_deg,
            trunk_rotation_deg=style.trunk_rotation_deg * (0.85 - 0.05 * ill),
            pelvis_rotation_deg=style.pelvis_rotation_deg * 0.85,
            turn_lead_s=max(style.turn_lead_s - 0.12, 0.0),  # head, trunk and pelvis turn as one
        )
    # People who freeze walk less evenly between the episodes too (Hausdorff 2003), here with shorter, quicker steps.
    quicker = paced(style, 1.0, 0.96)
    return replace(quicker, stride_time_cv_percent=min(1.35 * style.stride_time_cv_percent, 12.0))


def with_second_task(style: Style, cost: float) -> Style:
    """Walking while counting or talking: slower, shorter, less even (reviewed by Kelly 2012).

    Args:
        cost: share of the speed given up.
    """
    slower = paced(style, 1.0 - cost, 1.0 - 0.65 * cost)
    return replace(
        slower,
        stride_time_cv_percent=min(style.stride_time_cv_percent * (1.0 + 3.0 * cost), 12.0),
        double_support_share=min(style.double_support_share + 0.06 * cost, 0.24),
        arm_swing_deg=scaled(style.arm_swing_deg, 1.0 - 0.5 * cost, 1.5, 85.0),
    )
