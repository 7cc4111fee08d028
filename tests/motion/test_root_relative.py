from dataclasses import replace

import numpy as np
import pytest

from agir_hf.errors import MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion import read_motion
from agir_hf.motion.canonical import Landmarks, canonicalise
from agir_hf.motion.root_relative import is_root_relative, recover_landmarks, recover_path
from agir_hf.simulation import NOT_WALKING_KINDS, cohort_walk, simulate_not_walking, simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX

J = JOINT_INDEX
PARTS = {
    f"{side}_{part}": f"{side}_{'foot' if part == 'toe_base' else part}"
    for side in ("left", "right")
    for part in ("hip", "knee", "ankle", "toe_base", "shoulder", "elbow", "wrist")
} | {"neck": "neck", "head": "head"}


def without_path(clip, *, height: bool = False):
    """The clip with the middle of its hips over one place, and at one height."""
    joints = clip.joints_m.astype(np.float64)
    hips = (joints[:, J["left_hip"]] + joints[:, J["right_hip"]]) / 2.0
    taken = hips * [1.0, float(height), 1.0]
    return clip.replace(joints_m=(joints - taken[:, None]).astype(np.float32))


def landmarks_of(clip, *, toes: bool = True) -> Landmarks:
    parts = {part: joint for part, joint in PARTS.items() if toes or "toe" not in part}
    joints = clip.joints_m.astype(np.float64)
    return Landmarks({part: joints[:, J[joint]] for part, joint in parts.items()}, clip.frame_rate_hz)


def errors(names, pairs) -> np.ndarray:
    """(people, values) relative differences; nan where either has none."""
    rows = []
    for known, got in pairs:
        a, b = measure_gait(known).values, measure_gait(got).values
        rows.append([b[name] / a[name] - 1.0 if a[name] and b[name] else np.nan for name in names])
    return np.array(rows)


def test_speed_and_stride_come_back_on_simulated_walks():
    # Turns, freezing, noise and 20 to 120 Hz are in it, as the cohort has them.
    clips = [cohort_walk(21, person, 0).clip for person in range(10)]
    pairs = []
    for clip in clips:
        still = without_path(clip)
        assert is_root_relative(still)
        got = recover_path(still)
        assert got.warnings[-1].startswith("The recording is root-relative")
        assert "the path was recovered from the planted foot" in got.warnings[-1]
        pairs.append((clip, got))
    found = np.abs(errors(("walking_speed_mps", "stride_length_m", "cadence_spm", "step_width_m"), pairs))
    assert np.isfinite(found[:, 0]).all()
    assert (np.nanmedian(found, axis=0) < [0.02, 0.02, 0.01, 0.05]).all(), np.nanmedian(found, axis=0)
    assert np.nanmax(found[:, :2]) < 0.08


@pytest.mark.parametrize("turn", ["left", "right", "about"])
def test_turns_come_back(turn):
    clip = simulate_walk(simulate_person(3, score=1), seed=2, duration_s=9.0, turn=turn, frame_rate_hz=50.0).clip
    got = recover_path(without_path(clip))
    path, known = (c.joints_m[:, 0, [0, 2]] - c.joints_m[0, 0, [0, 2]] for c in (got, clip))
    travel = np.linalg.norm(np.diff(known, axis=0), axis=-1).sum()
    assert np.linalg.norm(path - known, axis=-1).max() < 0.06 * travel
    known_s, found_s = (measure_gait(c).values["turn_duration_180_s"] for c in (clip, got))
    assert found_s == (None if known_s is None else pytest.approx(known_s, abs=1e-3))


def test_planted_feet_stay_and_nothing_else_changes():
    clip = simulate_walk(simulate_person(5), seed=3, frame_rate_hz=60.0, duration_s=5.0, noise_m=0.0).clip
    got = recover_path(without_path(clip))
    # Everything is moved together, over the floor.
    shift = got.joints_m - without_path(clip).joints_m
    np.testing.assert_allclose(shift, np.broadcast_to(shift[:, :1], shift.shape), atol=2e-6)
    np.testing.assert_array_equal(got.joints_m[..., 1], clip.joints_m[..., 1])
    knees = [J["left_knee"], J["right_knee"]]
    offset = got.joints_m[:, knees] - clip.joints_m[:, knees]
    assert np.ptp(offset, axis=0).max() < 0.12  # over about 6 m
    toes = got.joints_m[:, [J["left_foot"], J["right_foot"]]][..., [0, 2]]
    speed = np.linalg.norm(np.diff(toes, axis=0), axis=-1) * 60.0
    assert np.median(speed.min(axis=1)) < 0.03


