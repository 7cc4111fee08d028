"""One pure function per gait parameter: its definition, unit, source, and when there is no value.

Definitions and null rules are those of the project's list of measures. Every function takes the ``Evidence`` of one
clip and returns ``Measured``. "Steady" strides and steps are straight and neither start nor stop; where a clip has
none, all of them are used and the value is flagged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..clip import Side
from .events import FootContacts, pitch_deg
from .freezing import find_freezing
from .segments import Step, Stride, Turn, path_length_m
from .signals import SIDES, Array, BodySignals, horizontal, low_pass

MIN_PHASE_RATE_HZ = 50.0  # a frame at 50 Hz is 2 % of a stride
MIN_STRIDES_FOR_CV, GOOD_STRIDES_FOR_CV = 10, 30
FULL_TURN_DEG = 135.0
ARM_CUTOFF_STRIDES, ARM_MARGIN_STRIDES = 3.0, 0.6  # in stride frequencies, in stride times
MIN_FREEZING_CLIP_S = 10.0
NOT_STEADY = "no steady straight stride in the clip: all strides are used"


@dataclass(frozen=True)
class Measured:
    """A value, or None with the reason; ``caution`` says why a value is to be read with care."""

    value: float | None
    reason: str | None = None
    caution: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything the parameters are computed from."""

    signals: BodySignals
    contacts: FootContacts
    strides: tuple[Stride, ...]
    steps: tuple[Step, ...]
    turns: tuple[Turn, ...]
    native_rate_hz: float
    joints_filled: tuple[str, ...]

    @property
    def used_strides(self) -> tuple[Stride, ...]:
        """The steady strides, or all where there are none."""
        return tuple(stride for stride in self.strides if stride.steady) or self.strides

    def strides_of(self, side: Side) -> tuple[tuple[Stride, ...], str | None]:
        """The steady strides of a side, or all of them with a caution."""
        mine = tuple(stride for stride in self.strides if stride.side == side)
        steady = tuple(stride for stride in mine if stride.steady)
        return (steady, None) if steady else (mine, f"no steady straight {side} stride in the clip: all are used")

    def steps_of(self, side: Side) -> tuple[tuple[Step, ...], str | None]:
        """The steady steps of a side, or all of them with a caution."""
        mine = tuple(step for step in self.steps if step.side == side)
        steady = tuple(step for step in mine if step.steady)
        return (steady, None) if steady else (mine, f"no steady straight {side} step in the clip: all are used")

    @property
    def steadiness(self) -> str | None:
        """The caution where ``used_strides`` are not steady."""
        return None if any(stride.steady for stride in self.strides) else NOT_STEADY

    def filled(self, *joints: str) -> str | None:
        """The reason or caution for a measure that leans on joints the source did not have."""
        missing = [joint for joint in joints if joint in self.joints_filled]
        return f"filled in, not recorded: {', '.join(missing)}" if missing else None


def _mean(values: Sequence[float], one: str, *cautions: str | None) -> Measured:
    """Mean of at least one value, flagged where it is the only ``one``."""
    notes = [note for note in cautions if note]
    if len(values) == 1:
        notes.append(f"from a single {one}")
    return Measured(float(np.mean(values)), None, "; ".join(notes) or None)


