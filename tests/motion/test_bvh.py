from pathlib import Path

import numpy as np
import pytest
from bvh_writer import BODY, TO_AXES, Recording, positions, write

from agir_hf.errors import MotionFormatError
from agir_hf.motion import read_motion
from agir_hf.motion.bvh import forward_kinematics, parse_bvh
from agir_hf.skeleton import JOINT_INDEX

DIRECT = {
    "left_hip": "LeftUpLeg",
    "left_knee": "LeftLeg",
    "right_hip": "RightUpLeg",
    "right_knee": "RightLeg",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "right_shoulder": "RightArm",
    "right_elbow": "RightForeArm",
    "right_wrist": "RightHand",
}


def save(folder: Path, recording: Recording, name: str = "walk.bvh") -> Path:
    path = folder / name
    path.write_text(write(recording), encoding="utf-8")
    return path


def assert_is_the_walk(clip, recording: Recording, tolerance: float = 2e-4) -> None:
    """Joint centres where the known walk has them, up to the height of the floor."""
    known = positions(recording)
    lift = float(np.median(clip.joints_m[:, 1, 1] - known["LeftUpLeg"][:, 1]))
    for joint, name in DIRECT.items():
        np.testing.assert_allclose(
            clip.joints_m[:, JOINT_INDEX[joint]] - [0.0, lift, 0.0], known[name], atol=tolerance, err_msg=joint
        )


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_every_rotation_order_gives_the_same_positions(tmp_path, order):
    recording = Recording(order=order)
    file = parse_bvh(save(tmp_path, recording))
    places, _ = forward_kinematics(file.skeleton, file.values)
    known = positions(recording)
    for name in BODY:
        found = places[:, file.skeleton.names.index(name)] / 100.0
        np.testing.assert_allclose(found, known[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("per_metre", [1.0, 100.0, 1000.0, 1.0 / 0.0254])
def test_units_are_told_from_the_body(tmp_path, per_metre):
    recording = Recording(per_metre=per_metre)
    clip = read_motion(save(tmp_path, recording))
    assert_is_the_walk(clip, recording)
    assert ("inches" in " ".join(clip.warnings)) == (per_metre == 1.0 / 0.0254)


@pytest.mark.parametrize("axes", sorted(TO_AXES))
def test_up_axes_are_told_from_the_body(tmp_path, axes):
    recording = Recording(axes=axes)
    clip = read_motion(save(tmp_path, recording))
    # The two horizontal axes may be turned about the vertical; distances and the height may not change.
    known, joints = positions(recording), clip.joints_m
    travel = np.linalg.norm((known["LeftUpLeg"][-1] - known["LeftUpLeg"][0])[[0, 2]])
    found = np.linalg.norm((joints[-1, 1] - joints[0, 1])[[0, 2]])
    assert np.isclose(found, travel, atol=1e-4)
    assert_is_the_walk(clip, recording)
    assert ("up" in " ".join(clip.warnings)) == (axes in ("X", "-Y"))


def test_a_left_handed_file_is_mirrored_back(tmp_path):
    recording = Recording(mirrored=True)
    clip = read_motion(save(tmp_path, recording))
    assert "left-handed" in " ".join(clip.warnings)
    assert_is_the_walk(clip, recording)


def test_position_channels_on_every_joint(tmp_path):
    recording = Recording(positions_everywhere=True)
    assert_is_the_walk(read_motion(save(tmp_path, recording)), recording)


def test_direction_and_distance_of_the_walk_are_kept(tmp_path):
    clip = read_motion(save(tmp_path, Recording()))
    way = clip.joints_m[-1, 0] - clip.joints_m[0, 0]
    np.testing.assert_allclose(way[[0, 2]], np.array([1.0, 2.0]) / np.sqrt(5.0) * 59.0 / 60.0, atol=5e-3)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("0.0166667", 60.0),
        ("0.01", 100.0),
        ("0.00833333", 120.0),
        ("0.0333", 30.0),
        ("0.033367", 29.97),
        ("4e-2", 25.0),
    ],
)
def test_frame_times(tmp_path, written, rate):
    clip = read_motion(save(tmp_path, Recording(frame_time=written)))
    assert np.isclose(clip.frame_rate_hz, rate, rtol=1e-4)
    if rate != 29.97:
        assert clip.frame_rate_hz == rate


def test_a_given_rate_wins_and_source_is_the_path_as_given(tmp_path, monkeypatch):
    save(tmp_path, Recording())
    monkeypatch.chdir(tmp_path)
    clip = read_motion("walk.bvh", frame_rate_hz=90.0)
    assert (clip.frame_rate_hz, clip.source) == (90.0, "walk.bvh")


