"""Parameters of walks whose answers are known before a joint is placed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gait_walker import Plan, mirrored, moved, walk

from agir_hf.clip import MotionClip
from agir_hf.gait import PARAMETER_NAMES, measure_gait
from agir_hf.gait.plausibility import inconsistent, plausibility_limits
from agir_hf.gait.results import GaitParameters

TIMES_AND_SHARES = ("cadence_spm", "stride_time_s", "double_support_percent", "swing_percent")
LENGTHS = ("walking_speed_mps", "stride_length_m", "step_length_left_m", "step_length_right_m", "step_width_m")


def _close(a: GaitParameters, b: GaitParameters, names: tuple[str, ...], rel: float, scale: float = 1.0) -> None:
    for name in names:
        assert b.values[name] == pytest.approx(a.values[name] * scale, rel=rel, abs=1e-4), name


def _same(one: float | None, other: float | None, tolerance: float, name: str) -> None:
    """Both without a value, or equal within a relative tolerance."""
    assert (one is None) == (other is None), name
    if one is not None:
        assert other == pytest.approx(one, rel=tolerance, abs=2e-3), name


@pytest.mark.parametrize("rate", [25.0, 60.0, 120.0])
def test_known_answers(rate: float) -> None:
    plan = Plan(rate=rate, duration=9.0, left_step_bias=0.05, clearance=(0.07, 0.05))
    made = walk(plan)
    got = measure_gait(made.clip).values
    stride = plan.speed * plan.stride_time
    assert got["walking_speed_mps"] == pytest.approx(plan.speed, rel=0.01)
    assert got["cadence_spm"] == pytest.approx(120.0 / plan.stride_time, rel=0.01)
    assert got["stride_length_m"] == pytest.approx(stride, rel=0.01)
    assert got["stride_time_s"] == pytest.approx(plan.stride_time, rel=0.01)
    assert got["step_length_left_m"] == pytest.approx(stride / 2 + 0.05, abs=0.01)
    assert got["step_length_right_m"] == pytest.approx(stride / 2 - 0.05, abs=0.01)
    asymmetry = 100.0 * 0.10 / (stride / 2 + 0.05)
    assert got["step_length_asymmetry_percent"] == pytest.approx(asymmetry, abs=1.5)
    assert got["step_width_m"] == pytest.approx(plan.step_width, abs=0.006)
    assert got["swing_percent"] == pytest.approx(100 * plan.swing, abs=1.0)
    assert got["double_support_percent"] == pytest.approx(100 - 200 * plan.swing, abs=2.0)
    assert got["stride_time_cv_percent"] == pytest.approx(0.0, abs=0.5)
    assert got["arm_swing_left_deg"] == pytest.approx(40.0, abs=0.7)
    assert got["arm_swing_right_deg"] == pytest.approx(30.0, abs=0.7)
    assert got["arm_swing_asymmetry_percent"] == pytest.approx(25.0, abs=1.0)
    assert got["trunk_flexion_deg"] == pytest.approx(plan.trunk_flexion, abs=0.2)
    assert got["foot_clearance_left_m"] == pytest.approx(made.clearance[0], abs=0.006)
    assert got["foot_clearance_right_m"] == pytest.approx(made.clearance[1], abs=0.006)
    if rate >= 50.0:
        assert got["foot_strike_angle_left_deg"] == pytest.approx(18.0, abs=2.5)
    assert got["turn_duration_180_s"] is None and got["freezing_episodes"] is None


def test_sway_and_jitter_do_not_lengthen_the_path() -> None:
    calm = measure_gait(walk(Plan(sway=0.0)).clip)
    swaying = measure_gait(walk(Plan(sway=0.05, noise=0.005)).clip)
    _close(calm, swaying, ("walking_speed_mps",), 0.01)


def test_mirroring_swaps_the_sides_and_nothing_else() -> None:
    made = walk(Plan(left_step_bias=0.05, strike_angle=(20, 8), clearance=(0.07, 0.03), duration=8.0, noise=0.002))
    one, other = measure_gait(made.clip), measure_gait(mirrored(made.clip))
    for name in PARAMETER_NAMES:
        swapped = name.replace("left", "@").replace("right", "left").replace("@", "right")
        _same(one.values[name], other.values[swapped], 1e-3, name)
    flip = {"left": "right", "right": "left"}
    assert [(e.kind, flip[e.side]) for e in other.events] == [(e.kind, e.side) for e in one.events]


@pytest.mark.parametrize("yaw", [37.0, 90.0, 180.0, -151.0])
def test_turning_and_moving_the_scene_changes_nothing(yaw: float) -> None:
    clip = walk(Plan(left_step_bias=0.03, turn_deg=180.0, turn_s=(4.0, 6.5), duration=11.0)).clip
    one, other = measure_gait(clip), measure_gait(moved(clip, yaw, (3.0, -7.0)))
    for name in PARAMETER_NAMES:
        _same(one.values[name], other.values[name], 5e-3, name)


@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_scaling_the_body_scales_lengths_only(scale: float) -> None:
    clip = walk(Plan()).clip
    one, other = measure_gait(clip), measure_gait(clip.replace(joints_m=clip.joints_m * np.float32(scale)))
    _close(one, other, LENGTHS, 2e-3, scale)
    _close(one, other, (*TIMES_AND_SHARES, "arm_swing_left_deg", "trunk_flexion_deg"), 2e-3)


def test_the_same_walk_at_20_and_120_hz_reads_the_same() -> None:
    slow, fast = (measure_gait(walk(Plan(rate=rate, duration=9.0)).clip) for rate in (20.0, 120.0))
    _close(fast, slow, LENGTHS, 0.02)
    _close(fast, slow, ("cadence_spm", "stride_time_s", "arm_swing_left_deg"), 0.01)
    assert slow.values["swing_percent"] == pytest.approx(fast.values["swing_percent"], abs=1.0)


def test_null_rules() -> None:
    short = measure_gait(walk(Plan(duration=4.0)).clip)
    assert short.quality.strides < 10
    for name in ("stride_time_cv_percent", "turn_duration_180_s", "freezing_episodes"):
        assert short.values[name] is None and short.reasons[name]
    assert measure_gait(walk(Plan(duration=11.0)).clip).values["freezing_episodes"] == 0
    slow = measure_gait(walk(Plan(rate=30.0, duration=9.0)).clip)
    assert slow.values["foot_strike_angle_left_deg"] is None and "50 Hz" in slow.reasons["foot_strike_angle_left_deg"]
    assert "30 Hz" in slow.low_confidence["swing_percent"] and "30 Hz" in slow.low_confidence["double_support_percent"]
    assert "30 are wanted" in slow.low_confidence["stride_time_cv_percent"]
    assert set(slow.reasons) == {name for name in PARAMETER_NAMES if slow.values[name] is None}


def test_joints_that_were_filled_in_take_their_measures_with_them() -> None:
    clip = walk(Plan()).clip.replace(joints_filled=("left_foot", "right_wrist", "spine1"))
    got = measure_gait(clip)
    nulls = (
        "foot_clearance_left_m",
        "foot_strike_angle_left_deg",
        "arm_swing_right_deg",
        "arm_swing_asymmetry_percent",
    )
    for name in nulls:
        assert got.values[name] is None and got.reasons[name]
    assert got.values["foot_clearance_right_m"] is not None and got.values["arm_swing_left_deg"] is not None
    assert "spine1" in got.low_confidence["trunk_flexion_deg"]
    assert got.quality.joints_filled == clip.joints_filled


def test_a_recovered_path_is_said_beside_what_leans_on_it() -> None:
    clip = walk(Plan()).clip
    plain, got = measure_gait(clip), measure_gait(clip.replace(path_recovered=True))
    assert got.values == plain.values
    told = {name for name, caution in got.low_confidence.items() if "path was recovered" in caution}
    assert told == {
        "walking_speed_mps",
        "stride_length_m",
        "step_length_left_m",
        "step_length_right_m",
        "step_length_asymmetry_percent",
        "step_width_m",
    }


@pytest.mark.parametrize(("angle", "seconds"), [(180.0, 2.4), (-180.0, 3.6), (150.0, 2.5)])
def test_turn_is_timed_and_kept_out_of_the_straight_walk(angle: float, seconds: float) -> None:
    plan = Plan(turn_deg=angle, turn_s=(4.0, 4.0 + seconds), duration=11.0)
    got = measure_gait(walk(plan).clip)
    # A turn that starts at full rate is blurred by the filter by up to a few tenths of a second.
    assert got.values["turn_duration_180_s"] == pytest.approx(seconds * 180.0 / abs(angle), abs=0.45)
    assert ("turn_duration_180_s" in got.low_confidence) == (abs(angle) < 175.0)
    assert got.quality.steady_strides < got.quality.strides
    assert got.values["walking_speed_mps"] == pytest.approx(plan.speed, rel=0.01)
    assert got.values["step_width_m"] == pytest.approx(plan.step_width, abs=0.01)
    assert any("straight and steady" in warning for warning in got.warnings)


def test_a_right_angle_is_not_a_turn_of_180() -> None:
    got = measure_gait(walk(Plan(turn_deg=90.0, turn_s=(3.0, 4.5), duration=8.0)).clip)
    assert got.values["turn_duration_180_s"] is None


def test_starts_and_stops_do_not_slow_the_walk() -> None:
    got = measure_gait(walk(Plan(stand_s=(1.5, 9.0), duration=11.0)).clip)
    assert got.values["walking_speed_mps"] == pytest.approx(1.2, rel=0.05)
    assert got.values["freezing_episodes"] == 0


def _still(seconds: float = 5.0, rate: float = 60.0) -> np.ndarray:
    pose = walk(Plan(stand_s=(50.0, 60.0), duration=1.0, sway=0.0)).clip.joints_m[:1].astype(np.float64)
    return np.repeat(pose, round(seconds * rate) + 1, axis=0)


def _not_walking(joints: np.ndarray, rate: float = 60.0) -> GaitParameters:
    noise = 0.003 * np.random.default_rng(1).standard_normal(joints.shape)
    got = measure_gait(MotionClip((joints + noise).astype(np.float32), rate))
    assert not got.quality.walking and got.quality.not_walking_reason in got.warnings
    assert set(got.values) == set(got.reasons) == set(PARAMETER_NAMES)
    assert all(value is None for value in got.values.values()) and got.events == ()
    return got


def test_standing_is_not_walking() -> None:
    assert "stays in place" in str(_not_walking(_still()).quality.not_walking_reason)


def test_sitting_down_and_squatting_are_not_walking() -> None:
    joints = _still()
    t = np.linspace(0.0, 1.0, len(joints))
    upper = [index for index in range(22) if index not in (4, 5, 7, 8, 10, 11)]
    joints[:, upper, 1] -= 0.4 * np.clip((t - 0.3) / 0.3, 0.0, 1.0)[:, None]
    assert "lowers or raises the body by 0.4" in str(_not_walking(joints).quality.not_walking_reason)


def test_stepping_in_place_is_not_walking() -> None:
    joints = _still(6.0)
    phase = np.sin(2 * np.pi * np.arange(len(joints)) / 60.0)
    for sign, ids in ((1.0, (4, 7, 10)), (-1.0, (5, 8, 11))):
        joints[:, ids, 1] += 0.15 * np.clip(sign * phase, 0.0, None)[:, None]
    assert "steps in place" in str(_not_walking(joints).quality.not_walking_reason)


def test_a_body_that_slides_is_not_walking() -> None:
    joints = _still()
    joints[..., 2] += np.linspace(0.0, 5.0, len(joints))[:, None]
    assert "travels" in str(_not_walking(joints).quality.not_walking_reason)


@pytest.mark.parametrize("extra", [-0.7, 0.8, 1.5])
def test_a_walk_whose_feet_slide_is_none(extra: float) -> None:
    clip = walk(Plan(speed=0.4)).clip
    assert measure_gait(clip).quality.walking
    joints = clip.joints_m.copy()
    joints[..., ::2] += extra * (joints[:, :1, ::2] - joints[0, 0, ::2])
    reason = str(_not_walking(joints, clip.frame_rate_hz).quality.not_walking_reason)
    assert extra != 0.8 or "The feet slide" in reason


def test_a_clip_that_ends_in_mid_swing_has_no_strike_at_its_end() -> None:
    whole = walk(Plan()).clip
    for frames in range(whole.num_frames - 60, whole.num_frames, 4):
        clip = whole.replace(joints_m=whole.joints_m[:frames])
        events = measure_gait(clip).events
        for side in ("left", "right"):
            own = [event for event in events if event.side == side]
            for off, strike in pairwise(own):
                if (off.kind, strike.kind) == ("foot_off", "foot_strike"):
                    assert strike.time_s - off.time_s > 0.2, (frames, side)


def test_measures_that_contradict_each_other_are_to_be_read_with_care() -> None:
    values = measure_gait(walk(Plan()).clip).values
    assert inconsistent(values) == {}
    missed = inconsistent({**values, "step_length_left_m": 1.8 * values["step_length_left_m"]})
    assert set(missed) == {"step_length_left_m", "step_length_right_m", "step_length_asymmetry_percent"}
    assert set(inconsistent({**values, "cadence_spm": 0.75 * values["cadence_spm"]})) == {
        "cadence_spm",
        "stride_time_s",
    }
    assert inconsistent(dict.fromkeys(values)) == {}


def test_a_clip_too_short_for_a_step() -> None:
    clip = walk(Plan(duration=0.4)).clip
    assert "too short" in str(measure_gait(clip).quality.not_walking_reason)
    two_frames = clip.replace(joints_m=clip.joints_m[:2])
    assert not measure_gait(two_frames).quality.walking


def test_a_slow_shuffle_is_walking() -> None:
    plan = Plan(speed=0.3, stride_time=0.85, swing=0.28, strike_angle=(0, 0), clearance=(0.01, 0.01), rate=30.0)
    got = measure_gait(walk(plan).clip)
    assert got.quality.walking
    assert got.values["stride_length_m"] == pytest.approx(0.255, abs=0.01)


def test_implausible_values_are_flagged_and_kept() -> None:
    clip = walk(Plan()).clip
    got = measure_gait(clip.replace(joints_m=clip.joints_m * np.float32(3.0)))
    assert got.values["stride_length_m"] == pytest.approx(3.96, rel=0.01)
    assert "plausible" in got.low_confidence["stride_length_m"]
    assert any("stride_length_m" in warning for warning in got.warnings)
    limits = plausibility_limits()
    assert set(limits) == set(PARAMETER_NAMES)
    assert all(item.lower < item.upper and item.source for item in limits.values())


def test_to_dict_is_json_with_the_agreed_fields() -> None:
    got = json.loads(json.dumps(measure_gait(walk(Plan()).clip).to_dict()))
    assert tuple(got["gait_parameters"]) == PARAMETER_NAMES
    assert set(got["quality"]) == {"walking", "strides", "steady_strides", "native_rate_hz", "joints_filled"}
    assert set(got) == {"gait_parameters", "null_reasons", "low_confidence", "events", "quality", "warnings"}
    assert got["gait_parameters"]["walking_speed_mps"] == 1.2
    assert set(got["events"][0]) == {"kind", "side", "time_s"}


def test_speed_and_linear_time() -> None:
    clip = walk(Plan(rate=60.0, duration=4.0)).clip
    measure_gait(clip)
    best = min(_seconds(clip) for _ in range(10))
    assert best < 0.015
    long = walk(Plan(rate=60.0, duration=40.0)).clip
    longer = long.replace(joints_m=np.concatenate([long.joints_m] * 8))
    assert min(_seconds(longer) for _ in range(2)) < 16.0 * min(_seconds(long) for _ in range(3))


def _seconds(clip: MotionClip) -> float:
    start = time.process_time()
    measure_gait(clip)
    return time.process_time() - start


def test_measuring_needs_neither_torch_nor_scipy() -> None:
    code = (
        "import sys, numpy as np; from agir_hf.clip import MotionClip; from agir_hf.gait import measure_gait;"
        "measure_gait(MotionClip(np.zeros((200, 22, 3)), 60.0));"
        "print([m for m in ('torch', 'scipy', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_small_legs_are_told(shared_data: Path) -> None:
    pytest.importorskip("ezc3d")
    from agir_hf.motion import read_motion

    child = measure_gait(read_motion(shared_data / "lab_walk_c3d" / "HC036A10_straight.c3d"))
    assert any("The legs are 0.62 m long" in note and "about 1.3 m" in note for note in child.warnings)
    grown = measure_gait(read_motion(shared_data / "clinical_bvh" / "SubjectA1_Cycle1.bvh"))
    assert not any("legs are" in note for note in grown.warnings)


def test_a_floor_that_is_not_level_is_told() -> None:
    level = walk(Plan()).clip
    joints = level.joints_m.copy()
    path = joints[:, 0, [0, 2]] - joints[0, 0, [0, 2]]
    joints[..., 1] += 0.06 * (np.linalg.norm(path, axis=1) / np.linalg.norm(path[-1]))[:, None]
    tilted = measure_gait(level.replace(joints_m=joints))
    (told,) = [note for note in tilted.warnings if "not level" in note]
    assert re.search(r"stand [56] cm higher at one end of the [\d.]+ m walked", told)
    assert not any("not level" in note for note in measure_gait(level).warnings)