def _joined(cautions: Sequence[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(note for note in cautions if note)) or None


def _no_strides(evidence: Evidence) -> Measured:
    return Measured(None, f"no complete stride in {evidence.signals.duration_s:.1f} s")


def walking_speed_mps(evidence: Evidence) -> Measured:
    """Horizontal path length of the pelvis over time in steady straight strides, m/s.

    The path is the polygon through the pelvis at successive strikes of the same foot, so that neither sway nor jitter
    lengthens it. Without a stride: length of the low-passed path (0.4 Hz) over the clip's duration.
    Source: Whittle, Gait Analysis, 4th ed., ch. 2.
    """
    strides = evidence.used_strides
    if strides:
        length = sum(float(np.hypot(*stride.advance_m)) for stride in strides)
        return Measured(length / sum(stride.time_s for stride in strides), None, evidence.steadiness)
    length = path_length_m(evidence.signals)
    return Measured(length / evidence.signals.duration_s, None, "no complete stride: mean over the whole clip")


def cadence_spm(evidence: Evidence) -> Measured:
    """60 over the mean step time, steps/min; left and right steps weigh the same. Source: Whittle, ch. 2."""
    times, cautions = [], []
    for side in SIDES:
        steps, caution = evidence.steps_of(side)
        times.append([step.time_s for step in steps if step.time_s is not None])
        cautions.append(caution if steps else None)
    count = len(times[0]) + len(times[1])
    if count < 2:
        return Measured(None, f"{count} steps with both foot strikes in the clip; 2 are needed")
    means = [float(np.mean(values)) for values in times if values]
    return Measured(60.0 / float(np.mean(means)), None, _joined(cautions))


def stride_length_m(evidence: Evidence) -> Measured:
    """Distance between successive footholds of the same foot along the direction of progression, m.

    The foothold is where the ankle is while the foot is flat. Source: Whittle, ch. 2.
    """
    lengths = []
    for stride in evidence.used_strides:
        vector = horizontal(stride.last.ankle_m - stride.first.ankle_m)
        advance = float(np.hypot(*stride.advance_m))
        if np.isfinite(vector).all() and advance > 1e-6:
            lengths.append(float(vector @ stride.advance_m) / advance)
    if not lengths:
        return _no_strides(evidence)
    return _mean(lengths, "stride", evidence.steadiness)


def stride_time_s(evidence: Evidence) -> Measured:
    """Time between successive strikes of the same foot, s. Source: Whittle, ch. 2."""
    if not evidence.strides:
        return _no_strides(evidence)
    return _mean([stride.time_s for stride in evidence.used_strides], "stride", evidence.steadiness)


def step_length_m(evidence: Evidence, side: Side) -> Measured:
    """Distance from the opposite foot's foothold to this foot's next along the direction of progression, m.

    The step has the side of the foot that moves. Source: Whittle, ch. 2.
    """
    steps, caution = evidence.steps_of(side)
    if len(evidence.strides) < 2:
        return Measured(None, f"{len(evidence.strides)} strides in the clip; 2 are needed")
    if not steps:
        return Measured(None, f"no complete {side} step in the clip")
    return _mean([step.length_m for step in steps], "step", caution)


def asymmetry_percent(left: Measured, right: Measured) -> Measured:
    """100 |L - R| / max(L, R), percent; no value where a side is missing."""
    if left.value is None or right.value is None:
        side = "left" if left.value is None else "right"
        return Measured(None, f"no value for the {side} side")
    larger = max(left.value, right.value)
    if larger <= 0.0:
        return Measured(None, "neither side moves forwards")
    asymmetry = 100.0 * abs(left.value - right.value) / larger
    return Measured(asymmetry, None, _joined((left.caution, right.caution)))


def step_width_m(evidence: Evidence) -> Measured:
    """Distance of opposite footholds perpendicular to the direction of progression, m; straight steps only.

    Negative where the feet cross the line of progression. Source: Whittle, ch. 2 (walking base).
    """
    if evidence.strides and evidence.steadiness:
        return Measured(None, "no straight stride in the clip: the person turns, starts or stops")
    widths = [[step.width_m for step in evidence.steps if step.steady and step.side == side] for side in SIDES]
    means = [float(np.mean(values)) for values in widths if values]
    if not means:
        return Measured(None, "no straight step in the clip")
    single = len(widths[0]) + len(widths[1]) == 1
    return Measured(float(np.mean(means)), None, "from a single step" if single else None)


def _phase_caution(evidence: Evidence) -> str | None:
    if evidence.native_rate_hz < MIN_PHASE_RATE_HZ:
        return f"recorded at {evidence.native_rate_hz:g} Hz: a frame is several percent of a stride"
    return None


def double_support_percent(evidence: Evidence) -> Measured:
    """Initial plus terminal double support over the stride, percent.

    Initial: from this foot's strike to the other's off; terminal: from the other's strike to this one's off.
    Source: Perry and Burnfield, Gait Analysis, 2nd ed., ch. 1.
    """
    shares = []
    starts = {side: [hold.start_s for hold in evidence.contacts.footholds[side]] for side in SIDES}
    for stride in evidence.used_strides:
        other: Side = "right" if stride.side == "left" else "left"
        landed = bisect_right(starts[other], stride.start_s)  # the other foot's first stance that starts in this stride
        if not 0 < landed < len(starts[other]) or stride.first.off_s is None:
            continue
        lifted_s, strike_s = (
            evidence.contacts.footholds[other][landed - 1].off_s,
            evidence.contacts.footholds[other][landed].strike_s,
        )
        if lifted_s is not None and strike_s is not None and strike_s < stride.end_s:
            initial, terminal = lifted_s - stride.start_s, stride.first.off_s - strike_s
            shares.append(100.0 * (initial + terminal) / stride.time_s)
    if not shares:
        return Measured(None, "no stride with all four foot strikes and foot offs in the clip")
    return _mean(shares, "stride", evidence.steadiness, _phase_caution(evidence))


def swing_percent(evidence: Evidence) -> Measured:
    """Foot off to the next strike of the same foot over the stride, percent, mean of both sides.

    Source: Perry and Burnfield, ch. 1.
    """
    shares: dict[Side, list[float]] = {side: [] for side in SIDES}
    for stride in evidence.used_strides:
        if stride.first.off_s is not None:
            shares[stride.side].append(100.0 * (stride.end_s - stride.first.off_s) / stride.time_s)
    means = [float(np.mean(values)) for values in shares.values() if values]
    if not means:
        return _no_strides(evidence)
    one_side = "one side only" if len(means) == 1 else None
    return Measured(float(np.mean(means)), None, _joined((evidence.steadiness, _phase_caution(evidence), one_side)))


def stride_time_cv_percent(evidence: Evidence) -> Measured:
    """Standard deviation over mean of steady stride times, percent; sub-frame event times.

    Source: Hausdorff, J NeuroEng Rehabil 2005;2:19.
    """
    times = [stride.time_s for stride in evidence.strides if stride.steady]
    if len(times) < MIN_STRIDES_FOR_CV:
        return Measured(None, f"{len(times)} steady strides; {MIN_STRIDES_FOR_CV} are needed")
    caution = None
    if len(times) < GOOD_STRIDES_FOR_CV:
        caution = f"from {len(times)} strides; {GOOD_STRIDES_FOR_CV} are wanted"
    return Measured(100.0 * float(np.std(times, ddof=1) / np.mean(times)), None, caution)


def arm_angle_in_stride(signals: BodySignals, side: Side, stride: Stride) -> tuple[int, Array]:
    """First grid sample of a stride, and the arm's angle at each of its samples, smoothed as ``arm_swing_deg`` says."""
    first, last = signals.index(stride.start_s), signals.index(stride.end_s) + 1
    margin = round(ARM_MARGIN_STRIDES * (last - first))
    low, high = max(first - margin, 0), min(last + margin, signals.size)
    angles = signals.arm_angle_deg[side][low:high, None]
    smooth = low_pass(angles, signals.rate_hz, ARM_CUTOFF_STRIDES / stride.time_s)
    return first, smooth[first - low : last - low, 0]


def arm_swing_deg(evidence: Evidence, side: Side) -> Measured:
    """Sagittal range, per stride, of the direction shoulder -> wrist relative to the trunk, degrees.

    The trunk's axes are pelvis -> neck and the mean of the hip and shoulder lines. Mean over strides. The angle is
    low-passed at 3 times the stride frequency: noise only ever widens a range, and a small one most.
    After Mirelman et al., PLoS ONE 2015;10:e0136043 (arm swing as a range of angle).
    """
    missing = evidence.filled(f"{side}_shoulder", f"{side}_wrist")
    if missing:
        return Measured(None, missing)
    if not evidence.strides:
        return _no_strides(evidence)
    ranges = [float(np.ptp(arm_angle_in_stride(evidence.signals, side, stride)[1])) for stride in evidence.used_strides]
    return _mean(ranges, "stride", evidence.steadiness)


def trunk_flexion_deg(evidence: Evidence) -> Measured:
    """Mean angle of pelvis -> neck from the vertical, sagittal, over the used strides, degrees, positive forwards.

    The skeleton's own offset is not taken off: in the rest pose of the 22-joint body the base of the neck stands
    about 3 degrees behind the pelvis joint, so an upright person reads a little below zero.
    """
    missing = evidence.filled("spine1", "spine2", "spine3", "neck")
    signals = evidence.signals
    strides = evidence.used_strides
    if not strides:
        whole = "no complete stride: mean over the whole clip"
        return Measured(float(signals.trunk_flexion_deg.mean()), None, _joined((missing, whole)))
    parts = [signals.trunk_flexion_deg[signals.index(s.start_s) : signals.index(s.end_s)] for s in strides]
    return Measured(float(np.concatenate(parts).mean()), None, _joined((missing, evidence.steadiness)))


def foot_clearance_m(evidence: Evidence, side: Side) -> Measured:
    """Highest toe base in swing above its own height in the stances around it, m; mean over swings.

    This is not minimum toe clearance, which needs the tip of the shoe. On toe clearance in Parkinson's
    disease: Alcock et al., J Biomech 2018;71:30-36.
    """
    missing = evidence.filled(f"{side}_foot")
    if missing:
        return Measured(None, missing)
    signals, heights = evidence.signals, []
    strides, caution = evidence.strides_of(side)
    for stride in strides:
        off = stride.first.off_s
        ground = [height for height in (stride.first.toe_height_m, stride.last.toe_height_m) if np.isfinite(height)]
        if off is not None and off < stride.end_s and ground:
            top = signals.toe_m[side][signals.index(off) : signals.index(stride.end_s) + 1, 1].max()
            heights.append(float(top - np.mean(ground)))
    if not heights:
        return Measured(None, f"no complete {side} stride in the clip")
    return _mean(heights, "swing", caution)


def foot_strike_angle_deg(evidence: Evidence, side: Side) -> Measured:
    """Pitch of ankle -> toe base at strike minus the same foot's flat mid-stance pitch, degrees, toes up positive.

    After the foot strike angle of Mariani et al., J Biomech 2010;43:2999-3006, here without a sole.
    """
    missing = evidence.filled(f"{side}_foot", f"{side}_ankle")
    if missing:
        return Measured(None, missing)
    if evidence.native_rate_hz < MIN_PHASE_RATE_HZ:
        return Measured(None, f"recorded at {evidence.native_rate_hz:g} Hz; {MIN_PHASE_RATE_HZ:g} Hz is needed")
    pitch = pitch_deg(evidence.signals, side)
    holds = {hold.strike_s: hold for hold in evidence.contacts.footholds[side]}
    steps, caution = evidence.steps_of(side)
    angles = [
        float(evidence.signals.at(pitch, step.strike_s)) - holds[step.strike_s].pitch_deg
        for step in steps
        if step.strike_s in holds and np.isfinite(holds[step.strike_s].pitch_deg)
    ]
    if not angles:
        return Measured(None, f"no {side} foot strike followed by a flat foot in the clip")
    return _mean(angles, "strike", caution)


def turn_duration_180_s(evidence: Evidence) -> Measured:
    """Time of a turn of at least 135 degrees, scaled to 180, s; mean where there are several (see ``find_turns``)."""
    full = [turn for turn in evidence.turns if abs(turn.angle_deg) >= FULL_TURN_DEG]
    whole = [turn for turn in full if not turn.cut]
    if not full:
        return Measured(None, "no turn of 135 degrees or more in the clip")
    used = whole or full
    durations = [(turn.end_s - turn.start_s) * 180.0 / abs(turn.angle_deg) for turn in used]
    angles = ", ".join(f"{abs(turn.angle_deg):.0f}" for turn in used)
    notes = []
    if any(abs(abs(turn.angle_deg) - 180.0) > 5.0 for turn in used):
        notes.append(f"scaled to 180 degrees from {angles}")
    if not whole:
        notes.append("the clip starts or ends inside the turn")
    return Measured(float(np.mean(durations)), None, _joined(notes))


def freezing_episodes(evidence: Evidence) -> Measured:
    """Count of stops of forward progress with attempted stepping; not clinically validated."""
    if evidence.signals.duration_s < MIN_FREEZING_CLIP_S:
        return Measured(
            None, f"the clip lasts {evidence.signals.duration_s:.1f} s; {MIN_FREEZING_CLIP_S:g} s are needed"
        )
    return Measured(float(len(find_freezing(evidence.signals))), None, "not clinically validated")
