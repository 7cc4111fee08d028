import numpy as np
import pytest
from test_features import turning_walk

from agir_hf.errors import MotionFormatError
from agir_hf.motion import clip_from_array, read_motion
from agir_hf.motion.features import joints_to_features
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX

COCO_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@pytest.fixture
def joints() -> np.ndarray:
    return turning_walk(frames=40).astype(np.float32)


def test_joints_keep_their_places(joints):
    clip = clip_from_array(joints, frame_rate_hz=50)
    np.testing.assert_array_equal(clip.joints_m, joints)
    assert (clip.frame_rate_hz, clip.source, clip.warnings, clip.joints_filled) == (50.0, "array", (), ())


def test_lists_are_taken_too(joints):
    np.testing.assert_allclose(clip_from_array(joints.tolist(), frame_rate_hz=50).joints_m, joints)


def test_npy_needs_a_rate_and_takes_one(joints, tmp_path):
    path = tmp_path / "walk.npy"
    np.save(path, joints)
    with pytest.raises(MotionFormatError, match="pass frame_rate_hz"):
        read_motion(path)
    clip = read_motion(path, frame_rate_hz=30)
    assert (clip.frame_rate_hz, clip.source) == (30.0, str(path))


@pytest.mark.parametrize("key", ["joints_m", "joints", "motion", "arr_0"])
@pytest.mark.parametrize("rate_key", ["frame_rate_hz", "fps"])
def test_npz_keys(joints, tmp_path, key, rate_key):
    path = tmp_path / "walk.npz"
    np.savez(path, **{key: joints, rate_key: 25})
    clip = read_motion(path)
    assert clip.frame_rate_hz == 25.0
    np.testing.assert_array_equal(clip.joints_m, joints)
    assert read_motion(path, frame_rate_hz=50).frame_rate_hz == 50.0


def test_feature_files_know_their_rate(joints, tmp_path):
    path = tmp_path / "features.npy"
    features = joints_to_features(joints)
    np.save(path, features)
    clip = read_motion(path)
    assert clip.frame_rate_hz == 20.0
    np.testing.assert_allclose(joints_to_features(clip.joints_m), features, atol=1e-4)
    with pytest.raises(MotionFormatError, match="expected 20 Hz"):
        read_motion(path, frame_rate_hz=30)


def test_normalised_features_are_refused(joints):
    features = joints_to_features(joints)
    normal = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-3)
    with pytest.raises(MotionFormatError, match="multiply by Std"):
        clip_from_array(normal, frame_rate_hz=None)


@pytest.mark.parametrize(("per_metre", "unit"), [(100.0, "cm"), (1000.0, "mm")])
def test_other_units_are_converted_and_told(joints, per_metre, unit):
    clip = clip_from_array(joints * per_metre, frame_rate_hz=50)
    np.testing.assert_allclose(clip.joints_m, joints, atol=1e-4)
    assert f"in {unit}" in clip.warnings[0]


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_ten_times_the_size_is_no_person(joints, factor):
    with pytest.raises(MotionFormatError, match="rescale the recording"):
        clip_from_array(joints * factor, frame_rate_hz=50)


def coco(joints: np.ndarray) -> np.ndarray:
    """The 17 COCO keypoints of 22 joints; those of the face lie around the head."""
    body = [joints[:, JOINT_INDEX[f"{side}_{part}"]] for part in COCO_PARTS for side in ("left", "right")]
    face = [joints[:, JOINT_INDEX["head"]] + [dx, 0.1, 0.08] for dx in (0.0, 0.03, -0.03, 0.07, -0.07)]
    return np.stack([*face, *body], axis=1)


@pytest.mark.parametrize("extension", ["npy", "npz"])
@pytest.mark.parametrize("named", [False, True])
def test_keypoints_of_named_skeletons(tmp_path, extension, named):
    walk = simulate_walk(simulate_person(2), seed=2, frame_rate_hz=50.0, duration_s=2.0).clip
    path = tmp_path / f"walk.{extension}"
    if extension == "npy":
        np.save(path, coco(walk.joints_m))
        clip = read_motion(path, frame_rate_hz=50.0, skeleton="COCO_17" if named else None)
    else:
        np.savez(path, keypoints=coco(walk.joints_m), fps=50, **({"skeleton": "coco-17"} if named else {}))
        clip = read_motion(path)
    assert clip.format == "array of keypoints (COCO, 17 keypoints)"
    for joint in ("left_knee", "right_hip", "left_wrist"):
        away = clip.joints_m[:, JOINT_INDEX[joint]] - walk.joints_m[:, JOINT_INDEX[joint]]
        assert np.abs(away - np.median(away, axis=0)).max() < 1e-4
    with pytest.raises(MotionFormatError, match="skeleton out of"):
        read_motion(path, frame_rate_hz=50.0, skeleton="octopus")
    with pytest.raises(MotionFormatError, match="no walk for a NumPy array file"):
        read_motion(path, walk="a/b")