def test_content_decides_whatever_the_extension(tmp_path):
    clip = read_motion(save(tmp_path, Recording(), name="walk.txt"))
    assert clip.num_frames == 60


def test_windows_line_ends_tabs_and_braces_on_one_line(tmp_path):
    recording = Recording()
    path = tmp_path / "walk.bvh"
    text = write(recording).replace("\n\t{\n", " {\n").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert_is_the_walk(read_motion(path), recording)


def test_more_frames_than_announced_are_told(tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_text(write(Recording()).replace("Frames: 60", "Frames: 50"), encoding="utf-8")
    clip = read_motion(path)
    assert clip.num_frames == 50
    assert "announces 50" in clip.warnings[0]


def _replace_word(text: str, word: str) -> str:
    lines = text.splitlines()
    values = lines[-5].split()
    values[7] = word
    return "\n".join([*lines[:-5], " ".join(values), *lines[-4:]])


GOOD = write(Recording())
HEAD, _, MOTION = GOOD.partition("MOTION")
MALFORMED = {
    "empty": ("", "empty file"),
    "only blanks": (" \n\n", "empty file"),
    "other text": ("name,score\n1,2\n", "starts with HIERARCHY"),
    "cut in the hierarchy": (HEAD[: HEAD.rindex("JOINT RightHand")], "truncated"),
    "cut within a line": (HEAD[: HEAD.rindex("CHANNELS") + 12], "CHANNELS"),
    "no motion": (HEAD, "MOTION section"),
    "cut after MOTION": (HEAD + "MOTION\n", "Frame Time"),
    "no frame time": (HEAD + "MOTION\nFrames: 4\n1 2 3\n", "Frame Time"),
    "cut in the values": (GOOD[: len(GOOD) - len(MOTION) // 2], "truncated"),
    "unfinished last line": (GOOD.rstrip().rsplit(" ", maxsplit=3)[0], "truncated"),
    "one value too many": (GOOD + "1.0\n", "do not fit"),
    "NaN": (_replace_word(GOOD, "nan"), "finite values, found 'nan' in frame 56"),
    "infinity": (_replace_word(GOOD, "-inf"), "finite values, found '-inf'"),
    "overflow": (_replace_word(GOOD, "1e999"), "finite values"),
    "not a number": (_replace_word(GOOD, "1.#IND"), "expected numbers, found '1.#IND' in frame 56"),
    "zero frames": (GOOD.replace("Frames: 60", "Frames: 0"), "at least 2 frames, found 0"),
    "negative frames": (GOOD.replace("Frames: 60", "Frames: -3"), "at least 2 frames, found -3"),
    "one frame": (GOOD.replace("Frames: 60", "Frames: 1"), "at least 2 frames, found 1"),
    "absurd frames": (GOOD.replace("Frames: 60", "Frames: 99999999999999999999999999"), "truncated"),
    "frames no number": (GOOD.replace("Frames: 60", "Frames: many"), "whole number"),
    "zero frame time": (GOOD.replace("0.0166667", "0"), "Frame Time between"),
    "NaN frame time": (GOOD.replace("0.0166667", "nan"), "Frame Time between"),
    "unknown channel": (GOOD.replace("Zrotation", "Wrotation"), "CHANNELS"),
    "wrong channel count": (GOOD.replace("CHANNELS 3", "CHANNELS 4", 1), "CHANNELS"),
    "bad offset": (GOOD.replace("OFFSET 0 12 0", "OFFSET 0 12"), "OFFSET with 3"),
    "two people": (HEAD + GOOD, "one ROOT"),
    "no legs": (write(Recording(without=("RightLeg", "RightFoot", "RightToeBase"))), "two legs"),
    "a giant": (write(Recording(per_metre=1e6)), "1.0 to 2.2 m tall"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_get_one_clear_line(tmp_path, case):
    text, message = MALFORMED[case]
    path = tmp_path / "walk.bvh"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MotionFormatError) as caught:
        read_motion(path)
    told = str(caught.value)
    assert message in told
    assert "\n" not in told
    assert told.startswith(str(path))


def test_binary_rubbish_is_refused(tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(MotionFormatError, match="HIERARCHY"):
        read_motion(path)


def test_paths_that_are_no_motion_files(tmp_path):
    with pytest.raises(MotionFormatError, match="no such file"):
        read_motion(tmp_path / "absent.bvh")
    with pytest.raises(MotionFormatError, match="folder"):
        read_motion(tmp_path)
    (tmp_path / "notes.docx").write_text("hello", encoding="utf-8")
    with pytest.raises(MotionFormatError, match=r"extension '.docx'"):
        read_motion(tmp_path / "notes.docx")
    (tmp_path / "noext").write_text("hello", encoding="utf-8")
    with pytest.raises(MotionFormatError, match="no extension"):
        read_motion(tmp_path / "noext")
