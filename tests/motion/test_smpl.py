import zipfile

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agir_hf.errors import MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion import anatomy, read_motion
from agir_hf.motion.canonical import SIDES
from agir_hf.motion.smpl import (
    SmplMotion,
    clip_from_smpl,
    is_smpl_archive,
    read_smpl,
    rest_skeleton,
    rotation_matrices,
    smpl_joints,
)
from agir_hf.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS

J = JOINT_INDEX
RATE_HZ = 60.0
SPEED_MPS = 1.2
Z_UP = Rotation.from_euler("x", 90, degrees=True)


def walking_pose(frames: int = 240) -> np.ndarray:
    """(T, 72) of somebody who swings the legs once a second, knees bent in swing, soles level, facing +Z."""
    phase = 2.0 * np.pi * np.arange(frames) / RATE_HZ
    pose = np.zeros((frames, 72))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        # A turn about +X, to the left, takes a hanging leg backwards.
        pose[:, 3 * J[f"{side}_hip"]] = -0.4 * sign * np.sin(phase)
        pose[:, 3 * J[f"{side}_knee"]] = 0.6 * np.maximum(sign * np.cos(phase), 0.0)
        pose[:, 3 * J[f"{side}_ankle"]] = -pose[:, 3 * J[f"{side}_hip"]] - pose[:, 3 * J[f"{side}_knee"]]
        pose[:, 3 * J[f"{side}_shoulder"] + 2] = -sign * 1.3
    return pose


def walking_trans(frames: int = 240) -> np.ndarray:
    return np.stack(
        [0.0 * np.arange(frames), 1.1 + 0.0 * np.arange(frames), SPEED_MPS * np.arange(frames) / RATE_HZ], -1
    )


def save(path, **changes):
    arrays = {"poses": walking_pose(), "trans": walking_trans(), "betas": np.zeros(10), "mocap_framerate": RATE_HZ}
    arrays |= changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_the_rest_skeleton_is_a_standing_person_of_22_known_joints_and_two_hands():
    offsets, parents = rest_skeleton()
    assert offsets.shape == (24, 3)
    assert parents == (*PARENTS, J["left_wrist"], J["right_wrist"])
    positions, _ = smpl_joints(np.zeros((2, 72)), np.zeros((2, 3)))
    np.testing.assert_array_equal(positions[0], positions[1])
    rest = np.zeros((24, 3))
    for joint, parent in enumerate(parents):
        rest[joint] = offsets[joint] + (rest[parent] if parent >= 0 else 0.0)
    np.testing.assert_allclose(positions[0], rest, atol=1e-12)
    # Left at +X, facing +Z, a person of about 1.7 m with the arms held out.
    assert rest[J["left_hip"], 0] > 0 > rest[J["right_hip"], 0]
    assert rest[J["left_foot"], 2] > rest[J["left_ankle"], 2] + 0.1
    assert 1.35 < rest[J["head"], 1] - rest[J["left_ankle"], 1] < 1.5
    assert 1.2 < np.ptp(rest[[J["left_wrist"], J["right_wrist"]], 0]) < 1.5
    assert len(JOINT_NAMES) == 22


def test_the_licence_note_stands_beside_the_numbers():
    from importlib import resources

    text = resources.files("agir_hf.motion").joinpath("smpl_rest_offsets.csv").read_text(encoding="utf-8")
    assert "non-commercial licence" in text.split("index,joint")[0]


