"""Clips written and read back."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import Recording, write
from malformed_files import files_of, good

from agir_hf.cli import main
from agir_hf.clip import GaitEvent, MotionClip
from agir_hf.errors import MotionFormatError
from agir_hf.motion import read_motion
from agir_hf.motion.bvh import forward_kinematics, parse_bvh
from agir_hf.motion.canonical import Landmarks, canonicalise
from agir_hf.motion.features import features_to_joints, joints_to_features
from agir_hf.motion.retarget import resample_joints
from agir_hf.motion.writing import conversion_notes, write_motion
from agir_hf.simulation import simulate_person, simulate_walk
from agir_hf.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS


def simulated(seed: int = 2, noise_m: float = 0.003, rate: float = 60.0, duration_s: float = 1.5) -> MotionClip:
    walk = simulate_walk(simulate_person(seed), seed=seed, frame_rate_hz=rate, duration_s=duration_s, noise_m=noise_m)
    return walk.clip


def canonical(clip: MotionClip) -> MotionClip:
    """The clip as ``canonicalise`` places it; placed a second time with the ankles that the first time moved."""
    at = {name: clip.joints_m[:, index].astype(np.float64) for name, index in JOINT_INDEX.items()}
    points = {
        name.replace("_foot", "_toe_base"): place
        for name, place in at.items()
        if name in ("neck", "head") or (name.startswith(("left_", "right_")) and not name.endswith("collar"))
    }
    once = canonicalise(Landmarks(points, clip.frame_rate_hz), source="walk")
    lift = once.joints_m[0, 1] - at["left_hip"][0]  # onto the floor
    for side in ("left", "right"):
        points[f"{side}_ankle"] = once.joints_m[:, JOINT_INDEX[f"{side}_ankle"]] - lift
        points[f"{side}_toe_base"] = once.joints_m[:, JOINT_INDEX[f"{side}_foot"]] - lift
    return canonicalise(Landmarks(points, clip.frame_rate_hz), source="walk")


def bvh_joints_m(path: Path) -> np.ndarray:
    """(T, 22, 3) metres straight from the file, by the reader's forward kinematics, before joints are placed anew."""
    file = parse_bvh(path)
    places, _ = forward_kinematics(file.skeleton, file.values)
    return np.stack([places[:, file.skeleton.names.index(name)] for name in JOINT_NAMES], axis=1) / 100.0


def farthest_mm(one: np.ndarray, other: np.ndarray) -> float:
    return 1000.0 * float(np.linalg.norm(one - other, axis=-1).max())


@pytest.mark.parametrize("rate", [59.94, 100.0])
def test_npz_comes_back_as_it_was(tmp_path: Path, rate: float) -> None:
    clip = simulated(rate=rate)
    write_motion(clip, tmp_path / "walk.npz")
    again = read_motion(tmp_path / "walk.npz")
    np.testing.assert_array_equal(again.joints_m, clip.joints_m)
    assert again.frame_rate_hz == clip.frame_rate_hz and again.warnings == ()
    with np.load(tmp_path / "walk.npz", allow_pickle=False) as data:
        assert tuple(data["joint_names"]) == JOINT_NAMES
        assert data["joints_m"].dtype == np.float32 and data["joints_filled"].size == 0


def test_npz_says_which_joints_were_filled_in(tmp_path: Path) -> None:
    write_motion(simulated().replace(joints_filled=("head", "left_wrist")), tmp_path / "walk.npz")
    with np.load(tmp_path / "walk.npz", allow_pickle=False) as data:
        assert data["joints_filled"].tolist() == ["head", "left_wrist"]
    assert set(read_motion(tmp_path / "walk.npz").joints_filled) == {"head", "left_wrist"}


