"""Curves over the gait cycle: hand-made legs, the commanded angles of simulated people, and recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gait_walker import Plan, mirrored, moved, walk
from simulated_curves import SIDES, commanded_strides, straight_walk

from agir_hf.clip import MotionClip
from agir_hf.gait import CURVES, gait_cycles, measure_gait, normal_cycles
from agir_hf.gait.per_stride import gait_evidence, stride_samples
from agir_hf.motion import read_motion
from agir_hf.simulation import simulate_not_walking, simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX

THIGH_M, STRIDE_S = 0.42, 1.1


def told_hip_deg(time_s: np.ndarray, side: str) -> np.ndarray:
    phase = 2 * np.pi * time_s / STRIDE_S + (0.0 if side == "left" else np.pi)
    return 3.0 + 21.0 * np.cos(phase) + 4.0 * np.sin(2 * phase)


def with_pendulum_thighs(clip: MotionClip) -> MotionClip:
    """Both knees on thighs that swing by a known curve about the hips, towards +Z."""
    joints = clip.joints_m.astype(np.float64)
    times = np.arange(clip.num_frames) / clip.frame_rate_hz
    for side in SIDES:
        angle = np.radians(told_hip_deg(times, side))
        hip = joints[:, JOINT_INDEX[f"{side}_hip"]]
        bone = np.stack([np.zeros_like(angle), -np.cos(angle), np.sin(angle)], axis=1)
        joints[:, JOINT_INDEX[f"{side}_knee"]] = hip + THIGH_M * bone
    return clip.replace(joints_m=joints.astype(np.float32))


@pytest.mark.parametrize(("rate", "yaw_deg"), [(100.0, 0.0), (30.0, 130.0)])
def test_a_pendulum_thigh_gives_its_own_curve(rate: float, yaw_deg: float) -> None:
    clip = moved(with_pendulum_thighs(walk(Plan(stride_time=STRIDE_S, rate=rate)).clip), yaw_deg, (1.0, -2.0))
    cycles = gait_cycles(clip)
    assert cycles is not None
    for side in SIDES:
        found = cycles.of(side)  # type: ignore[arg-type]
        assert len(found.start_s) >= 3
        times = found.start_s[:, None] + (found.end_s - found.start_s)[:, None] * cycles.percent / 100.0
        hip = found.angles_deg["hip_flexion_deg"]
        assert hip is not None and hip.shape == times.shape
        assert np.abs(hip - told_hip_deg(times, side)).max() < 0.6
        # The trunk of this figure leans by 5 degrees: the thigh is told from the vertical all the same.
        assert found.mean_deg("trunk_flexion_deg") == pytest.approx(np.full(101, 5.0), abs=0.3)
        assert found.mean_foot_off_percent == pytest.approx(62.0, abs=2.5)


def test_knee_and_ankle_of_a_leg_in_a_known_place() -> None:
    clip = walk(Plan()).clip
    cycles = gait_cycles(clip)
    assert cycles is not None
    joints = clip.joints_m.astype(np.float64)
    frames = np.arange(clip.num_frames) / clip.frame_rate_hz
    for side in SIDES:
        found = cycles.of(side)  # type: ignore[arg-type]
        hip, knee, ankle = (joints[:, JOINT_INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        thigh, shank = (knee - hip)[:, 1:], (ankle - knee)[:, 1:]  # (up, forward)
        lengths = np.linalg.norm(thigh, axis=1) * np.linalg.norm(shank, axis=1)
        bent = np.degrees(np.arccos((thigh * shank).sum(axis=1) / lengths))
        lean = np.degrees(np.arctan2(knee[:, 2] - ankle[:, 2], knee[:, 1] - ankle[:, 1]))
        knee_deg, ankle_deg = found.angles_deg["knee_flexion_deg"], found.angles_deg["ankle_dorsiflexion_deg"]
        assert knee_deg is not None and ankle_deg is not None
        for stride in range(len(found.start_s)):
            times = found.start_s[stride] + (found.end_s - found.start_s)[stride] * cycles.percent / 100.0
            assert np.abs(knee_deg[stride] - np.interp(times, frames, bent)).mean() < 0.5
            # Flat from 12 to 45 percent, and all that bends the ankle is the shank.
            assert np.abs(ankle_deg[stride] - np.interp(times, frames, lean))[12:45].max() < 1.0


def test_left_and_right_are_alike_in_a_symmetric_walk_and_swap_in_a_mirror() -> None:
    even = gait_cycles(walk(Plan(arm_range=(40.0, 40.0))).clip)
    assert even is not None
    for curve in CURVES:
        left, right = even.left.mean_deg(curve), even.right.mean_deg(curve)
        assert left is not None and right is not None
        assert np.abs(left - right).max() < 1.0, curve
    clip = walk(Plan(left_step_bias=0.08, arm_range=(45.0, 20.0), sway=0.0)).clip
    one, other = gait_cycles(clip), gait_cycles(mirrored(clip))
    assert one is not None and other is not None
    for curve in CURVES:
        for side, swapped in zip(SIDES, SIDES[::-1], strict=True):
            before, after = one.of(side).angles_deg[curve], other.of(swapped).angles_deg[curve]  # type: ignore[arg-type]
            assert before is not None and after is not None
            assert np.abs(before - after).max() < 0.02, curve


def test_the_range_of_an_arm_curve_is_what_its_stride_adds_to_the_parameter() -> None:
    clip = simulate_walk(simulate_person(3, score=1), seed=4, duration_s=6.0).clip
    cycles, samples = gait_cycles(clip), stride_samples(gait_evidence(clip))
    assert cycles is not None
    for side in SIDES:
        arm = cycles.of(side).angles_deg["arm_swing_deg"]  # type: ignore[arg-type]
        own = [item.value for item in samples[f"arm_swing_{side}_deg"] or () if item.side == side]
        assert arm is not None
        assert np.ptp(arm, axis=1) == pytest.approx(np.array(own), abs=0.3)


def errors_deg(frame_rate_hz: float, noise_m: float, planned: bool) -> dict[str, float]:
    """Mean distance of mean curves from the commanded ones, over 8 simulated people of all scores."""
    errors: dict[str, list[float]] = {}
    for number in range(8):
        person = simulate_person(400 + number, score=number % 4)
        made, plan = straight_walk(person, number, noise_m=noise_m, frame_rate_hz=frame_rate_hz)
        cycles = gait_cycles(made.clip)
        assert cycles is not None
        for side in SIDES:
            found = cycles.of(side)  # type: ignore[arg-type]
            truth = commanded_strides(person, plan, side, found.start_s, found.end_s, planned)
            for curve, angles in truth.items():
                mean = found.mean_deg(curve)
                assert mean is not None
                errors.setdefault(curve, []).append(float(np.abs(mean - angles.mean(axis=0)).mean()))
    return {curve: float(np.mean(values)) for curve, values in errors.items()}


@pytest.mark.parametrize("frame_rate_hz", [100.0, 25.0])
def test_simulated_people_walk_with_the_angles_they_were_told(frame_rate_hz: float) -> None:
    # Between the same two strikes: smoothing, noise of 3 mm, and a plane of walking told from the pelvis.
    between = errors_deg(frame_rate_hz, 0.003, planned=False)
    limits = {"hip_flexion_deg": 0.5, "knee_flexion_deg": 0.8, "ankle_dorsiflexion_deg": 1.2, "arm_swing_deg": 2.5}
    assert all(between[curve] < limit for curve, limit in limits.items()), between
    # From planned strike to planned strike: strikes are found 20 ms late, 2 percent of a cycle.
    planned = errors_deg(frame_rate_hz, 0.003, planned=True)
    limits = {"hip_flexion_deg": 2.5, "knee_flexion_deg": 4.0, "ankle_dorsiflexion_deg": 3.5, "arm_swing_deg": 3.5}
    assert all(planned[curve] < limit for curve, limit in limits.items()), planned


def test_what_is_not_there_is_none_with_a_reason() -> None:
    assert gait_cycles(simulate_not_walking("standing", seed=0)) is None
    clip = walk(Plan()).clip.replace(joints_filled=("left_wrist", "right_foot"))
    cycles = gait_cycles(clip)
    assert cycles is not None
    assert cycles.left.angles_deg["arm_swing_deg"] is None and "left_wrist" in cycles.left.reasons["arm_swing_deg"]
    assert cycles.right.mean_deg("ankle_dorsiflexion_deg") is None
    assert cycles.right.mean_deg("arm_swing_deg") is not None and cycles.left.mean_deg("knee_flexion_deg") is not None
    short = gait_cycles(walk(Plan(duration=1.3)).clip)
    assert short is not None
    for side in (short.left, short.right):
        assert len(side.start_s) == 0 and side.mean_foot_off_percent is None
        assert set(side.reasons) == set(CURVES) and "no complete" in side.reasons["knee_flexion_deg"]


def test_turns_are_left_out_and_a_walk_of_turns_says_so() -> None:
    made = simulate_walk(simulate_person(9, score=0), seed=2, duration_s=10.0, turn="about")
    cycles, quality = gait_cycles(made.clip), measure_gait(made.clip).quality
    assert cycles is not None
    assert len(cycles.left.start_s) + len(cycles.right.start_s) == quality.steady_strides < quality.strides
    turning = gait_cycles(walk(Plan(turn_deg=400.0, turn_s=(0.0, 6.0))).clip)
    assert turning is not None and turning.left.caution is not None and "all are used" in turning.left.caution
    straight = gait_cycles(walk(Plan()).clip)
    assert straight is not None
    for curve in ("hip_flexion_deg", "knee_flexion_deg"):  # the direction of walking turns with the body
        one, other = turning.left.mean_deg(curve), straight.left.mean_deg(curve)
        assert one is not None and other is not None and np.abs(one - other).mean() < 4.0
    slow = gait_cycles(walk(Plan(rate=25.0)).clip)
    assert slow is not None and slow.left.caution is not None and "25 Hz" in slow.left.caution


def test_normal_curves_are_closed_and_have_a_spread() -> None:
    normal = normal_cycles()
    assert set(normal) == {"hip_flexion_deg", "knee_flexion_deg", "ankle_dorsiflexion_deg"} <= set(CURVES)
    for curve in normal.values():
        assert curve.angle_deg[0] == pytest.approx(curve.angle_deg[100]) and curve.sd_deg[0] == curve.sd_deg[100]
        assert np.abs(np.diff(curve.angle_deg)).max() < 5.0  # a slip of the pen would stand out
        assert 2.0 < curve.sd_deg.min() and curve.sd_deg.max() < 9.0
        low, high = curve.usual_deg
        assert (low + high) / 2.0 == pytest.approx(curve.angle_deg) and (high - low) == pytest.approx(
            3.0 * curve.sd_deg
        )
        assert "Senden" in curve.source and "CC BY" in curve.source
    # Peaks as every text has them: the knee in swing, the ankle before push-off, the thigh behind at the end of stance.
    knee, ankle, hip = (
        normal[name].angle_deg for name in ("knee_flexion_deg", "ankle_dorsiflexion_deg", "hip_flexion_deg")
    )
    assert 60.0 < knee.max() < 68.0 and 70 <= knee.argmax() <= 75
    assert 10.0 < ankle[:58].max() < 14.0 and 42 <= ankle[:58].argmax() <= 50 and 60 <= ankle.argmin() <= 67
    assert -24.0 < hip.min() < -16.0 and 48 <= hip.argmin() <= 54


def test_normal_curves_are_near_a_laboratorys(shared_data: Path) -> None:
    path = shared_data.parent / "facts" / "normal_joint_angles.csv"
    if not path.is_file():
        pytest.skip(f"no laboratory curves at {path}")
    table = np.genfromtxt(path, delimiter=",", names=True)
    percent = table["percent_of_cycle"]  # foot off at 65 percent there, at 61 here
    percent = np.where(percent <= 65.0, percent * 61.0 / 65.0, 61.0 + (percent - 65.0) * 39.0 / 35.0)
    laboratory = {
        "hip_flexion_deg": table["hip_flexion_deg"] - table["pelvic_tilt_deg"],  # from the vertical
        "knee_flexion_deg": table["knee_flexion_deg"],
        "ankle_dorsiflexion_deg": table["ankle_dorsiflexion_deg"],
    }
    limits = {"hip_flexion_deg": 2.5, "knee_flexion_deg": 5.5, "ankle_dorsiflexion_deg": 2.5}
    for curve, known in normal_cycles().items():
        apart = np.interp(percent, known.percent, known.angle_deg) - laboratory[curve]
        assert np.sqrt(np.mean(apart**2)) < limits[curve], curve


def test_recorded_walkers_bend_as_people_do(shared_data: Path) -> None:
    pytest.importorskip("ezc3d")
    laboratory = sorted((shared_data / "lab_walk_c3d").glob("*straight.c3d"))
    actors = sorted((shared_data / "style_walk_bvh").glob("*_walk_normal_*.bvh"))
    assert len(laboratory) == 5 and len(actors) == 4
    normal = normal_cycles()
    for path in (*laboratory, *actors):
        cycles = gait_cycles(read_motion(path))
        assert cycles is not None
        for side in (cycles.left, cycles.right):
            hip, knee = side.mean_deg("hip_flexion_deg"), side.mean_deg("knee_flexion_deg")
            ankle = side.mean_deg("ankle_dorsiflexion_deg")
            assert hip is not None and knee is not None and ankle is not None
            assert 30.0 <= np.ptp(hip) <= 60.0, path.name
            assert 40.0 <= knee.max() <= 75.0 and 65 <= knee.argmax() <= 80, path.name
            assert 30 <= ankle.argmax() <= 55, path.name
            # The foot that pushes off passes the vertical: its angle must not fold back there.
            assert -30.0 <= ankle.min() <= -7.0 and 58 <= ankle.argmin() <= 70, path.name
            if path in laboratory:
                apart = {name: side.mean_deg(name) - normal[name].angle_deg for name in normal}
                rms = {name: float(np.sqrt(np.mean(values**2))) for name, values in apart.items()}
                assert max(rms.values()) < 9.0, (path.name, rms)
