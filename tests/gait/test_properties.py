"""What must not change a measure, and what must change it how, for any walk hypothesis thinks of.

Walks are stick figures with written plans, and simulated people of every severity, some of whom turn. A tolerance is
what rounding to single precision and the place of sampling can do, no more.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from gait_walker import Plan, mirrored, moved, walk

from agir_hf.clip import MotionClip
from agir_hf.gait import PARAMETER_NAMES, GaitParameters, measure_gait
from agir_hf.motion import clip_from_array
from agir_hf.motion.retarget import resample_joints
from agir_hf.simulation import simulate_person, simulate_walk

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


@cache
def simulated(seed: int, turn: str, rate: float, noise_m: float) -> MotionClip:
    person = simulate_person(seed, score=seed % 4)
    made = simulate_walk(
        person,
        seed=seed,
        frame_rate_hz=rate,
        duration_s=8.0,
        turn=turn,
        noise_m=noise_m,  # type: ignore[arg-type]
    )
    return made.clip


@cache
def figure(plan: Plan) -> MotionClip:
    return walk(plan).clip


SIMULATED = st.builds(
    simulated,
    st.integers(0, 11),
    st.sampled_from(("none", "left", "about")),
    st.sampled_from((60.0, 100.0)),
    st.just(0.002),
)
WALKS = st.one_of(st.builds(figure, PLANS), SIMULATED)
few = settings(max_examples=12, deadline=None, derandomize=True)

LENGTHS = (
    "walking_speed_mps",
    "stride_length_m",
    "step_length_left_m",
    "step_length_right_m",
    "step_width_m",
    "foot_clearance_left_m",
    "foot_clearance_right_m",
)
# Absolute: what a noise-free walk may differ by when other moments of it are sampled.
RESAMPLED = {
    "walking_speed_mps": 0.01,
    "cadence_spm": 0.8,
    "stride_length_m": 0.01,
    "stride_time_s": 0.01,
    "step_length_left_m": 0.012,
    "step_length_right_m": 0.012,
    "step_length_asymmetry_percent": 3.0,
    "step_width_m": 0.006,
    "double_support_percent": 2.5,
    "swing_percent": 1.3,
    "stride_time_cv_percent": 0.8,
    "arm_swing_left_deg": 1.0,
    "arm_swing_right_deg": 1.0,
    "arm_swing_asymmetry_percent": 4.0,
    "trunk_flexion_deg": 0.5,
    "foot_clearance_left_m": 0.006,
    "foot_clearance_right_m": 0.006,
    "foot_strike_angle_left_deg": 2.5,
    "foot_strike_angle_right_deg": 2.5,
    "turn_duration_180_s": 0.15,
    "freezing_episodes": 0.0,
}


def other_side(name: str) -> str:
    return name.replace("left", "@").replace("right", "left").replace("@", "right")


def same(one: float | None, other: float | None, name: str, *, relative: float = 5e-3, absolute: float = 2e-3) -> None:
    assert (one is None) == (other is None), name
    if one is not None and other is not None:
        assert other == pytest.approx(one, rel=relative, abs=absolute), name


def all_the_same(one: GaitParameters, other: GaitParameters) -> None:
    """Every value, reason, flag and event, and the same strides."""
    for name in PARAMETER_NAMES:
        same(one.values[name], other.values[name], name)
    assert dict(one.reasons) == dict(other.reasons) and set(one.low_confidence) == set(other.low_confidence)
    assert one.quality == other.quality
    assert [(e.kind, e.side) for e in one.events] == [(e.kind, e.side) for e in other.events]
    np.testing.assert_allclose([e.time_s for e in one.events], [e.time_s for e in other.events], atol=2e-3)


@few
@given(WALKS, st.floats(-180.0, 180.0), st.floats(-20.0, 20.0), st.floats(-20.0, 20.0))
def test_turning_and_moving_the_scene_changes_nothing(clip: MotionClip, yaw_deg: float, x_m: float, z_m: float) -> None:
    all_the_same(measure_gait(clip), measure_gait(moved(clip, yaw_deg, (x_m, z_m))))


@few
@given(WALKS)
def test_walking_the_same_line_the_other_way_changes_nothing(clip: MotionClip) -> None:
    """Turned by 180 degrees about the middle of the way: from its end to its start."""
    ends = clip.joints_m[[0, -1], 0].astype(np.float64).sum(axis=0)
    back = moved(clip, 180.0, (float(ends[0]), float(ends[2])))
    np.testing.assert_allclose(back.joints_m[0, 0, [0, 2]], clip.joints_m[-1, 0, [0, 2]], atol=1e-4)
    all_the_same(measure_gait(clip), measure_gait(back))


@few
@given(WALKS, st.floats(-180.0, 180.0))
def test_mirroring_swaps_left_and_right(clip: MotionClip, yaw_deg: float) -> None:
    one, other = measure_gait(clip), measure_gait(mirrored(moved(clip, yaw_deg, (1.0, -2.0))))
    for name in PARAMETER_NAMES:
        same(one.values[name], other.values[other_side(name)], name)
    assert {name for name in one.low_confidence} == {other_side(name) for name in other.low_confidence}
    assert [(e.kind, e.side) for e in one.events] == [(e.kind, other_side(e.side)) for e in other.events]


@few
@given(WALKS, st.sampled_from((1.0, 100.0, 1000.0)), st.sampled_from(("y", "z", "-z", "x")))
def test_units_and_up_axis_change_nothing(clip: MotionClip, units_per_m: float, up: str) -> None:
    x, y, z = (clip.joints_m[..., axis].astype(np.float64) * units_per_m for axis in range(3))
    turned = {"y": (x, y, z), "z": (x, -z, y), "-z": (x, z, -y), "x": (y, -x, z)}[up]
    read = clip_from_array(np.stack(turned, axis=-1), frame_rate_hz=clip.frame_rate_hz)
    all_the_same(measure_gait(clip), measure_gait(read))


@few
@given(WALKS, st.floats(0.8, 1.25))
def test_a_larger_scene_scales_lengths_and_speed_and_nothing_else(clip: MotionClip, scale: float) -> None:
    one, other = measure_gait(clip), measure_gait(clip.replace(joints_m=clip.joints_m * np.float32(scale)))
    for name in PARAMETER_NAMES:
        value, factor = one.values[name], scale if name in LENGTHS else 1.0
        # Thresholds in metres decide which slow frames count as a foot's swing: events move by milliseconds.
        same(None if value is None else value * factor, other.values[name], name, relative=0.02, absolute=0.02)


@few
@given(
    st.one_of(
        st.builds(figure, PLANS.map(lambda plan: Plan(**{**plan.__dict__, "noise": 0.0}))),
        st.builds(simulated, st.integers(0, 11), st.sampled_from(("none", "about")), st.just(120.0), st.just(0.0)),
    ),
    st.floats(30.0, 120.0),
)
def test_resampling_keeps_the_measures(clip: MotionClip, rate_hz: float) -> None:
    joints = resample_joints(clip.joints_m, clip.frame_rate_hz, rate_hz).astype(np.float32)
    one, other = measure_gait(clip), measure_gait(MotionClip(joints, rate_hz))
    for name, tolerance in RESAMPLED.items():
        if name.startswith("foot_strike_angle") and rate_hz < 50.0:
            assert other.values[name] is None and "50 Hz" in other.reasons[name]
        elif name != "stride_time_cv_percent" or None not in (one.values[name], other.values[name]):
            same(one.values[name], other.values[name], name, relative=0.0, absolute=tolerance)
    for name in ("double_support_percent", "swing_percent"):
        assert ("Hz" in other.low_confidence.get(name, "")) == (rate_hz < 50.0)