@pytest.mark.parametrize("seed", range(4))
def test_bvh_holds_every_joint_of_any_clip(tmp_path: Path, seed: int) -> None:
    """Sensor noise changes bone lengths from frame to frame."""
    clip = simulated(seed, noise_m=0.008)
    write_motion(clip, tmp_path / "walk.bvh")
    assert farthest_mm(bvh_joints_m(tmp_path / "walk.bvh"), clip.joints_m) < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_a_canonical_clip_is_read_back_from_bvh_within_a_millimetre(tmp_path: Path, seed: int) -> None:
    clip = canonical(simulated(seed, noise_m=0.001))
    write_motion(clip, tmp_path / "walk.bvh")
    again = read_motion(tmp_path / "walk.bvh")
    assert farthest_mm(again.joints_m, clip.joints_m) < 1.0
    assert again.frame_rate_hz == 60.0 and again.joints_filled == () and again.warnings == ()


def test_a_clip_read_from_bvh_is_read_back_within_a_millimetre(tmp_path: Path) -> None:
    (tmp_path / "source.bvh").write_text(write(Recording()), encoding="utf-8")
    clip = read_motion(tmp_path / "source.bvh")
    write_motion(clip, tmp_path / "walk.bvh")
    assert farthest_mm(bvh_joints_m(tmp_path / "walk.bvh"), clip.joints_m) < 0.01
    assert farthest_mm(read_motion(tmp_path / "walk.bvh").joints_m, clip.joints_m) < 1.0


def test_clinical_walks_are_read_back_within_a_millimetre(tmp_path: Path, shared_data: Path) -> None:
    paths = sorted((shared_data / "clinical_bvh").glob("*.bvh"))[::20]
    assert paths
    for number, path in enumerate(paths):
        clip, target = read_motion(path), tmp_path / f"{number}.bvh"
        write_motion(clip, target)
        assert farthest_mm(read_motion(target).joints_m, clip.joints_m) < 1.0, path.name


def test_bvh_has_a_skeleton_that_viewers_can_draw(tmp_path: Path) -> None:
    clip = simulated(noise_m=0.0)
    write_motion(clip, tmp_path / "walk.bvh")
    file = parse_bvh(tmp_path / "walk.bvh")
    skeleton = file.skeleton
    nodes = [node for node, name in enumerate(skeleton.names) if not name.endswith("_end")]
    assert {skeleton.names[node] for node in nodes} == set(JOINT_NAMES)
    for node in nodes:
        parent, index = skeleton.parents[node], JOINT_INDEX[skeleton.names[node]]
        assert (parent < 0) == (PARENTS[index] < 0)
        assert parent < 0 or skeleton.names[parent] == JOINT_NAMES[PARENTS[index]]
        kinds = [rotation for _, rotation in skeleton.channels[node]]
        assert kinds == [False] * 3 + [True] * 3
    # The rest pose is a person of this size in a T-pose, facing +Z: head up, left to +X, toes ahead.
    rest = np.zeros((len(skeleton.names), 3))
    for node, parent in enumerate(skeleton.parents):
        rest[node] = skeleton.offsets[node] + (rest[parent] if parent >= 0 else 0.0)
    at = {name: rest[node] for node, name in enumerate(skeleton.names)}
    assert at["head"][1] > at["pelvis"][1] > at["left_ankle"][1]
    assert at["left_wrist"][0] > 40.0 and abs(at["left_wrist"][1] - at["left_shoulder"][1]) < 1.0
    assert at["left_foot"][2] > at["left_ankle"][2] + 8.0
    thigh = np.linalg.norm(clip.joints_m[:, 4] - clip.joints_m[:, 1], axis=-1)
    assert np.linalg.norm(at["left_knee"] - at["left_hip"]) == pytest.approx(100.0 * float(np.median(thigh)), rel=1e-4)
    # Rotations carry the bones: along a limb the position channels stay what the rest pose says.
    places = file.values.reshape(len(file.values), -1, 6)[..., :3]
    for name in ("left_knee", "right_ankle", "left_elbow", "right_wrist"):
        column = [skeleton.names[node] for node in nodes].index(name)
        offset = skeleton.offsets[skeleton.names.index(name)]
        np.testing.assert_allclose(places[:, column], np.broadcast_to(offset, (len(places), 3)), atol=0.05)
    # No joint spins: between two frames at 60 Hz none turns by more than 30 degrees.
    turns = np.abs(np.diff(file.values.reshape(len(file.values), -1, 6)[..., 3:], axis=0))
    assert turns.max() < 30.0


