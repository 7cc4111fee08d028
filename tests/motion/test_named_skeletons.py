import numpy as np
import pytest

from agir_hf.errors import MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion.named_skeletons import SKELETONS, clip_from_keypoints, landmarks_from_keypoints, tell_skeleton
from agir_hf.simulation import simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX

DIRECT = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "shoulder", "elbow", "wrist"))
# Where a part is that the 22 joints do not have, or have under another name.
STANDS_FOR = {"toe_base": "foot", "toe_tip": "foot", "hand_tip": "wrist", "head_top": "head"}


def walk(frame_rate_hz: float = 50.0, duration_s: float = 5.0):
    return simulate_walk(
        simulate_person(5), seed=3, frame_rate_hz=frame_rate_hz, duration_s=duration_s, noise_m=0.0
    ).clip


def keypoints(joints: np.ndarray, name: str) -> np.ndarray:
    """The walk in the order of a skeleton; points that nothing is read from lie around the head."""
    skeleton = SKELETONS[name]
    head = joints[:, JOINT_INDEX["head"]].astype(np.float64)
    array = np.stack([head + 0.01 * (index % 3) for index in range(skeleton.num_joints)], axis=1)
    for part, indices in skeleton.parts.items():
        joint = part
        for name_here, name_there in STANDS_FOR.items():
            joint = joint.replace(name_here, name_there)
        lift = [0.0, 0.15, 0.0] if part == "head_top" else [0.0, 0.0, 0.0]
        for order, index in enumerate(indices):
            across = [0.03 * (2 * order - 1), 0.0, 0.0] if len(indices) == 2 else [0.0, 0.0, 0.0]
            array[:, index] = joints[:, JOINT_INDEX[joint]] + np.array(lift) + np.array(across)
    return array


@pytest.mark.parametrize("name", SKELETONS)
def test_every_skeleton_is_told_and_read(name):
    clip = walk()
    array = keypoints(clip.joints_m, name)
    assert tell_skeleton(array) == name
    assert tell_skeleton(array, name.upper().replace("-", "_")) == name
    read = clip_from_keypoints(array, frame_rate_hz=50.0)
    lift = read.joints_m[0, 1, 1] - clip.joints_m[0, 1, 1]
    for joint in DIRECT:
        index = JOINT_INDEX[joint]
        np.testing.assert_allclose(
            read.joints_m[:, index] - [0.0, lift, 0.0], clip.joints_m[:, index], atol=1e-4, err_msg=joint
        )
    has_toes = any("toe" in part for part in SKELETONS[name].parts)
    assert set(read.joints_filled) == (set() if has_toes else {"left_foot", "right_foot"})
    known, got = measure_gait(clip).values, measure_gait(read).values
    assert got["walking_speed_mps"] == pytest.approx(known["walking_speed_mps"], rel=0.01)
    assert got["stride_length_m"] == pytest.approx(known["stride_length_m"], rel=0.03)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        # Indices as the makers' documentation lists them.
        ("coco-17", {"left_shoulder": 5, "right_wrist": 10, "left_hip": 11, "right_knee": 14, "left_ankle": 15}),
        ("h36m-17", {"right_hip": 1, "right_ankle": 3, "left_hip": 4, "left_wrist": 13, "right_wrist": 16}),
        ("halpe-26", {"head_top": 17, "neck": 18, "pelvis": 19, "right_ankle": 16}),
        ("mediapipe-33", {"left_shoulder": 11, "right_hip": 24, "left_knee": 25, "right_toe_tip": 32}),
        ("kinect-25", {"head": 3, "left_elbow": 5, "left_hip": 12, "right_toe_base": 19, "right_hand_tip": 23}),
        ("body-25", {"neck": 1, "right_shoulder": 2, "left_wrist": 7, "right_knee": 10, "left_ankle": 14}),
        ("smpl-24", {"left_hip": 1, "right_toe_base": 11, "neck": 12, "left_hand_tip": 22}),
    ],
)
def test_the_orders_are_those_of_their_makers(name, points):
    for part, index in points.items():
        assert SKELETONS[name].parts[part] == (index,), part


def test_left_and_right_differ_by_keypoint():
    for skeleton in SKELETONS.values():
        used = [index for part, group in skeleton.parts.items() for index in group if part != "head"]
        assert len(set(used)) == len(used)
        assert max(used) < skeleton.num_joints


@pytest.mark.parametrize("name", ["mediapipe-33", "coco-17"])
def test_image_axes_and_millimetres_are_turned_and_scaled(name):
    clip = walk()
    array = keypoints(clip.joints_m, name) * [1.0, -1.0, -1.0] * 1000.0
    read = clip_from_keypoints(array, frame_rate_hz=50.0)
    upright = clip_from_keypoints(keypoints(clip.joints_m, name), frame_rate_hz=50.0)
    np.testing.assert_allclose(read.joints_m[:, :, 1], upright.joints_m[:, :, 1], atol=1e-3)
    assert any("-Y up" in warning for warning in read.warnings)


