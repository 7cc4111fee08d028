"""The values of single strides and steps behind each gait parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..clip import MotionClip, Side
from . import parameters as p
from .events import detect_contacts, pitch_deg
from .results import PARAMETER_NAMES
from .segments import Step, Stride, find_steps, find_strides, find_turns, not_walking_reason
from .signals import SIDES, body_signals

# One number a clip, not a mean over strides.
WITHOUT_STRIDES: frozenset[str] = frozenset(
    {
        "step_length_asymmetry_percent",
        "stride_time_cv_percent",
        "arm_swing_asymmetry_percent",
        "turn_duration_180_s",
        "freezing_episodes",
    }
)


@dataclass(frozen=True)
class StrideValue:
    """What one stride or step contributes to a parameter, the side of its foot, and when it was.

    Attributes:
        start_s, end_s: seconds from the first frame; equal for what happens at one time.
    """

    side: Side
    value: float
    start_s: float = 0.0
    end_s: float = 0.0


StrideSamples = dict[str, tuple[StrideValue, ...] | None]


def gait_evidence(clip: MotionClip) -> p.Evidence | None:
    """What ``measure_gait`` computes its parameters from; None where the clip is not walking."""
    signals = body_signals(clip)
    contacts = detect_contacts(signals, clip.joints_filled)
    if not_walking_reason(signals, contacts) is not None:
        return None
    turns = find_turns(signals)
    strides = find_strides(signals, contacts, turns)
    steps = find_steps(signals, contacts, strides, turns)
    return p.Evidence(signals, contacts, strides, steps, turns, clip.frame_rate_hz, clip.joints_filled)


def stride_values(clip: MotionClip) -> dict[str, list[float] | None]:
    """Value of every stride or step that a parameter of this clip is a mean of, in time order, in its unit.

    Returns:
        All of ``PARAMETER_NAMES``: an empty list where the clip holds no stride for it, None for the parameters that
        no single stride has (``WITHOUT_STRIDES``). Speed is the mean weighted by the strides' times; cadence, step
        width and swing are means over left and right means; the cadence of a step is 60 over its time.
    """
    samples = stride_samples(gait_evidence(clip))
    return {name: None if found is None else [item.value for item in found] for name, found in samples.items()}


def stride_samples(evidence: p.Evidence | None) -> StrideSamples:
    """The same with sides. Each value is that of the parameter's own function on a single stride or step."""
    samples: StrideSamples = {name: None if name in WITHOUT_STRIDES else () for name in PARAMETER_NAMES}
    if evidence is None:
        return samples
    used = evidence.used_strides
    samples["walking_speed_mps"] = _by_stride(evidence, used, p.walking_speed_mps)
    samples["stride_length_m"] = _by_stride(evidence, used, p.stride_length_m)
    samples["stride_time_s"] = _by_stride(evidence, used, p.stride_time_s)
    samples["double_support_percent"] = _by_stride(evidence, used, p.double_support_percent)
    samples["swing_percent"] = _by_stride(evidence, used, p.swing_percent)
    samples["trunk_flexion_deg"] = _by_stride(evidence, used, p.trunk_flexion_deg)
    steps = {side: evidence.steps_of(side)[0] for side in SIDES}
    both = sorted((*steps["left"], *steps["right"]), key=lambda step: step.strike_s)
    samples["cadence_spm"] = tuple(
        StrideValue(s.side, 60.0 / s.time_s, s.strike_s - s.time_s, s.strike_s) for s in both if s.time_s is not None
    )
    samples["step_width_m"] = _by_step(evidence, both, p.step_width_m)
    for side in SIDES:
        mine = evidence.strides_of(side)[0]
        samples[f"arm_swing_{side}_deg"] = _by_stride(evidence, used, partial(p.arm_swing_deg, side=side))
        samples[f"foot_clearance_{side}_m"] = _by_stride(evidence, mine, partial(p.foot_clearance_m, side=side))
        samples[f"step_length_{side}_m"] = _by_step(evidence, steps[side], partial(p.step_length_m, side=side))
        samples[f"foot_strike_angle_{side}_deg"] = _strike_angles(evidence, side, steps[side])
    return samples


def _by_stride(
    evidence: p.Evidence, strides: Sequence[Stride], measure: Callable[[p.Evidence], p.Measured]
) -> tuple[StrideValue, ...]:
    """A parameter of clips that hold a single stride each; no value where it has none."""
    found = ((stride, measure(replace(evidence, strides=(stride,))).value) for stride in strides)
    return tuple(StrideValue(s.side, value, s.start_s, s.end_s) for s, value in found if value is not None)


def _by_step(
    evidence: p.Evidence, steps: Sequence[Step], measure: Callable[[p.Evidence], p.Measured]
) -> tuple[StrideValue, ...]:
    found = ((step, measure(replace(evidence, steps=(step,))).value) for step in steps)
    return tuple(
        StrideValue(step.side, value, step.strike_s - (step.time_s or 0.0), step.strike_s)
        for step, value in found
        if value is not None
    )


def _strike_angles(evidence: p.Evidence, side: Side, steps: Sequence[Step]) -> tuple[StrideValue, ...]:
    """As ``foot_strike_angle_deg``, with the pitch of the whole clip computed once, not once a step."""
    if not steps or p.foot_strike_angle_deg(evidence, side).value is None:
        return ()
    pitch = pitch_deg(evidence.signals, side)
    flat = {hold.strike_s: hold.pitch_deg for hold in evidence.contacts.footholds[side]}
    return tuple(
        StrideValue(
            side,
            float(evidence.signals.at(pitch, step.strike_s)) - flat[step.strike_s],
            step.strike_s,
            step.strike_s,
        )
        for step in steps
        if np.isfinite(flat.get(step.strike_s, np.nan))
    )
