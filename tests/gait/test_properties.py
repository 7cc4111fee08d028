"""What must not change a measure, and what must change it how, for any walk hypothesis thinks of."""

from __future__ import annotations

import numpy as np
import pytest
from gait_walker import Plan, mirrored, moved, walk

from agir_hf.clip import MotionClip
from agir_hf.gait import PARAMETER_NAMES, measure_gait
from agir_hf.motion import clip_from_array
from agir_hf.motion.retarget import resample_joints

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

PLANS = st.builds(
    Plan,
    rate=st.sampled_from((60.0, 100.0)),
    duration=st.sampled_from((6.0, 8.0)),
    speed=st.floats(0.5, 1.4),
    left_step_bias=st.floats(-0.06, 0.06),
    step_width=st.floats(0.06, 0.2),
    noise=st.sampled_from((0.0, 0.002)),
)
few = settings(max_examples=12, deadline=None, derandomize=True)


def same(one: float | None, other: float | None, name: str, *, relative: float = 5e-3, absolute: float = 2e-3) -> None:
    assert (one is None) == (other is None), name
    if one is not None and other is not None:
        assert other == pytest.approx(one, rel=relative, abs=absolute), name


@few
@given(PLANS, st.floats(-180.0, 180.0), st.floats(-20.0, 20.0), st.floats(-20.0, 20.0))
def test_turning_and_moving_the_scene_changes_nothing(plan: Plan, yaw_deg: float, x_m: float, z_m: float) -> None:
    clip = walk(plan).clip
    one, other = measure_gait(clip), measure_gait(moved(clip, yaw_deg, (x_m, z_m)))
    for name in PARAMETER_NAMES:
        same(one.values[name], other.values[name], name)
    assert [(e.kind, e.side) for e in one.events] == [(e.kind, e.side) for e in other.events]


@few
@given(PLANS)
def test_walking_the_other_way_changes_nothing(plan: Plan) -> None:
    clip = walk(plan).clip
    one, other = measure_gait(clip), measure_gait(moved(clip, 180.0, (0.0, 0.0)))
    for name in PARAMETER_NAMES:
        same(one.values[name], other.values[name], name)


@few
@given(PLANS)
def test_mirroring_swaps_left_and_right(plan: Plan) -> None:
    clip = walk(plan).clip
    one, other = measure_gait(clip), measure_gait(mirrored(clip))
    for name in PARAMETER_NAMES:
        swapped = name.replace("left", "@").replace("right", "left").replace("@", "right")
        same(one.values[name], other.values[swapped], name)


@few
@given(PLANS, st.sampled_from((1.0, 100.0, 1000.0)), st.sampled_from(("y", "z", "-z", "x")))
def test_units_and_up_axis_change_nothing(plan: Plan, units_per_m: float, up: str) -> None:
    clip = walk(plan).clip
    x, y, z = (clip.joints_m[..., axis].astype(np.float64) * units_per_m for axis in range(3))
    turned = {"y": (x, y, z), "z": (x, -z, y), "-z": (x, z, -y), "x": (y, -x, z)}[up]
    read = clip_from_array(np.stack(turned, axis=-1), frame_rate_hz=clip.frame_rate_hz)
    one, other = measure_gait(clip), measure_gait(read)
    for name in PARAMETER_NAMES:
        same(one.values[name], other.values[name], name)


@few
@given(PLANS, st.sampled_from((30.0, 50.0, 120.0)))
def test_resampling_keeps_the_measures(plan: Plan, rate_hz: float) -> None:
    clip = walk(plan).clip
    joints = resample_joints(clip.joints_m, clip.frame_rate_hz, rate_hz).astype(np.float32)
    one, other = measure_gait(clip), measure_gait(MotionClip(joints, rate_hz))
    for name in ("walking_speed_mps", "stride_length_m", "stride_time_s", "cadence_spm"):
        same(one.values[name], other.values[name], name, relative=0.015)
    for name in ("step_length_left_m", "step_length_right_m", "step_width_m"):
        same(one.values[name], other.values[name], name, absolute=0.012)
    for name in ("arm_swing_left_deg", "arm_swing_right_deg", "trunk_flexion_deg"):
        same(one.values[name], other.values[name], name, absolute=1.0)