def test_short_gaps_are_filled_and_long_ones_cut():
    clip = walk()
    array = keypoints(clip.joints_m, "coco-17")
    array[100:104, 15] = np.nan
    array[200:, 13] = np.nan
    array[50:, 9] = np.nan
    landmarks = landmarks_from_keypoints(array, None, 50.0)
    assert len(landmarks.points["left_ankle"]) == 200
    assert "left_wrist" not in landmarks.points
    np.testing.assert_allclose(
        landmarks.points["left_ankle"], clip.joints_m[:200, JOINT_INDEX["left_ankle"]], atol=0.02
    )
    assert "frames 1 to 200 kept" in landmarks.warnings[0]
    assert "left_wrist" in landmarks.warnings[1]
    read = clip_from_keypoints(array, frame_rate_hz=50.0)
    assert "left_wrist" in read.joints_filled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"array": np.zeros((10, 18, 3))}, "found 18: name them in a table"),
        ({"array": np.zeros((10, 17, 2))}, r"found \(10, 17, 2\)"),
        ({"array": np.zeros((10, 33, 4))}, r"array\[..., :3\]"),
        ({"array": np.zeros((1, 17, 3))}, "at least 2 frames"),
        ({"array": np.zeros((0, 17, 3))}, "at least 2 frames"),
        ({"array": np.zeros((10, 17, 3))}, "none of them fits: pass skeleton='h36m-17'"),
        ({"array": np.full((10, 17, 3), "a")}, "array of numbers"),
        ({"array": np.array([{}], dtype=object)}, "array of numbers"),
        ({"array": [[[1.0, 2.0, 3.0]], [[1.0, 2.0]]]}, "different lengths"),
        ({"skeleton": "openpose"}, "expected a skeleton out of smpl-22, .* found 'openpose'"),
        ({"skeleton": "halpe-26"}, "expected 26 keypoints a frame for skeleton halpe-26, found 17"),
        ({"frame_rate_hz": None}, "pass frame_rate_hz, or --frame-rate-hz"),
        ({"frame_rate_hz": 0.0}, "between 1 and 2000 Hz"),
        ({"frame_rate_hz": float("nan")}, "between 1 and 2000 Hz"),
    ],
)
def test_bad_input_gets_one_clear_line(change, message):
    arguments = {"array": keypoints(walk(duration_s=1.0).joints_m, "coco-17"), "frame_rate_hz": 50.0} | change
    with pytest.raises(MotionFormatError, match=message) as caught:
        clip_from_keypoints(arguments.pop("array"), **arguments)
    assert "\n" not in str(caught.value)


def test_a_leg_never_seen_is_told():
    array = keypoints(walk(duration_s=1.0).joints_m, "coco-17")
    array[:, 15] = np.nan
    with pytest.raises(MotionFormatError, match="expected 17 keypoints that make two legs"):
        clip_from_keypoints(array, frame_rate_hz=50.0)
    with pytest.raises(MotionFormatError, match="found no two in a row"):
        clip_from_keypoints(array, frame_rate_hz=50.0, skeleton="coco-17")


def test_the_humanml3d_sample_reads_as_smpl_22(shared_data):
    joints = np.load(shared_data / "humanml3d_sample" / "012314_joints.npy")
    clip = clip_from_keypoints(joints, frame_rate_hz=20.0)
    assert (clip.joints_filled, clip.warnings) == ((), ())
    lift = clip.joints_m[0, 1, 1] - joints[0, 1, 1]
    for joint in DIRECT:
        index = JOINT_INDEX[joint]
        np.testing.assert_allclose(clip.joints_m[:, index] - [0.0, lift, 0.0], joints[:, index], atol=1e-5)
    for joint in ("pelvis", "neck", "left_ankle", "right_foot"):
        index = JOINT_INDEX[joint]
        away = np.linalg.norm(clip.joints_m[:, index] - [0.0, lift, 0.0] - joints[:, index], axis=-1)
        assert away.mean() < 0.06, (joint, away.mean())
    assert measure_gait(clip).quality.walking


@pytest.mark.parametrize("third", [0.0, 0.9])
@pytest.mark.parametrize("per_metre", [100.0, 1.0])
def test_keypoints_of_an_image_are_no_3d_keypoints(third, per_metre):
    clip = simulate_walk(simulate_person(2), seed=2, frame_rate_hz=50.0, duration_s=2.0).clip
    array = keypoints(clip.joints_m, "coco-17") * per_metre
    array[..., 2] = third * per_metre / 100.0 * np.random.default_rng(0).uniform(0.5, 1.0, array.shape[:2])
    with pytest.raises(MotionFormatError, match="flat along Z: is this the score of 2D"):
        clip_from_keypoints(array, frame_rate_hz=50.0, skeleton="coco-17")