def test_angles_at_ninety_degrees_and_joints_in_one_place(tmp_path: Path) -> None:
    joints = simulated(noise_m=0.0).joints_m.astype(np.float64)[:40]
    left = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    shoulder = joints[:, JOINT_INDEX["left_shoulder"]]
    for name, length in (("left_elbow", 0.3), ("left_wrist", 0.55)):
        joints[:, JOINT_INDEX[name]] = shoulder - length * left  # the opposite of the T-pose
    knee = joints[:, JOINT_INDEX["right_knee"]]
    joints[:, JOINT_INDEX["right_ankle"]] = knee + 0.4 * left  # at right angles to the rest pose
    joints[:, JOINT_INDEX["right_foot"]] = joints[:, JOINT_INDEX["right_ankle"]]
    joints[:, JOINT_INDEX["head"]] = joints[:, JOINT_INDEX["neck"]]
    joints[:, JOINT_INDEX["spine2"]] = joints[:, JOINT_INDEX["spine1"]]
    clip = MotionClip(joints.astype(np.float32), 60.0)
    write_motion(clip, tmp_path / "odd.bvh")
    assert farthest_mm(bvh_joints_m(tmp_path / "odd.bvh"), clip.joints_m) < 0.01


def test_a_long_clip_is_written_in_parts_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = simulated()
    write_motion(clip, tmp_path / "whole.bvh")
    monkeypatch.setattr("agir_hf.motion.writing._FRAMES_AT_ONCE", 17)
    write_motion(clip, tmp_path / "parts.bvh")
    assert (tmp_path / "whole.bvh").read_bytes() == (tmp_path / "parts.bvh").read_bytes()


@pytest.mark.parametrize("rate", [1.0, 23.976, 30.0, 59.94, 120.0, 2000.0])
def test_bvh_keeps_the_frame_rate(tmp_path: Path, rate: float) -> None:
    write_motion(simulated().replace(frame_rate_hz=rate), tmp_path / "walk.bvh")
    assert parse_bvh(tmp_path / "walk.bvh").frame_rate_hz == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(("rate", "frames"), [(20.0, 61), (60.0, 180), (120.0, 121)])
def test_npy_holds_the_features_at_20_hz(tmp_path: Path, rate: float, frames: int) -> None:
    clip = simulated(rate=rate, duration_s=4.0)
    clip = clip.replace(joints_m=clip.joints_m[:frames])
    write_motion(clip, tmp_path / "walk.npy")
    features = np.load(tmp_path / "walk.npy", allow_pickle=False)
    at_20_hz = resample_joints(clip.joints_m, rate, 20.0)
    whole = int((frames - 1) * 20 / rate) + 1
    assert features.shape == (whole - 1, 263) and features.dtype == np.float32
    np.testing.assert_array_equal(features, joints_to_features(at_20_hz))
    again = read_motion(tmp_path / "walk.npy")
    assert again.frame_rate_hz == 20.0 and again.num_frames == whole
    # The start is moved and turned; heights and the shape of the body are the same in every frame.
    np.testing.assert_allclose(again.joints_m[..., 1], at_20_hz[..., 1], atol=1e-4)
    spans = [np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1) for joints in (again.joints_m, at_20_hz)]
    np.testing.assert_allclose(spans[0], spans[1], atol=1e-4)
    notes = " ".join(conversion_notes(clip, "walk.npy"))
    assert f"{frames} frames at {rate:g} become {whole - 1} feature frames" in notes
    assert f"last {clip.duration_s - (whole - 1) / 20.0:.3f} s" in notes