@pytest.mark.parametrize(("toes", "height"), [(True, False), (True, True), (False, False), (False, True)])
def test_landmarks_in_camera_axes(toes, height):
    # As pose lifting gives them: millimetres, Y down, the hips fixed, and with or without toes.
    pairs = []
    for person in range(6):
        clip = cohort_walk(21, person, 0).clip
        still = landmarks_of(without_path(clip, height=height), toes=toes)
        camera = replace(still, points={part: x * [1.0, -1.0, -1.0] * 1000.0 for part, x in still.points.items()})
        got = recover_landmarks(camera)
        assert ("the path and the height of the body were recovered" in got.warnings[0]) == height
        pairs.append((clip, canonicalise(got, source="x")))
    found = np.abs(errors(("walking_speed_mps", "stride_length_m"), pairs))
    assert (np.nanmedian(found, axis=0) < (0.02 if toes else 0.05)).all(), np.nanmedian(found, axis=0)


def test_height_comes_back_where_the_root_has_none():
    clip = simulate_walk(simulate_person(5), seed=3, frame_rate_hz=60.0, duration_s=5.0, noise_m=0.0).clip
    got = recover_path(without_path(clip, height=True))
    hips = [(c.joints_m[:, J["left_hip"], 1] + c.joints_m[:, J["right_hip"], 1]) / 2.0 for c in (clip, got)]
    rise = [values - values.mean() for values in hips]
    assert np.ptp(rise[0]) > 0.02
    assert np.abs(rise[1] - rise[0]).max() < 0.012
    assert np.corrcoef(rise)[0, 1] > 0.9


def test_a_body_that_wanders_on_a_treadmill():
    clip = simulate_walk(simulate_person(5), seed=3, frame_rate_hz=60.0, duration_s=8.0).clip
    belt = np.linspace(0.0, 1.0, clip.num_frames)[:, None]
    path = clip.joints_m[:, 0, [0, 2]]
    moving = clip.joints_m.copy()
    moving[..., [0, 2]] -= (path[0] + belt * (path[-1] - path[0]))[:, None]
    got = recover_path(clip.replace(joints_m=moving))
    found = np.abs(errors(("walking_speed_mps", "stride_length_m"), [(clip, got)]))
    assert found.max() < 0.03


def test_walks_with_a_path_and_other_activities_are_left_alone():
    for person in range(12):
        clip = cohort_walk(22, person, 0).clip
        assert not is_root_relative(clip)
        landmarks = landmarks_of(clip)
        assert recover_landmarks(landmarks) is landmarks
    for kind in NOT_WALKING_KINDS:
        for seed in range(3):
            clip = simulate_not_walking(kind, seed=seed)
            assert not is_root_relative(clip), kind
            assert not is_root_relative(without_path(clip)), kind


def test_nothing_to_recover_is_told():
    clip = cohort_walk(22, 0, 0).clip
    for other in (clip, simulate_not_walking("standing", seed=0), clip.replace(joints_m=clip.joints_m[:3])):
        with pytest.raises(MotionFormatError, match="body in place whose feet slide alternately"):
            recover_path(other)


def test_landmarks_that_canonicalise_refuses_pass_through():
    whole = landmarks_of(cohort_walk(22, 0, 0).clip)
    few = replace(whole, points={part: x for part, x in whole.points.items() if part != "left_knee"})
    broken = replace(whole, points=whole.points | {"left_knee": np.full_like(whole.points["left_knee"], np.nan)})
    short = replace(whole, points={part: x[:2] for part, x in whole.points.items()})
    for landmarks in (few, short):
        assert recover_landmarks(landmarks) is landmarks
    with pytest.raises(MotionFormatError, match="NaN or infinity in left_knee"):
        recover_landmarks(broken)


def test_recorded_walks(shared_data):
    pairs = []
    for path in sorted((shared_data / "clinical_bvh").glob("*.bvh"))[::5]:
        clip = read_motion(path)
        assert not is_root_relative(clip)
        still = without_path(clip)
        assert is_root_relative(still), path.name
        pairs.append((clip, recover_path(still)))
    found = np.abs(errors(("walking_speed_mps", "stride_length_m"), pairs))
    assert (np.nanmedian(found, axis=0) < 0.08).all(), found
