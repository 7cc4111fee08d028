from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import ENDS, TO_AXES, Recording, positions, walk_angles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_bvh import assert_is_the_walk

from agir_hf.errors import MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion.trc import joint_labels, looks_like_trc, parse_trc, read_trc
from agir_hf.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS

FRAMES = 60
JOINTS = {
    f"{side}{name}": f"{side}{joint}"
    for side in ("Left", "Right")
    for name, joint in {
        "Hip": "UpLeg",
        "Knee": "Leg",
        "Ankle": "Foot",
        "Shoulder": "Arm",
        "Elbow": "ForeArm",
        "Wrist": "Hand",
    }.items()
}


def halpe(frames: int = FRAMES) -> dict[str, np.ndarray]:
    """The known walk as the keypoints of a pose estimator, (T, 3) in metres, Y up."""
    known = positions(Recording(frames=frames))
    points = {label.replace("Left", "L").replace("Right", "R"): known[joint] for label, joint in JOINTS.items()}
    for side in ("Left", "Right"):
        toe, aside = known[f"{side}ToeBase"], np.array([0.0, 0.0, 0.03])
        points[f"{side[0]}BigToe"], points[f"{side[0]}SmallToe"] = toe + aside, toe - aside
        points[f"{side[0]}Heel"] = known[f"{side}Foot"] - [0.0, 0.05, 0.0]
    middle = (points["LHip"] + points["RHip"]) / 2.0
    return {"Hip": middle, "Neck": known["Neck"], "Head": known["Head"] + ENDS["Head"], "Nose": known["Head"]} | points


def skin_markers(frames: int = FRAMES) -> dict[str, np.ndarray]:
    """Hip centres, and markers on both sides of knees, ankles and feet, around the joints of the known walk."""
    known = positions(Recording(frames=frames))
    heading = walk_angles(frames)[1]["Hips"]
    points = {}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        outward = heading.apply([0.05 * sign, 0.0, 0.0])
        points[f"V_{side[0]}.Hip_JC"] = known[f"{side}UpLeg"]
        for name, joint in (("Knee", "Leg"), ("Ankle", "Foot")):
            points[f"{side[0]}.{name}"] = known[f"{side}{joint}"] + outward
            points[f"{side[0]}.{name}.Medial"] = known[f"{side}{joint}"] - outward
        points[f"{side[0]}.MT5"] = known[f"{side}ToeBase"] + outward
        points[f"{side[0]}.MT1"] = known[f"{side}ToeBase"] - outward
    return points


@dataclass(frozen=True)
class Trc:
    """How to write points in metres as a TRC file."""

    points: dict[str, np.ndarray] = field(default_factory=halpe)
    per_metre: float = 1000.0
    unit: str = "mm"
    rate: float = 60.0
    stated_rate: str = "60.00"
    axes: str = "Y"
    extra_labels: tuple[str, ...] = ()
    coordinate_row: bool = True

    def text(self) -> str:
        frames = len(next(iter(self.points.values())))
        labels = [*self.points, *self.extra_labels]
        lines = [
            "PathFileType\t4\t(X/Y/Z)\tC:\\data\\walk one.trc",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            f"{self.stated_rate}\t{self.stated_rate}\t{frames}\t{len(self.points)}\t{self.unit}\t60\t1\t{frames}",
            "Frame#\tTime\t" + "".join(f"{label}\t\t\t" for label in labels),
        ]
        if self.coordinate_row:
            lines.append("\t\t" + "".join(f"X{n}\tY{n}\tZ{n}\t" for n in range(1, len(self.points) + 1)))
        lines.append("")
        table = self.per_metre * np.concatenate(
            [values @ TO_AXES[self.axes].T for values in self.points.values()], axis=1
        )
        for frame, row in enumerate(table):
            cells = ["" if np.isnan(value) else f"{value:.5f}" for value in row] + [""] * (3 * len(self.extra_labels))
            lines.append(f"{frame + 1}\t{frame / self.rate:.3f}\t" + "\t".join(cells))
        return "\n".join(lines) + "\n"

    def save(self, folder: Path) -> Path:
        path = folder / "walk.trc"
        path.write_text(self.text(), encoding="utf-8")
        return path


