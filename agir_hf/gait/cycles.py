"""Joint angles and arm swing over the gait cycle: one curve a stride, from foot strike to the next of the same foot.

Angles lie in the sagittal plane of walking: the vertical and the direction in which the pelvis advances over the
stride, turned on evenly by what the body turns in it. All are degrees, forward and bending positive:

``hip_flexion_deg``
    The thigh (hip -> knee) from the vertical, positive in front. From the vertical and not from the pelvis, whose tilt
    22 joints do not tell: it is the angle of a laboratory's hip less that of its pelvis, about 10 degrees smaller, and
    what Perry and Burnfield (Gait Analysis, 2nd ed., ch. 5) give as the thigh's. A stooping trunk does not change it.
``knee_flexion_deg``
    The thigh less the shank (knee -> ankle) in that plane: 0 is straight, negative is overstretched.
``ankle_dorsiflexion_deg``
    The sole less the shank: 0 is a foot flat under an upright shank, positive with toes up or shank forward. Ankle ->
    toe base slopes down on a flat foot, more or less so by skeleton: the sole is its pitch less the same foot's while
    it lies flat in this clip (median over its stances). A recording whose foot never lies flat has no zero of its own.
``arm_swing_deg``
    Shoulder -> wrist relative to the trunk, positive in front; smoothed as in ``parameters.arm_swing_deg``, so that the
    range of a curve is what that stride adds to the parameter.
``trunk_flexion_deg``
    Pelvis -> neck from the vertical, positive forwards, as in ``parameters.trunk_flexion_deg``.
``pelvis_rotation_deg``
    The line of the hips about the vertical, positive where the hip of this side is ahead of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..clip import MotionClip, Side
from ..skeleton import JOINT_INDEX
from .normal_cycles import PERCENT
from .parameters import MIN_PHASE_RATE_HZ, Evidence, arm_angle_in_stride
from .per_stride import gait_evidence
from .segments import FACING_CUTOFF_HZ, Stride
from .signals import BODY_CUTOFF_HZ, FOOT_CUTOFF_HZ, SIDES, Array, BodySignals, horizontal, low_pass

CURVES: tuple[str, ...] = (
    "hip_flexion_deg",
    "knee_flexion_deg",
    "ankle_dorsiflexion_deg",
    "arm_swing_deg",
    "trunk_flexion_deg",
    "pelvis_rotation_deg",
)
"""The curves, in the order of every table of them."""
# The joints a curve leans on; "{side}" is its own side, the other hip is named by itself.
_JOINTS: dict[str, tuple[str, ...]] = {
    "hip_flexion_deg": ("{side}_hip", "{side}_knee"),
    "knee_flexion_deg": ("{side}_hip", "{side}_knee", "{side}_ankle"),
    "ankle_dorsiflexion_deg": ("{side}_knee", "{side}_ankle", "{side}_foot"),
    "arm_swing_deg": ("{side}_shoulder", "{side}_wrist"),
    "trunk_flexion_deg": ("spine1", "spine2", "spine3", "neck"),
    "pelvis_rotation_deg": ("left_hip", "right_hip"),
}

_STANDING = slice(10, 41)  # percent of a stride in which the foot keeps its direction on the floor


@dataclass(frozen=True)
class SideCycles:
    """The gait cycles of one side, n strides in time order.

    Attributes:
        start_s, end_s: (n,) the foot strikes of each stride, seconds after the clip's first frame.
        foot_off_percent: (n,) where the foot leaves the floor; NaN where that was not seen.
        angles_deg: by the names of ``CURVES``, (n, 101) at 0 to 100 percent of each stride; None without evidence.
        reasons: for each curve that is None, why.
        caution: why the curves are to be read with care, None where there is nothing to say.
    """

    side: Side
    start_s: Array
    end_s: Array
    foot_off_percent: Array
    angles_deg: Mapping[str, Array | None]
    reasons: Mapping[str, str]
    caution: str | None

    def mean_deg(self, curve: str) -> Array | None:
        """(101,) mean over the strides; None where there is no such curve."""
        angles = self.angles_deg[curve]
        return None if angles is None else angles.mean(axis=0)

    @property
    def mean_foot_off_percent(self) -> float | None:
        seen = self.foot_off_percent[np.isfinite(self.foot_off_percent)]
        return float(seen.mean()) if len(seen) else None


@dataclass(frozen=True)
class GaitCycles:
    """The gait cycles of one clip; ``percent`` is (101,), 0 to 100."""

    percent: Array
    left: SideCycles
    right: SideCycles

    def of(self, side: Side) -> SideCycles:
        return self.left if side == "left" else self.right


def gait_cycles(clip: MotionClip) -> GaitCycles | None:
    """Joint angles over every steady, straight stride of a clip; None where it is not walking.

    Where a side has no steady stride, all of its strides are used and ``caution`` says so.
    """
    evidence = gait_evidence(clip)
    if evidence is None:
        return None
    smooth = _Paths(clip, evidence.signals)
    left, right = (_side_cycles(evidence, smooth, side) for side in SIDES)
    return GaitCycles(PERCENT, left, right)


class _Paths:
    """Smoothed paths that the measures do not need, on their grid, and the direction of walking."""

    def __init__(self, clip: MotionClip, signals: BodySignals) -> None:
        upsampling = round(signals.rate_hz / clip.frame_rate_hz)

        def track(name: str, cutoff_hz: float) -> Array:
            values = clip.joints_m[:, JOINT_INDEX[name]].astype(np.float64)
            return low_pass(values, clip.frame_rate_hz, cutoff_hz, upsampling)

        self.signals = signals
        self.hip_m = {side: track(f"{side}_hip", BODY_CUTOFF_HZ) for side in SIDES}
        self.knee_m = {side: track(f"{side}_knee", FOOT_CUTOFF_HZ) for side in SIDES}
        self.facing_rad = low_pass(signals.facing_rad[:, None], signals.rate_hz, FACING_CUTOFF_HZ)[:, 0]

    def at(self, values: Array, stride: Stride) -> Array:
        """(101, ...) values over a stride."""
        position = np.clip(
            (stride.start_s + stride.time_s * PERCENT / 100.0) * self.signals.rate_hz, 0.0, self.signals.size - 1.0
        )
        low = np.minimum(position.astype(np.intp), self.signals.size - 2)
        weight = (position - low).reshape(-1, *[1] * (values.ndim - 1))
        return (1.0 - weight) * values[low] + weight * values[low + 1]

    def ahead(self, stride: Stride) -> Array:
        """(101, 2) direction of walking over the floor (x, z)."""
        facing = self.at(self.facing_rad, stride)
        if not stride.steady:  # the way of a stride that turns on the spot has no direction
            angle = facing
        else:
            way = np.arctan2(*stride.advance_m)
            # Backwards walkers face the other way than they go.
            away = np.cos(way - facing).mean() < 0.0
            angle = way + np.pi * away + np.radians(stride.turn_deg) * (PERCENT / 100.0 - 0.5)
        return np.stack([np.sin(angle), np.cos(angle)], axis=1)


def _side_cycles(evidence: Evidence, paths: _Paths, side: Side) -> SideCycles:
    strides, caution = evidence.strides_of(side)
    flat = [hold.pitch_deg for hold in evidence.contacts.footholds[side] if np.isfinite(hold.pitch_deg)]
    reasons = {}
    for name, joints in _JOINTS.items():
        missing = evidence.filled(*[joint.format(side=side) for joint in joints])
        if missing:
            reasons[name] = missing
        elif not strides:
            reasons[name] = f"no complete {side} stride in {evidence.signals.duration_s:.1f} s"
    if not flat:
        reasons.setdefault("ankle_dorsiflexion_deg", f"the {side} foot never lies flat: the angle has no zero")
    curves: dict[str, list[Array]] = {name: [] for name in CURVES}
    for stride in strides:
        for name, angles in _curves(paths, side, stride, float(np.median(flat)) if flat else np.nan).items():
            curves[name].append(angles)
    notes = [caution] if caution and strides else []
    if evidence.native_rate_hz < MIN_PHASE_RATE_HZ:
        notes.append(f"recorded at {evidence.native_rate_hz:g} Hz: a frame is several percent of a stride")
    offs = [np.nan if s.first.off_s is None else 100.0 * (s.first.off_s - s.start_s) / s.time_s for s in strides]
    return SideCycles(
        side=side,
        start_s=np.array([stride.start_s for stride in strides]),
        end_s=np.array([stride.end_s for stride in strides]),
        foot_off_percent=np.array(offs, dtype=np.float64),
        angles_deg={name: None if name in reasons else np.stack(curves[name]) for name in CURVES},
        reasons=reasons,
        caution="; ".join(notes) or None,
    )


def _curves(paths: _Paths, side: Side, stride: Stride, flat_deg: float) -> dict[str, Array]:
    """Every curve of one stride."""
    signals = paths.signals
    ahead = paths.ahead(stride)
    hip, knee, ankle = (paths.at(path[side], stride) for path in (paths.hip_m, paths.knee_m, signals.ankle_m))
    thigh, shank = _from_vertical_deg(knee - hip, ahead), _from_vertical_deg(ankle - knee, ahead)
    foot = paths.at(signals.toe_m[side] - signals.ankle_m[side], stride)
    other: Side = "right" if side == "left" else "left"
    across = horizontal(hip - paths.at(paths.hip_m[other], stride))
    outwards = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) * (1.0 if side == "left" else -1.0)
    first, arm = arm_angle_in_stride(signals, side, stride)
    grid = np.arange(len(arm))
    arm_at = np.interp((stride.start_s + stride.time_s * PERCENT / 100.0) * signals.rate_hz - first, grid, arm)
    return {
        "hip_flexion_deg": thigh,
        "knee_flexion_deg": _wrapped_deg(thigh - shank),
        # The shank leans forwards where its ankle is behind its knee: that is minus its angle from the vertical.
        "ankle_dorsiflexion_deg": _wrapped_deg(_foot_pitch_deg(foot, ahead) - flat_deg - shank),
        "arm_swing_deg": arm_at,
        "trunk_flexion_deg": paths.at(signals.trunk_flexion_deg, stride),
        "pelvis_rotation_deg": np.degrees(np.arctan2((across * ahead).sum(axis=1), (across * outwards).sum(axis=1))),
    }


def _from_vertical_deg(bones: Array, ahead: Array) -> Array:
    """(101,) angle of bones that hang down, from the vertical, positive where the lower end is in front."""
    return np.degrees(np.arctan2((horizontal(bones) * ahead).sum(axis=1), -bones[:, 1]))


def _foot_pitch_deg(foot: Array, ahead: Array) -> Array:
    """(101,) ankle -> toe base above the horizontal, in the upright plane the foot stands in.

    A foot that is pushed off steeply passes the vertical: an angle from the horizontal distance would fold back there.
    """
    leftward = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    along, aside = (horizontal(foot) * ahead).sum(axis=1), (horizontal(foot) * leftward).sum(axis=1)
    toes_out = np.arctan2(aside[_STANDING].mean(), along[_STANDING].mean())
    return np.degrees(np.arctan2(foot[:, 1], along * np.cos(toes_out) + aside * np.sin(toes_out)))


def _wrapped_deg(angles: Array) -> Array:
    return (angles + 180.0) % 360.0 - 180.0
