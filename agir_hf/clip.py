"""``MotionClip``: one recording of one person, in metres; ``GaitEvent``; and the names of the gait parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import MotionFormatError
from .skeleton import NUM_JOINTS

Side = Literal["left", "right"]
EventKind = Literal["foot_strike", "foot_off"]

PARAMETER_NAMES: tuple[str, ...] = (
    "walking_speed_mps",
    "cadence_spm",
    "stride_length_m",
    "stride_time_s",
    "step_length_left_m",
    "step_length_right_m",
    "step_length_asymmetry_percent",
    "step_width_m",
    "double_support_percent",
    "swing_percent",
    "stride_time_cv_percent",
    "arm_swing_left_deg",
    "arm_swing_right_deg",
    "arm_swing_asymmetry_percent",
    "trunk_flexion_deg",
    "foot_clearance_left_m",
    "foot_clearance_right_m",
    "foot_strike_angle_left_deg",
    "foot_strike_angle_right_deg",
    "turn_duration_180_s",
    "freezing_episodes",
)
"""The gait parameters: measured by `agir_hf.gait`, planned by `agir_hf.simulation`, in the order of every table."""


@dataclass(frozen=True)
class GaitEvent:
    """A foot meets (``foot_strike``) or leaves (``foot_off``) the floor ``time_s`` seconds after the first frame."""

    kind: EventKind
    side: Side
    time_s: float


@dataclass(frozen=True)
class MotionClip:
    """Joint positions of one person over time.

    Attributes:
        joints_m: (T, 22, 3) float32, metres, right-handed, Y up, floor at Y = 0; order of ``skeleton.JOINT_NAMES``.
        frame_rate_hz: native rate of the recording.
        source: the path as given, or what the clip was made from.
        format: what a file was understood to be, such as "BVH (legs from LeftUpLeg, LeftLeg, LeftFoot)"; empty for
            clips that were not read from a file.
        joints_filled: names of joints that the source did not have and that were filled in.
        warnings: what a reader of the results should know, one sentence each.
        lab_events: events annotated in the source file, if any.
        path_recovered: whether the source had no travel through the room, so that the path was told from the planted
            foot: speeds and distances lean on that.
    """

    joints_m: NDArray[np.float32]
    frame_rate_hz: float
    source: str = ""
    joints_filled: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lab_events: tuple[GaitEvent, ...] = ()
    format: str = ""
    path_recovered: bool = False

    def __post_init__(self) -> None:
        joints = np.asarray(self.joints_m, dtype=np.float32)
        if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3):
            raise MotionFormatError(f"expected joints of shape (T, {NUM_JOINTS}, 3) in metres, found {joints.shape}")
        if len(joints) < 2:
            raise MotionFormatError(
                f"expected at least 2 frames, found {len(joints)}: the clip is too short to measure"
            )
        if not np.isfinite(joints).all():
            bad = int((~np.isfinite(joints)).any(axis=(1, 2)).sum())
            raise MotionFormatError(
                f"expected finite joint positions, found {bad} of {len(joints)} frames with NaN or infinity"
            )
        if not (np.isfinite(self.frame_rate_hz) and 1.0 <= self.frame_rate_hz <= 2000.0):
            raise MotionFormatError(f"expected a frame rate between 1 and 2000 Hz, found {self.frame_rate_hz}")
        object.__setattr__(self, "joints_m", joints)
        object.__setattr__(self, "frame_rate_hz", float(self.frame_rate_hz))

    @property
    def num_frames(self) -> int:
        """T, the first length of ``joints_m``."""
        return len(self.joints_m)

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.num_frames - 1) / self.frame_rate_hz

    def replace(self, **changes: object) -> MotionClip:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