@pytest.mark.parametrize(
    ("per_metre", "unit"), [(1000.0, "mm"), (1.0, "m"), (100.0, "cm"), (1.0 / 0.0254, "in"), (1.0, "meters")]
)
def test_joint_labels_and_units(tmp_path, per_metre, unit):
    path = Trc(per_metre=per_metre, unit=unit).save(tmp_path)
    clip = read_trc(path)
    assert_is_the_walk(clip, Recording(frames=FRAMES))
    assert (clip.frame_rate_hz, clip.source, clip.joints_filled) == (60.0, str(path), ())
    assert "read as" not in " ".join(clip.warnings)


@pytest.mark.parametrize("unit", ["m", "furlongs", ""])
def test_the_body_tells_the_unit_where_the_header_is_wrong(tmp_path, unit):
    text = Trc(unit="UNIT").text().replace("\tUNIT\t", f"\t{unit}\t")
    path = tmp_path / "walk.trc"
    path.write_text(text, encoding="utf-8")
    clip = read_trc(path)
    assert_is_the_walk(clip, Recording(frames=FRAMES))
    assert "read as mm" in " ".join(clip.warnings)


def test_skin_markers_give_joint_centres(tmp_path):
    path = Trc(points=skin_markers()).save(tmp_path)
    joints = read_trc(path).joints_m
    known = positions(Recording(frames=FRAMES))
    lift = float(np.median(joints[:, JOINT_INDEX["left_hip"], 1] - known["LeftUpLeg"][:, 1]))
    for side, letter in (("Left", "left"), ("Right", "right")):
        for joint, name in (("hip", "UpLeg"), ("knee", "Leg")):
            found = joints[:, JOINT_INDEX[f"{letter}_{joint}"]] - [0.0, lift, 0.0]
            np.testing.assert_allclose(found, known[f"{side}{name}"], atol=2e-4, err_msg=joint)
    assert "left_shoulder" in read_trc(path).joints_filled


def test_every_label_has_its_three_columns(tmp_path):
    points = skin_markers()
    file = parse_trc(Trc(points=points, extra_labels=("V_Mid_ASIS", "L.Knee")).save(tmp_path))
    assert list(file.points) == list(points)
    for label, values in points.items():
        np.testing.assert_allclose(file.points[label], 1000.0 * values, atol=1e-5)
    assert (file.unit, file.warnings) == ("mm", ())


def test_other_layouts_of_the_header(tmp_path):
    known = parse_trc(Trc().save(tmp_path))
    path = tmp_path / "walk.trc"
    text = Trc().text()
    lines = text.splitlines()
    packed = "Frame#\tTime\t" + "\t".join(halpe())
    for variant in (
        text.replace("\n", "\r\n"),
        "\ufeff" + text,
        Trc(coordinate_row=False).text(),
        text.replace("\n\n", "\n"),
        "\n".join([*lines[:3], packed, *lines[4:]]) + "\n",
        text.replace("\t", " \t "),
        text.rstrip("\n"),
    ):
        path.write_bytes(variant.encode())
        file = parse_trc(path)
        assert list(file.points) == list(known.points)
        for label, values in known.points.items():
            np.testing.assert_array_equal(file.points[label], values)


@pytest.mark.parametrize("axes", ["Y", "Z"])
def test_up_axes(tmp_path, axes):
    assert_is_the_walk(read_trc(Trc(axes=axes).save(tmp_path)), Recording(frames=FRAMES))


@pytest.mark.parametrize(
    ("rate", "stated", "expected", "warned"),
    [
        (60.0, "60.00", 60.0, ""),
        (150.0, "150", 150.0, ""),
        (60.0, "59.94", 59.94, ""),
        (60.0, "120", 60.0, "DataRate says 120 Hz, the times of the frames 60 Hz"),
        (60.0, "0", 60.0, "no usable DataRate"),
        (60.0, "fast", 60.0, "no usable DataRate"),
    ],
)
def test_frame_rates(tmp_path, rate, stated, expected, warned):
    path = Trc(rate=rate, stated_rate=stated).save(tmp_path)
    clip = read_trc(path)
    assert clip.frame_rate_hz == pytest.approx(expected, abs=1e-9)
    assert warned in " ".join(clip.warnings)
    assert bool(warned) == ("Hz" in " ".join(clip.warnings))
    assert read_trc(path, frame_rate_hz=75.0).frame_rate_hz == 75.0
    for bad in (0.0, float("nan"), 1e9):
        with pytest.raises(MotionFormatError, match="frame rate between"):
            read_trc(path, frame_rate_hz=bad)


