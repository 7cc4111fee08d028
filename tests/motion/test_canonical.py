import numpy as np
import pytest
from bvh_writer import Recording, positions, write

from agir_hf.errors import MotionFormatError
from agir_hf.motion import anatomy, read_motion
from agir_hf.motion.canonical import Landmarks, canonicalise
from agir_hf.motion.floor import stance_height
from agir_hf.motion.retarget import retarget_joints
from agir_hf.skeleton import JOINT_INDEX, PARENTS

J = JOINT_INDEX
PARTS = {
    f"{side}_{part}": f"{side.capitalize()}{name}"
    for side in ("left", "right")
    for part, name in {
        "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "toe_base": "ToeBase",
        "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
    }.items()
} | {"neck": "Neck", "head": "Head"}  # fmt: skip


def landmarks(without: tuple[str, ...] = (), **changes: np.ndarray) -> Landmarks:
    known = positions(Recording())
    points = {part: known[name] for part, name in PARTS.items() if not part.endswith(without or ("nothing",))}
    return Landmarks(points=points | changes, frame_rate_hz=60.0)


def canonical(**arguments) -> np.ndarray:
    return canonicalise(landmarks(**arguments), source="x").joints_m.astype(np.float64)


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(joints - joints[:, list(PARENTS)], axis=-1)


def test_trunk_joints_sit_at_fixed_fractions():
    joints = canonical()
    hips = (joints[:, J["left_hip"]] + joints[:, J["right_hip"]]) / 2.0
    shoulders = (joints[:, J["left_shoulder"]] + joints[:, J["right_shoulder"]]) / 2.0
    trunk = shoulders - hips
    for name, (fraction, _) in anatomy.TRUNK_PLACES.items():
        along = ((joints[:, J[name]] - hips) * trunk).sum(-1) / (trunk**2).sum(-1)
        np.testing.assert_allclose(along, fraction, atol=1e-5, err_msg=name)


def test_where_a_source_puts_spine_joints_does_not_matter():
    clips = []
    for lift in (0.0, 0.08):
        known = positions(Recording())
        points = {part: known[name] for part, name in PARTS.items() if part != "neck"}
        points["chest"] = known["Spine1"] + [0.0, lift, 0.0]
        clips.append(canonicalise(Landmarks(points, 60.0), source="x").joints_m)
    np.testing.assert_array_equal(clips[0], clips[1])


def standing_points(ankle_lift: float) -> dict[str, np.ndarray]:
    """A standing person whose ankle joints are called so some way above the real ones."""
    points = {}
    for side, x in (("left", 0.09), ("right", -0.09)):
        heights = {"hip": 0.9, "knee": 0.48, "ankle": 0.07 + ankle_lift, "toe_base": 0.025, "shoulder": 1.4}
        for part, height in heights.items():
            place = [x * (1.9 if part == "shoulder" else 1.0), height, 0.12 if part == "toe_base" else 0.0]
            points[f"{side}_{part}"] = np.tile(place, (40, 1))
    return points


def test_foot_geometry_is_the_same_wherever_a_source_puts_the_ankle():
    heights = []
    for lift in (0.0, 0.03):
        clip = canonicalise(Landmarks(standing_points(lift), 60.0), source="x")
        foot = clip.joints_m[0, J["left_foot"]] - clip.joints_m[0, J["left_ankle"]]
        heights.append(clip.joints_m[0, J["left_ankle"], 1])
        assert np.isclose(np.degrees(np.arctan2(-foot[1], foot[2])), 20.7, atol=0.5)
        assert ("ankle joints sit" in " ".join(clip.warnings)) == (lift > 0)
    assert abs(heights[1] - heights[0]) < 0.006