def test_rotations_are_those_of_scipy():
    vectors = np.random.default_rng(0).normal(0.0, 2.0, (50, 3))
    vectors[0], vectors[1] = 0.0, [1e-9, 0.0, 0.0]
    np.testing.assert_allclose(rotation_matrices(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-9)


@pytest.mark.parametrize(("side", "knee"), [("left", J["left_knee"]), ("right", J["right_knee"])])
def test_a_knee_bent_by_90_degrees(side, knee):
    pose = np.zeros((3, 72))
    pose[1:, 3 * knee] = np.pi / 2.0
    positions, rotations = smpl_joints(pose, np.zeros((3, 3)))
    offsets, _ = rest_skeleton()
    x, y, z = offsets[J[f"{side}_ankle"]]
    # A quarter turn about X: what hung down points backwards.
    np.testing.assert_allclose(positions[1, J[f"{side}_ankle"]] - positions[1, knee], [x, -z, y], atol=1e-12)
    toe = offsets[J[f"{side}_foot"]]
    np.testing.assert_allclose(
        positions[1, J[f"{side}_foot"]] - positions[1, J[f"{side}_ankle"]], [toe[0], -toe[2], toe[1]], atol=1e-12
    )
    np.testing.assert_allclose(rotations[J[f"{side}_ankle"]][1], Rotation.from_euler("x", 90, degrees=True).as_matrix(),
                               atol=1e-12)  # fmt: skip
    others = [joint for joint in range(24) if joint not in (J[f"{side}_ankle"], J[f"{side}_foot"])]
    np.testing.assert_allclose(positions[1, others], positions[0, others], atol=1e-12)


def test_the_root_turns_about_the_pelvis_and_is_moved_by_trans():
    pose = np.zeros((2, 72))
    pose[1, :3] = [0.0, np.pi / 2.0, 0.0]
    trans = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
    positions, _ = smpl_joints(pose, trans)
    np.testing.assert_allclose(positions[1, 0] - positions[0, 0], [1.0, 2.0, 3.0], atol=1e-12)
    before, after = (positions[frame] - positions[frame, :1] for frame in (0, 1))
    np.testing.assert_allclose(after, np.stack([before[:, 2], before[:, 1], -before[:, 0]], axis=-1), atol=1e-12)


def test_a_walk_keeps_its_joints_and_its_path():
    clip = clip_from_smpl(SmplMotion(walking_pose(), walking_trans(), RATE_HZ), source="x")
    assert (clip.warnings, clip.joints_filled, clip.frame_rate_hz) == ((), (), RATE_HZ)
    positions, _ = smpl_joints(walking_pose(), walking_trans())
    lift = clip.joints_m[0, J["left_hip"], 1] - positions[0, J["left_hip"], 1]
    for side in SIDES:
        for part in ("hip", "knee", "shoulder", "elbow", "wrist"):
            index = J[f"{side}_{part}"]
            np.testing.assert_allclose(clip.joints_m[:, index] - [0.0, lift, 0.0], positions[:, index], atol=1e-5)
    travelled = np.linalg.norm((clip.joints_m[-1] - clip.joints_m[0])[0, [0, 2]])
    assert travelled / clip.duration_s == pytest.approx(SPEED_MPS, rel=0.02)


def test_feet_flat_on_the_floor_are_flat():
    clip = clip_from_smpl(SmplMotion(np.zeros((30, 72)), np.zeros((30, 3)), 30.0), source="x")
    for side in SIDES:
        foot = clip.joints_m[0, J[f"{side}_foot"]] - clip.joints_m[0, J[f"{side}_ankle"]]
        drop = np.degrees(np.arctan2(-foot[1], np.hypot(foot[0], foot[2])))
        assert drop == pytest.approx(
            np.degrees(np.arctan2(anatomy.ANKLE_HEIGHT_M - anatomy.TOE_BASE_HEIGHT_M, anatomy.FOOT_REACH_M)), abs=3.0
        )


@pytest.mark.parametrize("layout", ["poses", "joints", "SMPL-H", "SMPL-X", "body", "body and names of smplx"])
def test_every_layout_gives_the_same_joints(tmp_path, layout):
    pose = walking_pose()
    wide = np.concatenate([pose[:, :66], np.full((len(pose), 99), 0.3)], axis=1)
    arrays = {
        "poses": {"poses": pose},
        "joints": {"poses": pose.reshape(-1, 24, 3).astype(np.float32)},
        "SMPL-H": {"poses": wide[:, :156], "gender": "female", "dmpls": np.zeros((240, 8))},
        "SMPL-X": {"poses": wide, "surface_model_type": "smplx"},
        "body": {"poses": None, "root_orient": pose[:, :3], "pose_body": pose[:, 3:66], "pose_hand": wide[:, 66:156],
                 "mocap_framerate": None, "mocap_frame_rate": np.array(RATE_HZ)},
        "body and names of smplx": {"poses": None, "trans": None, "global_orient": pose[:, None, :3], "transl":
                                    walking_trans(), "body_pose": pose[:, 3:66].reshape(-1, 21, 3)},
    }[layout]  # fmt: skip
    path = save(tmp_path / "walk.npz", **arrays)
    clip = read_smpl(path)
    known = clip_from_smpl(SmplMotion(pose, walking_trans(), RATE_HZ), source="x")
    np.testing.assert_allclose(clip.joints_m, known.joints_m, atol=1e-5)
    assert (clip.frame_rate_hz, clip.source) == (RATE_HZ, str(path))
    flagged = " ".join(clip.warnings)
    assert ("limb lengths" in flagged) == (layout not in ("poses", "joints"))
    assert ("female" in flagged) == (layout == "SMPL-H")
    assert ("SMPL-X" in flagged) == (layout == "SMPL-X")
    assert is_smpl_archive(path)
    assert read_motion(path).format.startswith("SMPL")


@pytest.mark.parametrize("betas", [np.full(16, 0.0), np.array([0.0, -2.3]), np.full((240, 10), 1.5)])
def test_other_shapes_are_flagged(tmp_path, betas):
    clip = read_smpl(save(tmp_path / "walk.npz", betas=betas))
    largest = np.abs(betas).max()
    assert len(clip.warnings) == (1 if largest else 0)
    assert not largest or f"betas up to {largest:.2g}" in clip.warnings[0]


def test_z_up_as_amass_has_it(tmp_path):
    pose = walking_pose()
    pose[:, :3] = (Z_UP * Rotation.from_rotvec(pose[:, :3])).as_rotvec()
    pelvis = rest_skeleton()[0][0]
    # The pelvis is offset from the point that trans moves; the offset does not turn with the body.
    trans = Z_UP.apply(walking_trans() + pelvis) - pelvis
    clip = read_smpl(save(tmp_path / "walk.npz", poses=pose, trans=trans))
    known = clip_from_smpl(SmplMotion(walking_pose(), walking_trans(), RATE_HZ), source="x")
    np.testing.assert_allclose(clip.joints_m, known.joints_m, atol=1e-4)


@pytest.mark.parametrize("trans", [None, np.zeros((240, 3))])
def test_without_travel_the_path_comes_from_the_planted_foot(tmp_path, trans):
    clip = read_smpl(save(tmp_path / "walk.npz", trans=trans))
    assert clip.warnings[0].startswith("The recording is root-relative")
    way = clip.joints_m[-1, 0] - clip.joints_m[0, 0]
    # Legs of 0.8 m that swing by 0.4 rad either way take steps of some 0.6 m, two a second.
    assert way[2] / clip.duration_s == pytest.approx(1.3, abs=0.35)
    assert abs(way[0]) < 0.1 * way[2]
    assert measure_gait(clip).quality.walking


def test_a_given_rate_wins_and_a_missing_one_is_asked_for(tmp_path):
    path = save(tmp_path / "walk.npz", mocap_framerate=None)
    with pytest.raises(MotionFormatError, match="pass frame_rate_hz, or --frame-rate-hz"):
        read_smpl(path)
    assert read_smpl(path, frame_rate_hz=120.0).frame_rate_hz == 120.0
    assert read_smpl(save(path), frame_rate_hz=30.0).frame_rate_hz == 30.0


BAD = {
    "shape": ({"poses": np.zeros((5, 70))}, r"found \(5, 70\)"),
    "quaternions": ({"poses": np.zeros((5, 24, 4))}, r"found \(5, 24, 4\)"),
    "no frames": ({"poses": np.zeros((0, 72)), "trans": np.zeros((0, 3))}, "at least 2 frames, found 0"),
    "one frame": ({"poses": np.zeros((1, 72)), "trans": np.zeros((1, 3))}, "at least 2 frames, found 1"),
    "trans of other length": ({"trans": np.zeros((7, 3))}, r"trans of shape \(240, 3\)"),
    "trans with NaN": ({"trans": np.full((240, 3), np.nan)}, "in 240 of 240 frames of trans, first in frame 1"),
    "degrees": ({"poses": np.full((240, 72), 90.0)}, "are these degrees"),
    "text": ({"poses": np.array(["a"])}, "numbers as poses, found dtype"),
    "objects": ({"poses": np.array([{}], dtype=object)}, "pickled objects, which are not read"),
    "rates": ({"mocap_framerate": [30.0, 60.0]}, "one number as mocap_framerate"),
    "impossible rate": ({"mocap_framerate": 0.0}, "between 1 and 2000 Hz"),
    "no poses": ({"poses": None}, "expected arrays poses, or root_orient"),
    "half a body": ({"poses": None, "root_orient": np.zeros((9, 3)), "pose_body": np.zeros((9, 60))}, "pose_body"),
    "unequal": ({"poses": None, "root_orient": np.zeros((9, 3)), "pose_body": np.zeros((8, 63))}, "found 9 and 8"),
    "scalar": ({"poses": np.float64(3)}, r"found \(\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays_get_one_clear_line(tmp_path, name):
    changes, message = BAD[name]
    path = save(tmp_path / "walk.npz", **changes)
    with pytest.raises(MotionFormatError, match=message) as caught:
        read_smpl(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_somebody_lying_is_refused(tmp_path):
    pose = np.zeros((240, 72))
    pose[:, :3] = Rotation.from_euler("xz", [45, 45], degrees=True).as_rotvec()
    with pytest.raises(MotionFormatError, match="upright along one axis"):
        read_smpl(save(tmp_path / "walk.npz", poses=pose))


def test_damaged_files_get_one_clear_line(tmp_path):
    whole = save(tmp_path / "whole.npz").read_bytes()
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999, 72), }"
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("poses.npy", np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header)
        archive.writestr("mocap_framerate.npy", (tmp_path / "whole.npz").read_bytes()[:10])
    with zipfile.ZipFile(tmp_path / "short.npz", "w") as archive:
        header = header.replace(b"999999999", b"9999")
        archive.writestr("poses.npy", np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header)
    cases = {
        "empty.npz": (b"", "empty file"),
        "cut.npz": (whole[:-200], "complete .npz"),
        "text.npz": (b"poses", "complete .npz"),
        "flipped.npz": (whole[:300] + b"\xaa" * 64 + whole[364:], ""),
        "huge.npz": ((tmp_path / "huge.npz").read_bytes(), "at most 1 GiB"),
        "short.npz": ((tmp_path / "short.npz").read_bytes(), "cut short"),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MotionFormatError) as caught:
            read_smpl(path, frame_rate_hz=30.0)
        assert message in str(caught.value), name
        assert "\n" not in str(caught.value), name
        assert str(path) in str(caught.value), name


def test_the_pose_is_found_behind_large_arrays_of_other_names(tmp_path):
    path = save(tmp_path / "walk.npz", **{f"a{number}": np.zeros(9000) for number in range(3)})
    arrays = dict(np.load(path))
    np.savez(path, **dict(sorted(arrays.items())))
    assert b"poses" not in path.read_bytes()[:4096]
    assert read_motion(path).format == "SMPL poses"


def test_other_archives_are_not_taken_for_smpl(tmp_path):
    path = tmp_path / "joints.npz"
    np.savez(path, joints=np.zeros((3, 22, 3)), fps=30)
    assert not is_smpl_archive(path)
    path.write_bytes(b"PK\x03\x04 not a zip")
    assert not is_smpl_archive(path)