def test_times_that_do_not_run_on(tmp_path):
    path = tmp_path / "walk.trc"
    lines = Trc().text().splitlines()
    still = [line.split("\t") for line in lines[6:]]
    path.write_text("\n".join(lines[:6] + ["\t".join([row[0], "0.000", *row[2:]]) for row in still]), encoding="utf-8")
    assert parse_trc(path).warnings == ()
    path.write_text("\n".join([*lines[:30], *lines[40:]]).replace("\t60\tm", "\t50\tm"), encoding="utf-8")
    with pytest.raises(MotionFormatError, match="60 frames that NumFrames announces, found 50"):
        parse_trc(path)
    path.write_text("\n".join([*lines[:30], *lines[40:]]).replace("60.00\t60\t", "60.00\t50\t"), encoding="utf-8")
    file = parse_trc(path)
    assert file.frame_rate_hz == 60.0
    assert "do not run on evenly" in file.warnings[0]


def test_short_gaps_are_filled_and_told(tmp_path):
    points = halpe()
    points["LKnee"][20:26] = np.nan
    points["RWrist"][40] = 0.0
    path = Trc(points=points).save(tmp_path)
    assert np.isnan(parse_trc(path).points["RWrist"][40]).all()
    clip = read_trc(path)
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=3e-3)
    assert "Gaps in LKnee, RWrist were filled; the longest is 0.10 s." in clip.warnings


def test_long_gaps_cut_the_clip_or_drop_a_part(tmp_path):
    points = halpe()
    points["RKnee"][:15] = np.nan
    points["LWrist"][10:50] = np.nan
    clip = read_trc(Trc(points=points).save(tmp_path))
    assert clip.num_frames == 45
    assert "Only frames 16 to 60 of 60 were read" in " ".join(clip.warnings)
    assert "Left out for gaps too long to fill: left_wrist." in clip.warnings
    assert "left_wrist" in clip.joints_filled
    points["RKnee"][30:55] = np.nan
    with pytest.raises(MotionFormatError, match=r"at least 0.5 s, found 0.25 s"):
        read_trc(Trc(points=points).save(tmp_path))


def test_rows_that_end_early_have_gaps_at_their_end(tmp_path):
    path = tmp_path / "walk.trc"
    lines = Trc().text().splitlines()
    lines[20] = "\t".join(lines[20].split("\t")[:-3])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    last = list(halpe())[-1]
    gaps = {label: int(np.isnan(values[:, 0]).sum()) for label, values in parse_trc(path).points.items()}
    assert gaps.pop(last) == 1
    assert set(gaps.values()) == {0}