def test_rotations_of_the_foot_and_the_shank_agree_on_a_walk(tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_text(write(Recording()), encoding="utf-8")
    with_rotations = read_motion(path).joints_m
    without = canonical()
    np.testing.assert_allclose(with_rotations[:, J["left_foot"]], without[:, J["left_foot"]], atol=0.02)


@pytest.mark.parametrize(
    ("without", "filled"),
    [
        (("toe_base",), {"left_foot", "right_foot"}),
        (("wrist",), {"left_wrist", "right_wrist"}),
        (("elbow", "wrist"), {"left_elbow", "right_elbow", "left_wrist", "right_wrist"}),
        (("head", "neck"), {"head"}),
        ((), set()),
    ],
)
def test_what_is_missing_is_filled_and_told(without, filled):
    clip = canonicalise(landmarks(without=without), source="x")
    assert set(clip.joints_filled) == filled
    assert any("filled in" in warning for warning in clip.warnings) == bool(filled)
    lengths = bone_lengths(clip.joints_m)
    assert lengths[:, 1:].min() > 0.03
    assert lengths[:, 1:].max() < 0.6


def test_without_arms_and_head_the_trunk_is_told_as_filled():
    clip = canonicalise(landmarks(without=("shoulder", "elbow", "wrist", "head", "neck")), source="x")
    assert {"left_shoulder", "spine1", "spine2", "spine3", "neck", "head", "right_wrist"} <= set(clip.joints_filled)
    assert "left_hip" not in clip.joints_filled
    up = clip.joints_m[:, J["neck"]] - clip.joints_m[:, J["pelvis"]]
    assert (up[:, 1] > 0.3).all()


def test_the_floor_ignores_a_glitch():
    known = positions(Recording())
    lifted = known["LeftToeBase"].copy()
    lifted[30] -= [0.0, 0.5, 0.0]
    plain, glitch = canonical(), canonical(left_toe_base=lifted)
    assert np.isclose(stance_height(plain), anatomy.TOE_BASE_HEIGHT_M, atol=0.002)
    np.testing.assert_allclose(glitch[:20], plain[:20], atol=0.005)


def test_left_is_left():
    joints = canonical()
    ahead = joints[-1, 0] - joints[0, 0]
    to_left = joints[0, J["left_hip"]] - joints[0, J["right_hip"]]
    # Up x ahead points to the left of somebody walking ahead.
    assert np.cross([0.0, 1.0, 0.0], ahead) @ to_left > 0


def test_bad_landmarks_are_refused():
    with pytest.raises(MotionFormatError, match="no left_knee, right_knee"):
        canonicalise(landmarks(without=("knee",)), source="x")
    known = positions(Recording())["LeftHand"].copy()
    known[3] = np.nan
    with pytest.raises(MotionFormatError, match="NaN or infinity in left_wrist"):
        canonicalise(landmarks(left_wrist=known), source="x")
    tilt = np.array([[0.7, 0.7, 0.0], [-0.7, 0.7, 0.0], [0.0, 0.0, 1.0]])
    flat = {part: values @ tilt for part, values in landmarks().points.items()}
    with pytest.raises(MotionFormatError, match="upright along one axis"):
        canonicalise(Landmarks(flat, 60.0), source="x")


def test_every_recording_reads_with_a_plausible_body(shared_data):
    paths = sorted((shared_data / "clinical_bvh").glob("*.bvh")) + sorted(
        (shared_data / "style_walk_bvh").glob("*.bvh")
    )
    assert len(paths) > 70
    for path in paths:
        clip = read_motion(path)
        lengths = bone_lengths(clip.joints_m.astype(np.float64))
        legs = lengths[:, [J["left_knee"], J["left_ankle"]]].sum(axis=1)
        arms = lengths[:, [J["left_elbow"], J["left_wrist"]]].sum(axis=1)
        trunk = np.linalg.norm(clip.joints_m[:, J["neck"]] - clip.joints_m[:, J["pelvis"]], axis=-1)
        assert clip.joints_filled == ()
        assert 0.75 < np.median(legs) < 0.95, path.name
        assert 0.4 < np.median(arms) < 0.65, path.name
        assert 0.35 < np.median(trunk) < 0.6, path.name
        # Rigid bones: the rebuilt ankle may breathe by millimetres only.
        assert lengths[:, [J["left_knee"], J["left_foot"], J["left_elbow"]]].std(axis=0).max() < 1e-3, path.name
        assert legs.std() < 3e-3, path.name
        assert -0.06 < clip.joints_m[..., 1].min() < 0.03, path.name
        assert not any("mirrored" in warning for warning in clip.warnings), path.name


def test_sources_agree_after_retargeting(shared_data):
    """Stance heights of ankles and toes, heights of the neck and the hang of the arms, in every source."""
    rows = []
    for pattern in ("clinical_bvh/*Cycle1.bvh", "style_walk_bvh/*_walk_normal_*.bvh"):
        values = []
        for path in sorted(shared_data.glob(pattern)):
            joints = retarget_joints(read_motion(path).joints_m)
            ankle = np.quantile(joints[:, [J["left_ankle"], J["right_ankle"]], 1], 0.1)
            toe = np.quantile(joints[:, [J["left_foot"], J["right_foot"]], 1], 0.25)
            neck = np.median(joints[:, J["neck"], 1] - joints[:, J["pelvis"], 1])
            wrist = np.median(joints[:, J["neck"], 1] - joints[:, J["left_wrist"], 1])
            values.append((ankle, toe, neck, wrist))
        rows.append(np.median(values, axis=0))
    np.testing.assert_allclose(rows[0][:2], rows[1][:2], atol=0.015)
    np.testing.assert_allclose(rows[0][2], rows[1][2], atol=0.03)
    np.testing.assert_allclose(rows[0][3], rows[1][3], atol=0.12)