@pytest.mark.parametrize("lift_m", [0.0, -0.95])
def test_joints_relative_to_the_hips_get_a_path_and_a_floor(tmp_path, lift_m):
    walk = simulate_walk(simulate_person(2), seed=2, frame_rate_hz=50.0, duration_s=6.0).clip
    hips = walk.joints_m[:, 1:3].mean(axis=1, keepdims=True) * [1.0, 0.0, 1.0]
    path = tmp_path / "walk.npz"
    np.savez(path, joints=walk.joints_m - hips + [0.0, lift_m, 0.0], fps=50)
    clip = read_motion(path)
    assert clip.path_recovered and not walk.path_recovered
    assert any("root-relative" in warning for warning in clip.warnings)
    assert any("put on the floor" in warning for warning in clip.warnings) == (lift_m != 0.0)

    def travel(of):
        return np.linalg.norm((of.joints_m[-1, 0] - of.joints_m[0, 0])[[0, 2]])

    assert travel(clip) == pytest.approx(travel(walk), rel=0.06)
    assert abs(clip.joints_m[..., 1].min() - walk.joints_m[..., 1].min()) < 0.03
    # Written and read again, it stays what it is, and says so.
    write_motion(clip, tmp_path / "again.npz")
    again = read_motion(tmp_path / "again.npz")
    np.testing.assert_array_equal(again.joints_m, clip.joints_m)
    assert (again.path_recovered, again.warnings) == (True, clip.warnings)


def test_another_up_axis_is_turned_and_told(joints):
    clip = clip_from_array(np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], axis=-1), frame_rate_hz=50)
    np.testing.assert_allclose(clip.joints_m, joints, atol=1e-5)
    assert "Z up" in clip.warnings[0]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((10, 23, 3)), r"found \(10, 23, 3\)"),
        (np.zeros((10, 24, 3)), "place|in order|two legs|of some length"),
        (np.zeros((10, 66)), r"found \(10, 66\)"),
        (np.zeros((22, 3)), r"found \(22, 3\)"),
        (np.zeros(()), r"found \(\)"),
        (np.zeros((0, 22, 3)), "at least 2 frames, found 0"),
        (np.zeros((1, 22, 3)), "at least 2 frames, found 1"),
        (np.zeros((0, 263)), "at least 2 frames, found 0"),
        (np.full((5, 22, 3), np.nan), "NaN or infinity in 5 of 5 frames, first in frame 1"),
        (np.zeros((5, 22, 3)), "all its joints in one place"),
        (np.zeros((5, 22, 3), dtype=complex), "dtype complex"),
        (np.full((5, 22, 3), "a"), "expected an array of numbers"),
        (np.array([{"a": 1}], dtype=object), "expected an array of numbers"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
    ],
)
def test_wrong_arrays_get_one_clear_line(array, message):
    with pytest.raises(MotionFormatError, match=message) as caught:
        clip_from_array(array, frame_rate_hz=30)
    assert "\n" not in str(caught.value)


def test_one_bad_frame_is_named(joints):
    joints[7, 3, 1] = np.inf
    with pytest.raises(MotionFormatError, match="in 1 of 40 frames, first in frame 8"):
        clip_from_array(joints, frame_rate_hz=30)


def test_bad_files_get_one_clear_line(joints, tmp_path):
    whole = tmp_path / "whole.npy"
    np.save(whole, joints)
    np.savez(tmp_path / "whole.npz", joints=joints, fps=20)
    huge = np.lib.format.magic(1, 0) + (118).to_bytes(2, "little")
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 22, 3), }"
    pickled = tmp_path / "object.npy"
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "rate.npz", joints=joints, fps=[20, 30])
    np.savez(tmp_path / "nothing.npz")
    cases = {
        "empty.npy": (b"", "empty file"),
        "cut.npy": (whole.read_bytes()[:-100], "cut short"),
        "cut_header.npy": (whole.read_bytes()[:20], "complete NumPy array"),
        "cut.npz": ((tmp_path / "whole.npz").read_bytes()[:-200], "complete NumPy array"),
        "text.npy": (b"1,2,3\n", "complete NumPy array"),
        "huge.npy": (huge + header.ljust(117) + b"\n", "at most 1 GiB"),
        "object.npy": (pickled.read_bytes(), "pickled objects"),
        "rate.npz": ((tmp_path / "rate.npz").read_bytes(), "one number as fps, found an array of shape (2,)"),
        "nothing.npz": ((tmp_path / "nothing.npz").read_bytes(), "expected"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MotionFormatError) as caught:
            read_motion(path, frame_rate_hz=None if name == "rate.npz" else 30)
        assert message in str(caught.value), name
        assert "\n" not in str(caught.value), name
        assert str(path) in str(caught.value), name
