"""``measure_gait``: one clip in, ``GaitParameters`` out."""

from __future__ import annotations

from ..clip import MotionClip
from . import parameters as p
from .events import detect_contacts
from .plausibility import implausible, implausible_sentences, inconsistent
from .results import PARAMETER_NAMES, GaitParameters, GaitQuality
from .segments import find_steps, find_strides, find_turns, not_walking_reason
from .signals import body_signals
from .walk_warnings import walk_warnings

# What a path told from the planted foot, as pose lifting and treadmills leave it to be, can get wrong.
LEANING_ON_THE_PATH = (
    "walking_speed_mps",
    "stride_length_m",
    "step_length_left_m",
    "step_length_right_m",
    "step_length_asymmetry_percent",
    "step_width_m",
    "freezing_episodes",
)
PATH_RECOVERED = "the path was recovered from the planted foot"


def measure_gait(clip: MotionClip) -> GaitParameters:
    """Measure the gait in a clip at its native frame rate and body size.

    Args:
        clip: any length, any direction of travel; a turn on the way is welcome.

    Returns:
        All of ``PARAMETER_NAMES``. A value without evidence is None with a reason; where the clip is not walking, all
        are None and ``quality.not_walking_reason`` says why.
    """
    signals = body_signals(clip)
    contacts = detect_contacts(signals, clip.joints_filled)
    reason = not_walking_reason(signals, contacts)
    if reason is not None:
        quality = GaitQuality(False, 0, 0, clip.frame_rate_hz, clip.joints_filled, reason)
        nulls = dict.fromkeys(PARAMETER_NAMES, "not walking")
        return GaitParameters(dict.fromkeys(PARAMETER_NAMES), nulls, {}, (), quality, (*clip.warnings, reason))
    turns = find_turns(signals)
    strides = find_strides(signals, contacts, turns)
    steps = find_steps(signals, contacts, strides, turns)
    evidence = p.Evidence(signals, contacts, strides, steps, turns, clip.frame_rate_hz, clip.joints_filled)
    measured = measure_all(evidence)
    low_confidence = {name: r.caution for name, r in measured.items() if r.value is not None and r.caution}
    values: dict[str, float | None] = {n: None if r.value is None else float(r.value) for n, r in measured.items()}
    if values["freezing_episodes"] is not None:
        values["freezing_episodes"] = int(values["freezing_episodes"])
    cautions = dict.fromkeys(LEANING_ON_THE_PATH, PATH_RECOVERED) if clip.path_recovered else {}
    for name, note in (*cautions.items(), *inconsistent(values).items(), *implausible(values).items()):
        if values[name] is not None:
            low_confidence[name] = "; ".join(filter(None, (low_confidence.get(name), note)))
    steady = sum(1 for stride in strides if stride.steady)
    return GaitParameters(
        values=values,
        reasons={name: r.reason or "no evidence" for name, r in measured.items() if r.value is None},
        low_confidence=low_confidence,
        events=contacts.events(),
        quality=GaitQuality(True, len(strides), steady, clip.frame_rate_hz, clip.joints_filled, None),
        warnings=(*clip.warnings, *walk_warnings(clip, evidence), *implausible_sentences(values)),
    )


def measure_all(evidence: p.Evidence) -> dict[str, p.Measured]:
    """Every parameter by name, in the order of ``PARAMETER_NAMES``."""
    left_step, right_step = p.step_length_m(evidence, "left"), p.step_length_m(evidence, "right")
    left_arm, right_arm = p.arm_swing_deg(evidence, "left"), p.arm_swing_deg(evidence, "right")
    return {
        "walking_speed_mps": p.walking_speed_mps(evidence),
        "cadence_spm": p.cadence_spm(evidence),
        "stride_length_m": p.stride_length_m(evidence),
        "stride_time_s": p.stride_time_s(evidence),
        "step_length_left_m": left_step,
        "step_length_right_m": right_step,
        "step_length_asymmetry_percent": p.asymmetry_percent(left_step, right_step),
        "step_width_m": p.step_width_m(evidence),
        "double_support_percent": p.double_support_percent(evidence),
        "swing_percent": p.swing_percent(evidence),
        "stride_time_cv_percent": p.stride_time_cv_percent(evidence),
        "arm_swing_left_deg": left_arm,
        "arm_swing_right_deg": right_arm,
        "arm_swing_asymmetry_percent": p.asymmetry_percent(left_arm, right_arm),
        "trunk_flexion_deg": p.trunk_flexion_deg(evidence),
        "foot_clearance_left_m": p.foot_clearance_m(evidence, "left"),
        "foot_clearance_right_m": p.foot_clearance_m(evidence, "right"),
        "foot_strike_angle_left_deg": p.foot_strike_angle_deg(evidence, "left"),
        "foot_strike_angle_right_deg": p.foot_strike_angle_deg(evidence, "right"),
        "turn_duration_180_s": p.turn_duration_180_s(evidence),
        "freezing_episodes": p.freezing_episodes(evidence),
    }