@pytest.mark.parametrize("kind", ["bvh", "trc", "amc", "npz", "npy", "smpl.npz", "pkl", "json", "csv"])
@pytest.mark.parametrize("extension", ["npz", "bvh", "npy"])
def test_the_command_line_keeps_joints_to_a_millimetre_whatever_comes_in(
    tmp_path: Path, kind: str, extension: str
) -> None:
    (tmp_path / "in").mkdir()
    for name, content in files_of(kind, good(kind)).items():
        (tmp_path / "in" / name).write_bytes(content)
    source = next(path for path in (tmp_path / "in").iterdir() if path.suffix != ".asf")
    target = tmp_path / f"out.{extension}"
    assert main(["convert", str(source), str(target)]) == 0
    clip, again = read_motion(source), read_motion(target)
    joints = clip.joints_m
    if extension == "npy":
        # Features have 20 frames a second and start above the origin, facing +Z: the same up to that.
        joints = features_to_joints(joints_to_features(resample_joints(joints, clip.frame_rate_hz, 20.0)))
        pairs = (again.joints_m[:, :, None] - again.joints_m[:, None], joints[:, :, None] - joints[:, None])
        assert np.abs(np.subtract(*(np.linalg.norm(pair, axis=-1) for pair in pairs))).max() < 1e-3
        steps = [np.linalg.norm(np.diff(j[:, 0], axis=0), axis=-1) for j in (again.joints_m, joints)]
        np.testing.assert_allclose(*steps, atol=1e-3)
    else:
        assert again.frame_rate_hz == pytest.approx(clip.frame_rate_hz, rel=1e-6)
        assert farthest_mm(again.joints_m, joints) < 1.0
    if extension == "npz":
        assert (again.joints_filled, again.path_recovered) == (clip.joints_filled, clip.path_recovered)


def test_notes_say_what_a_format_cannot_hold() -> None:
    clip = simulated().replace(joints_filled=("head",), lab_events=(GaitEvent("foot_strike", "left", 1.0),))
    assert conversion_notes(simulated(), "a.npz") == () == conversion_notes(simulated(), "a.bvh")
    assert len(conversion_notes(clip, "a.npz")) == 1 and "1 events" in conversion_notes(clip, "a.npz")[0]
    assert "head" in conversion_notes(clip, "a.bvh")[0]


@pytest.mark.parametrize("extension", [".npz", ".bvh", ".npy", ".BVH"])
def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path, extension: str) -> None:
    target = tmp_path / f"walk{extension}"
    target.write_bytes(b"precious")
    with pytest.raises(MotionFormatError, match="found a file of this name") as caught:
        write_motion(simulated(), target)
    assert str(caught.value).startswith(str(target)) and "\n" not in str(caught.value)
    assert target.read_bytes() == b"precious"
    write_motion(simulated(), target, overwrite=True)
    assert read_motion(target).num_frames > 20
    assert os.listdir(tmp_path) == [target.name]


def test_what_goes_wrong_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = simulated()
    old = tmp_path / "old.npz"
    write_motion(clip, old)
    before = old.read_bytes()

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(MotionFormatError, match="No space left on device"):
        write_motion(clip.replace(frame_rate_hz=30.0), old, overwrite=True)
    assert old.read_bytes() == before and os.listdir(tmp_path) == ["old.npz"]
    short = clip.replace(joints_m=clip.joints_m[:3])
    with pytest.raises(MotionFormatError, match=r"short.npy: expected at least 1/20 s of motion"):
        write_motion(short, tmp_path / "short.npy")
    assert os.listdir(tmp_path) == ["old.npz"]


def test_places_that_cannot_be_written_to(tmp_path: Path) -> None:
    clip = simulated()
    for name, message in (
        ("walk.c3d", r"can be written \(.npz, .bvh, .npy\), found '.c3d'"),
        ("walk", "found none"),
        ("absent/walk.npz", "expected an existing folder"),
    ):
        with pytest.raises(MotionFormatError, match=message):
            write_motion(clip, tmp_path / name)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(MotionFormatError, match="found a folder"):
        write_motion(clip, tmp_path / "folder.npz", overwrite=True)