@pytest.mark.parametrize(
    "labels",
    [
        ("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle"),
        ("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
        ("Hip.R", "Knee.R", "Ankle.R", "Hip.L", "Knee.L", "Ankle.L"),
        ("RightHip", "RightKnee", "RightAnkle", "LeftHip", "LeftKnee", "LeftAnkle"),
    ],
)
def test_ways_to_name_joints(labels):
    found = joint_labels([*labels, "Nose", "r_knee_study", "r.ASIS_study"])
    assert found is not None
    parts = [f"{side}_{part}" for side in ("right", "left") for part in ("hip", "knee", "ankle")]
    assert found == {part: (label,) for part, label in zip(parts, labels, strict=True)}
    assert joint_labels(labels[1:]) is None


def test_keypoints_of_pose_estimators():
    found = joint_labels(list(halpe()))
    assert found is not None
    assert found["left_toe_tip"] == ("LBigToe", "LSmallToe")
    assert (found["neck"], found["head"], found["right_wrist"]) == (("Neck",), ("Head",), ("RWrist",))
    assert not any("heel" in part for part in found)


def test_with_pelvis_markers_knees_are_skin_markers(tmp_path):
    points = skin_markers()
    for side in "LR":
        points[f"{side}Hip"] = points[f"V_{side}.Hip_JC"] + 0.05
        points[f"{side}.ASIS"] = points[f"V_{side}.Hip_JC"] + [0.0, 0.1, 0.05]
        points[f"{side}.PSIS"] = points[f"V_{side}.Hip_JC"] + [0.0, 0.1, -0.1]
    clip = read_trc(Trc(points=points).save(tmp_path))
    known = positions(Recording(frames=FRAMES))
    found = clip.joints_m[:, JOINT_INDEX["left_knee"]][:, [0, 2]]
    np.testing.assert_allclose(found, known["LeftLeg"][:, [0, 2]], atol=2e-4)


@pytest.mark.parametrize("make", [halpe, skin_markers])
def test_of_two_people_one_is_read_whole(tmp_path, make):
    points = {f"Ann:{label}": values for label, values in make().items()}
    for label, values in make().items():
        seen = np.where(np.arange(FRAMES)[:, None] < 20, np.nan, values + np.array([3.0, 0.0, 0.0]))
        points[f"Ben:{label}"] = seen
    clip = read_trc(Trc(points=points).save(tmp_path))
    alone = read_trc(Trc(points=make()).save(tmp_path))
    np.testing.assert_allclose(clip.joints_m, alone.joints_m, atol=1e-6)


def test_content_tells_the_format():
    assert looks_like_trc(Trc().text().encode()[:4096])
    assert looks_like_trc(b"\xef\xbb\xbf\r\nPathFileType\t3")
    assert not looks_like_trc(b"")
    assert not looks_like_trc(b"HIERARCHY")


GOOD = Trc().text()
SHORT = Trc(points=halpe(8)).text()
ROWS = GOOD.splitlines()


def _with(line: int, text: str) -> str:
    return "\n".join([*ROWS[:line], text, *ROWS[line + 1 :]]) + "\n"


def _cell(text: str) -> str:
    cells = ROWS[20].split("\t")
    return _with(20, "\t".join([*cells[:9], text, *cells[10:]]))


MALFORMED = {
    "empty": ("", "empty file"),
    "blank": (" \n", "empty file"),
    "other text": ("name,score\n1,2\n", "starts with PathFileType, found 'name,score"),
    "binary": ("PathFileType\0\1\2", "binary data"),
    "cut in the header": ("\n".join(ROWS[:3]), "found 3 lines: the file is truncated"),
    "no rows": ("\n".join(ROWS[:6]), "expected the 60 frames that NumFrames announces, found 0"),
    "cut between rows": ("\n".join(ROWS[:-7]) + "\n", "found 53: the file is truncated"),
    "cut in the last row": (GOOD[: len(GOOD) - 150], "the file is truncated"),
    "cut in the last point": (GOOD.rstrip().rsplit("\t", maxsplit=1)[0] + "\n", "3 cells a marker"),
    "frames": (GOOD.replace("\t60\t22\t", "\t61\t22\t"), "expected the 61 frames"),
    "absurd frames": (GOOD.replace("\t60\t22\t", "\t99999999999999999999999\t22\t"), "found 60: the file is truncated"),
    "zero frames": (GOOD.replace("\t60\t22\t", "\t0\t22\t"), "at least 2 frames, found 0"),
    "negative frames": (GOOD.replace("\t60\t22\t", "\t-60\t22\t"), "whole number as NumFrames, found '-60'"),
    "frames no number": (GOOD.replace("\t60\t22\t", "\tmany\t22\t"), "whole number as NumFrames, found 'many'"),
    "NaN frames": (GOOD.replace("\t60\t22\t", "\tnan\t22\t"), "whole number as NumFrames, found 'nan'"),
    "markers": (GOOD.replace("\t60\t22\t", "\t60\t23\t"), "23 markers that NumMarkers announces, found 22"),
    "absurd markers": (GOOD.replace("\t60\t22\t", "\t60\t1e300\t"), "NumMarkers announces, found 22"),
    "labels lost": (_with(3, ROWS[3].replace("LWrist\t\t\t", "").replace("26", "25")), "NumMarkers"),
    "too few labels": (
        _with(3, "\t".join(ROWS[3].split("\t")[:20])).replace("\t60\t22\t", "\t60\t6\t"),
        "for the labels in line 4",
    ),
    "no label row": (_with(3, ROWS[4]), "labels in line 4"),
    "no labels": (_with(3, "Frame#\tTime\t\t\t"), "found none"),
    "labels astray": (_with(3, ROWS[3].replace("Neck\t", "\tNeck")), "in other columns"),
    "not by tabs": (GOOD.replace("\t", " "), "separated by tabs"),
    "decimal commas": (GOOD.replace(".", ","), "found '0,000' in row 1, column 2"),
    "not a number": (_cell("1.#IND"), "found '1.#IND' in row 15, column 10"),
    "infinity": (_cell("inf"), "found 'inf' in row 15"),
    "overflow": (_cell("1e999"), "found '1e999' in row 15"),
    "absurd number": (_cell("1e200"), "found '1e200' in row 15"),
    "rate": (Trc(rate=1e9, stated_rate="nan").text(), "DataRate between 1 and 2000 Hz, found 'nan'"),
    "all gaps": (Trc(points={"RHip": np.zeros((5, 3))}).text(), "every cell empty or zero"),
    "unknown labels": (GOOD.replace("Knee", "Kanoe"), "markers of a known set"),
    "never together": (
        Trc(points={**halpe(), "LHip": np.where(np.arange(FRAMES)[:, None] < 60, np.nan, 0.0) + np.zeros(3)}).text(),
        "markers of a known set",
    ),
    "a giant": (Trc(per_metre=1e7).text(), "1.0 to 2.2 m tall"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_get_one_clear_line(tmp_path, case):
    text, message = MALFORMED[case]
    path = tmp_path / "walk.trc"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MotionFormatError) as caught:
        read_trc(path)
    told = str(caught.value)
    assert message in told
    assert "\n" not in told
    assert told.startswith(str(path))


def test_frames_beyond_those_announced_are_told(tmp_path):
    path = tmp_path / "walk.trc"
    path.write_text(GOOD.replace("\t60\t22\t", "\t50\t22\t"), encoding="utf-8")
    clip = read_trc(path)
    assert clip.num_frames == 50
    assert "holds 60 frames but announces 50" in clip.warnings[0]


def test_one_wide_row_among_many_is_refused_before_memory_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("agir_hf.motion.trc._MAX_BYTES", 20_000)
    labels = "".join(f"m{number}\t\t\t" for number in range(300))
    head = "PathFileType\nDataRate NumFrames\n60 100\n" + f"Frame#\tTime\t{labels}\n"
    rows = ["\t".join(["1", "0", *["1"] * 900])] + ["2\t0\t1\t1\t1"] * 99
    path = tmp_path / "walk.trc"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(MotionFormatError, match="100 rows of 902"):
        read_trc(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_never_end_in_another_error(tmp_path, data):
    """Bytes cut out, doubled or overwritten: read, or refused with one line."""
    raw = SHORT.encode()
    begin = data.draw(st.integers(0, len(raw) - 1) | st.integers(0, 1500))
    end = data.draw(st.integers(begin, min(begin + 300, len(raw))))
    path = tmp_path / "walk.trc"
    path.write_bytes(raw[:begin] + data.draw(st.binary(max_size=12)) + raw[end:])
    try:
        clip = read_trc(path)
    except MotionFormatError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(clip.joints_m).all()


@pytest.mark.parametrize(("name", "frames", "speed_mps"), [("walk", 184, 1.15), ("walk1", 364, 1.18)])
def test_laboratory_walks_look_human(shared_data, name, frames, speed_mps):
    clip = read_trc(shared_data / "bmc_walk" / f"{name}.trc")
    joints = clip.joints_m.astype(np.float64)
    assert (clip.num_frames, clip.frame_rate_hz) == (frames, 150.0)
    assert not any(joint.endswith(("hip", "knee", "ankle", "left_foot")) for joint in clip.joints_filled)
    # The skin slides over the bones by millimetres.
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            lengths = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1)
            assert lengths.std() < 0.01, JOINT_NAMES[joint]
    places = {joint: joints[:, index] for joint, index in JOINT_INDEX.items()}
    way = (places["pelvis"][-1] - places["pelvis"][0]) * [1.0, 0.0, 1.0]
    way /= np.linalg.norm(way)
    left = np.cross([0.0, 1.0, 0.0], way)
    for part in ("hip", "knee"):
        assert ((places[f"left_{part}"] - places[f"right_{part}"]) @ left > 0.0).all(), part
    for side in ("left", "right"):
        hip, knee, ankle, toe = (places[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "foot"))
        assert ((knee - (hip + ankle) / 2.0) @ way).mean() > 0.01
        assert ((toe - ankle) @ way).mean() > 0.05
        assert abs(np.quantile(toe[:, 1], 0.25) - 0.02) < 0.01
        assert 0.7 < np.median(np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)) < 0.95
    gait = measure_gait(clip)
    assert gait.quality.walking, gait.quality.not_walking_reason
    travelled = float(np.linalg.norm((joints[-1, 0] - joints[0, 0])[[0, 2]])) / clip.duration_s
    assert gait.values["walking_speed_mps"] == pytest.approx(speed_mps, abs=0.03)
    assert gait.values["walking_speed_mps"] == pytest.approx(travelled, rel=0.03)
