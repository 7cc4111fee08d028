import os
import pickle

import numpy as np
import pytest
from test_smpl import RATE_HZ, walking_pose, walking_trans

from agir_hf.errors import MotionFormatError
from agir_hf.motion import read_motion
from agir_hf.motion.care_pd import care_pd_clip, list_walks, load_care_pd, looks_like_care_pd, read_care_pd
from agir_hf.motion.smpl import SmplMotion, clip_from_smpl


def record(**changes) -> dict:
    walk = {
        "pose": walking_pose(),
        "trans": walking_trans(),
        "beta": np.zeros((1, 10)),
        "fps": 60,
        "UPDRS_GAIT": 2,
        "medication": "off",
        "other": None,
    }
    walk |= changes
    return {key: value for key, value in walk.items() if value is not ...}


def save(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.fixture
def cohort(tmp_path):
    return save(
        tmp_path / "BMCLab.pkl",
        {
            "SUB01": {"off_walk_1": record(), "off_walk_2": record(fps=np.int64(150), pose=walking_pose()[::2][:100],
                                                                     trans=walking_trans()[:100])},
            "SUB02": {"on_walk_1": record(UPDRS_GAIT=None, medication=None, other="freezer"),
                      "on_walk_2": record(UPDRS_GAIT=np.float64(1.0), fps=np.array(30.0))},
        },
    )  # fmt: skip


def test_read_motion_takes_the_name_of_a_walk(cohort):
    clip = read_motion(cohort, walk="SUB01/off_walk_2")
    assert (clip.frame_rate_hz, clip.format) == (150.0, "CARE-PD (walk SUB01/off_walk_2)")


def test_walks_are_listed_in_order(cohort):
    assert list_walks(cohort) == ("SUB01/off_walk_1", "SUB01/off_walk_2", "SUB02/on_walk_1", "SUB02/on_walk_2")
    assert looks_like_care_pd(cohort.read_bytes()[:4096])


def test_a_named_walk_is_read(cohort):
    clip = read_care_pd(cohort, walk="SUB01/off_walk_1")
    known = clip_from_smpl(SmplMotion(walking_pose(), walking_trans(), RATE_HZ), source="x")
    np.testing.assert_array_equal(clip.joints_m, known.joints_m)
    assert (clip.frame_rate_hz, clip.source, clip.warnings, clip.joints_filled) == (60.0, str(cohort), (), ())
    second = read_care_pd(cohort, walk="SUB01/off_walk_2")
    assert (second.num_frames, second.frame_rate_hz) == (100, 150.0)
    assert read_care_pd(cohort, walk="SUB01/off_walk_2", frame_rate_hz=30.0).frame_rate_hz == 30.0


def test_several_walks_and_none_named(cohort):
    with pytest.raises(MotionFormatError) as caught:
        read_care_pd(cohort)
    assert str(caught.value) == (
        f"{cohort}: expected the name of one walk, found 4 walks (SUB01/off_walk_1, SUB01/off_walk_2, SUB02/on_walk_1, "
        "...): read_motion(..., walk=...)"
    )
    with pytest.raises(MotionFormatError, match="found no walk SUB09/x: list them"):
        read_care_pd(cohort, walk="SUB09/x")


@pytest.mark.parametrize("protocol", range(6))
def test_one_walk_is_taken(tmp_path, protocol):
    path = save(tmp_path / "one.pkl", {"SUB01": {"walk": record()}}, protocol)
    assert read_care_pd(path).num_frames == 240


@pytest.mark.parametrize("content", [{"SUB01": record()}, record(), {7: {3: record()}}])
def test_walks_without_names(tmp_path, content):
    path = save(tmp_path / "one.pkl", content)
    (name,) = list_walks(path)
    assert read_care_pd(path, walk=name).num_frames == 240


def test_labels_come_with_the_walks(cohort):
    walks = load_care_pd(cohort)
    assert [walk.score for walk in walks.values()] == [2, 2, None, 1]
    assert [walk.medication for walk in walks.values()] == ["off", "off", None, "off"]
    assert [walk.other for walk in walks.values()] == [None, None, "freezer", None]
    assert [walk.subject for walk in walks.values()] == ["SUB01", "SUB01", "SUB02", "SUB02"]
    assert [walk.motion.frame_rate_hz for walk in walks.values()] == [60.0, 150.0, 60.0, 30.0]
    clip = care_pd_clip(walks["SUB02/on_walk_1"], source="x")
    np.testing.assert_array_equal(clip.joints_m, read_care_pd(cohort, walk="SUB02/on_walk_1").joints_m)


def test_without_trans_the_path_is_recovered(tmp_path):
    path = save(tmp_path / "one.pkl", {"SUB01": {"walk": record(trans=None)}})
    assert read_care_pd(path).warnings[0].startswith("The recording is root-relative")


def test_other_shapes_are_flagged(tmp_path):
    path = save(tmp_path / "one.pkl", {"SUB01": {"walk": record(beta=np.array([0.5] * 10))}})
    assert "betas up to 0.5" in read_care_pd(path).warnings[0]


def test_a_missing_rate_is_asked_for(tmp_path):
    path = save(tmp_path / "one.pkl", {"SUB01": {"walk": record(fps=...)}})
    with pytest.raises(MotionFormatError, match="pass frame_rate_hz, or --frame-rate-hz"):
        read_care_pd(path)
    assert read_care_pd(path, frame_rate_hz=30.0).frame_rate_hz == 30.0


class Evil:
    def __reduce__(self):
        return os.system, ("touch HERE",)


def shared_tree() -> list:
    """2**29 leaves in 30 lists: whoever writes it out does not end."""
    tree: list = [1.0, 2.0]
    for _ in range(28):
        tree = [tree, tree]
    return tree


BAD = {
    "code": ({"SUB01": {"walk": record(other=Evil())}}, "system, which is not read"),
    "list": ([record()], "expected a CARE-PD pickle .* found list"),
    "nothing": ({}, "found an empty one"),
    "no subjects": ({"a": 1}, "found int under a"),
    "no walks": ({"SUB01": {}}, "found an empty one"),
    "no pose": ({"SUB01": {"walk": {"trans": 1}}}, "found no pose under SUB01/walk"),
    "pose as lists": ({"SUB01": {"walk": record(pose=[[0.0] * 72])}}, "NumPy array as pose, found list"),
    "pose as tree": ({"SUB01": {"walk": record(pose=shared_tree())}}, "NumPy array as pose, found list"),
    "pose of text": ({"SUB01": {"walk": record(pose=np.array(["a"]))}}, "array of numbers as pose"),
    "shape": ({"SUB01": {"walk": record(pose=np.zeros((9, 70)))}}, r"walk SUB01/walk: .* found \(9, 70\)"),
    "no frames": ({"SUB01": {"walk": record(pose=np.zeros((0, 72)), trans=np.zeros((0, 3)))}}, "at least 2 frames"),
    "trans": ({"SUB01": {"walk": record(trans=np.zeros((9, 3)))}}, r"trans of shape \(240, 3\)"),
    "rate": ({"SUB01": {"walk": record(fps="fast")}}, "fps between 1 and 2000 Hz, found fast"),
    "rate as tree": ({"SUB01": {"walk": record(fps=shared_tree())}}, "found list"),
    "rate of zero": ({"SUB01": {"walk": record(fps=0)}}, "found 0"),
    "score": ({"SUB01": {"walk": record(UPDRS_GAIT=1.5)}}, "UPDRS_GAIT 0 to 4 or None, found 1.5"),
    "infinite score": ({"SUB01": {"walk": record(UPDRS_GAIT=float("inf"))}}, "found inf"),
    "NaN": ({"SUB01": {"walk": record(pose=np.full((240, 72), np.nan))}}, "in 240 of 240 frames of poses"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_clear_line(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    content, message = BAD[name]
    path = save(tmp_path / "bad.pkl", content)
    with pytest.raises(MotionFormatError, match=message) as caught:
        read_care_pd(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "HERE").exists()


def test_a_label_that_is_a_tree_does_not_hang(tmp_path):
    path = save(tmp_path / "one.pkl", {"SUB01": {"walk": record(other=shared_tree())}})
    assert load_care_pd(path)["SUB01/walk"].other == "list"


def test_a_cut_file_is_refused(tmp_path, cohort):
    path = tmp_path / "cut.pkl"
    path.write_bytes(cohort.read_bytes()[:-1000])
    with pytest.raises(MotionFormatError, match="truncated"):
        list_walks(path)


def test_walks_that_share_one_array_do_not_fill_the_memory(tmp_path):
    shared = record(pose=walking_pose().astype(np.float32))
    path = save(tmp_path / "shared.pkl", {"SUB01": {f"walk{number}": shared for number in range(1000)}})
    with pytest.raises(MotionFormatError, match="arrays of its own for each walk"):
        load_care_pd(path)
    assert read_care_pd(path, walk="SUB01/walk7").num_frames == 240
