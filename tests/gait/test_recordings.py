"""Real recordings and simulated walks: nothing is fitted here, only held to agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agir_hf.gait import measure_gait
from agir_hf.gait.freezing import find_freezing
from agir_hf.gait.per_stride import gait_evidence
from agir_hf.gait.signals import body_signals
from agir_hf.motion import read_motion
from agir_hf.simulation import NOT_WALKING_KINDS, cohort_walk, simulate_not_walking, simulate_person, simulate_walk


def test_clinical_walks_are_walking_and_agree_with_hip_displacement(shared_data: Path) -> None:
    paths = sorted((shared_data / "clinical_bvh").glob("*.bvh"))
    assert len(paths) == 41
    differences = []
    for path in paths:
        clip = read_motion(path)
        got = measure_gait(clip)
        assert got.quality.walking, (path.name, got.quality.not_walking_reason)
        assert got.quality.strides >= 3
        xz = clip.joints_m[:, 0, [0, 2]].astype(np.float64)
        displacement = float(np.linalg.norm(xz[-1] - xz[0])) / clip.duration_s
        differences.append(abs(float(got.values["walking_speed_mps"] or 0.0) / displacement - 1.0))
        # Over the seconds that the strides cover, which leave out a slow first second.
        evidence = gait_evidence(clip)
        assert evidence is not None
        used = evidence.used_strides
        start_s, end_s = min(stride.start_s for stride in used), max(stride.end_s for stride in used)
        ends = [evidence.signals.at(evidence.signals.pelvis_m, time_s)[[0, 2]] for time_s in (start_s, end_s)]
        in_strides = float(np.linalg.norm(ends[1] - ends[0])) / (end_s - start_s)
        assert got.values["walking_speed_mps"] == pytest.approx(in_strides, rel=0.05), path.name
    assert np.median(differences) < 0.02
    assert sum(difference > 0.05 for difference in differences) <= 4  # people who speed up


def test_events_a_laboratory_annotated_are_found(shared_data: Path) -> None:
    pytest.importorskip("ezc3d")
    errors, missed = [], 0
    for path in sorted((shared_data / "lab_walk_c3d").glob("*.c3d")):
        clip = read_motion(path)
        events = measure_gait(clip).events
        for lab in clip.lab_events:
            same = [abs(e.time_s - lab.time_s) for e in events if (e.kind, e.side) == (lab.kind, lab.side)]
            nearest = min(same, default=9.0)
            missed += nearest > 0.05
            errors += [nearest] if nearest <= 0.05 else []
    assert len(errors) > 70 and missed <= 0.05 * (len(errors) + missed)
    assert np.median(errors) <= 0.020


def test_actors_walks_and_turns_are_walking(shared_data: Path) -> None:
    paths = sorted((shared_data / "style_walk_bvh").glob("*.bvh"))
    assert paths
    for path in paths:
        got = measure_gait(read_motion(path))
        assert got.quality.walking, (path.name, got.quality.not_walking_reason)
        turned = "turn" in path.name
        assert (got.quality.steady_strides < 0.6 * got.quality.strides) == turned, path.name
        assert got.values["foot_strike_angle_left_deg"] is None  # 30 Hz


def test_simulated_cohort_against_its_plan() -> None:
    errors: dict[str, list[float]] = {}
    for person in range(30):
        made = cohort_walk(3, person, 0)
        got = measure_gait(made.clip)
        assert got.quality.walking or made.truth.freezing_s
        for name, truth in made.truth.values.items():
            value = got.values[name]
            if truth is not None and value is not None:
                relative = name in ("walking_speed_mps", "cadence_spm", "stride_length_m")
                errors.setdefault(name, []).append(abs(value - truth) / (truth if relative else 1.0))
    limits = {"walking_speed_mps": 0.02, "cadence_spm": 0.015, "stride_length_m": 0.02, "step_width_m": 0.01}
    limits |= {
        "arm_swing_left_deg": 2.0,
        "arm_swing_right_deg": 2.0,
        "trunk_flexion_deg": 1.5,
        "turn_duration_180_s": 0.25,
    }
    for name, limit in limits.items():
        assert len(errors[name]) >= 5 and np.median(errors[name]) < limit, (name, np.median(errors[name]))


@pytest.mark.parametrize("kind", NOT_WALKING_KINDS)
def test_simulated_other_activities_are_not_walking(kind: str) -> None:
    for seed in range(4):
        got = measure_gait(simulate_not_walking(kind, seed=seed))
        assert not got.quality.walking and got.quality.not_walking_reason


def test_freezing_is_counted_and_standing_is_not() -> None:
    right = 0
    for seed in range(30):
        person = simulate_person(seed, score=2)
        for count in (0, 1):
            made = simulate_walk(person, seed=seed, frame_rate_hz=60.0, duration_s=12.0, freezing=count, stops=True)
            found = find_freezing(body_signals(made.clip))
            right += len(found) == len(made.truth.freezing_s)
    assert right >= 48  # of 60
