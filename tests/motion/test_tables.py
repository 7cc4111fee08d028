import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_named_skeletons import DIRECT, keypoints, walk

from agir_hf.errors import MotionFormatError
from agir_hf.motion.named_skeletons import SKELETONS, clip_from_keypoints
from agir_hf.motion.tables import looks_like_csv, looks_like_json, read_csv, read_json
from agir_hf.skeleton import JOINT_INDEX

RATE_HZ = 50.0
CLIP = walk(RATE_HZ, 2.0)
COCO = keypoints(CLIP.joints_m, "coco-17")
HALPE_NAMES = (
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle "
    "Head Neck Hip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel"
).split()


def put(folder, text: str, name: str = "walk.json"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def assert_same(clip, known, tolerance: float = 1e-4) -> None:
    np.testing.assert_allclose(clip.joints_m, known.joints_m, atol=tolerance)
    assert clip.frame_rate_hz == known.frame_rate_hz
    assert clip.joints_filled == known.joints_filled


KNOWN = clip_from_keypoints(COCO, frame_rate_hz=RATE_HZ)
POINTS = COCO.tolist()
COCO_NAMES = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
).split()
TIMES = [round(0.4 + frame / RATE_HZ, 6) for frame in range(len(POINTS))]
JSON_LAYOUTS = {
    "object": {"joints": POINTS, "frame_rate_hz": 50, "skeleton": "coco-17"},
    "skeleton told": {"keypoints": POINTS, "fps": 50.0},
    "frames": {"frames": POINTS, "fps": 50},
    "frames as objects": {"frames": [{"joints": frame} for frame in POINTS], "fps": 50},
    "frames with times": {"frames": [{"time": t, "keypoints": f} for t, f in zip(TIMES, POINTS, strict=True)]},
    "list with milliseconds": [{"time_ms": 1000 * t, "landmarks": f} for t, f in zip(TIMES, POINTS, strict=True)],
    "points as objects": {"frames": [[dict(zip("xyz", p, strict=True)) for p in f] for f in POINTS], "fps": 50},
    "points with a score": {"frames": [[[*p, 0.9] for p in f] for f in POINTS], "fps": 50},
    "named points": {"frames": [dict(zip(COCO_NAMES, f, strict=True)) for f in POINTS], "fps": 50},
    "named points inside": {"frames": [{"time": t, "joints": dict(zip(COCO_NAMES, f, strict=True))}
                                       for t, f in zip(TIMES, POINTS, strict=True)]},
}  # fmt: skip


@pytest.mark.parametrize("layout", JSON_LAYOUTS)
def test_json_layouts(tmp_path, layout):
    path = put(tmp_path, json.dumps(JSON_LAYOUTS[layout]))
    clip = read_json(path)
    assert_same(clip, KNOWN)
    assert (clip.source, clip.warnings) == (str(path), KNOWN.warnings)
    assert looks_like_json(path.read_bytes()[:4096])
    assert read_json(path, frame_rate_hz=25.0).frame_rate_hz == 25.0


def test_a_bare_list_of_frames_needs_a_rate(tmp_path):
    path = put(tmp_path, "\ufeff " + json.dumps(POINTS))
    with pytest.raises(MotionFormatError, match="pass frame_rate_hz, or --frame-rate-hz"):
        read_json(path)
    assert_same(read_json(path, frame_rate_hz=RATE_HZ), KNOWN)
    assert looks_like_json(path.read_bytes()[:4096])


def test_json_of_other_skeletons(tmp_path):
    for name in SKELETONS:
        array = keypoints(CLIP.joints_m, name)
        path = put(tmp_path, json.dumps({"joints": array.tolist(), "frame_rate_hz": RATE_HZ, "skeleton": name}))
        assert_same(read_json(path), clip_from_keypoints(array, frame_rate_hz=RATE_HZ))
    with pytest.raises(MotionFormatError, match="expected 26 keypoints"):
        read_json(path, skeleton="halpe-26")


def test_points_not_seen_are_null(tmp_path):
    frames = json.loads(json.dumps(POINTS))
    frames[20][15] = None
    frames[21][15] = [None, None, None]
    clip = read_json(put(tmp_path, json.dumps({"frames": frames, "fps": 50})))
    assert "gaps of up to 0.2 s were filled" in clip.warnings[0]
    np.testing.assert_allclose(clip.joints_m, KNOWN.joints_m, atol=0.02)


BAD_JSON = {
    "empty": ("", "empty file"),
    "cut": (json.dumps(POINTS)[:-30], "expected JSON"),
    "text": ("walk", "expected JSON"),
    "deep": ("[" * 200_000, "expected JSON"),
    "deep and closed": ("[" * 100_000 + "]" * 100_000, "nested|points"),
    "number": ("3", "expected a list of frames, found a number"),
    "null": ("null", "found null"),
    "other object": ('{"a": 1}', "found a"),
    "no frames": ('{"frames": []}', "found an empty one"),
    "frames of numbers": ('{"fps": 30, "frames": [1, 2, 3]}', "list of points"),
    "2D": ('{"fps": 30, "frames": [[[1, 2]], [[1, 2]]]}', "only 3D keypoints"),
    "uneven": ('{"fps": 30, "frames": [[[1, 2, 3]], []]}', "1 points in every frame, found 0 in frame 2"),
    "text inside": ('{"fps": 30, "frames": [[["a", 2, 3]], [[1, 2, 3]]]}', "three numbers"),
    "true inside": ('{"fps": 30, "frames": [[[true, 2, 3]], [[1, 2, 3]]]}', "three numbers"),
    "huge number": ('{"fps": 30, "frames": [[[' + "9" * 400 + ", 2, 3]], [[1, 2, 3]]]}", "three numbers"),
    "endless number": ('{"fps": ' + "9" * 5000 + "}", "expected JSON"),
    "unknown skeleton": (json.dumps({"frames": POINTS, "fps": 50, "skeleton": "x"}), "a skeleton out of"),
    "skeleton of numbers": (json.dumps({"frames": POINTS, "fps": 50, "skeleton": 3}), "name of a skeleton"),
    "rate of text": (json.dumps({"frames": POINTS, "fps": "fast"}), "fps as a number"),
    "rate of infinity": ('{"fps": Infinity, "frames": [[[1, 2, 3]], [[1, 2, 3]]]}', "fps as a number"),
    "nowhere seen": (json.dumps({"fps": 50, "skeleton": "coco-17", "frames": [[None] * 17] * 9}), "no two in a row"),
    "names of nothing": ('{"fps": 30, "frames": [{"a": [1, 2, 3]}, {"a": [1, 2, 3]}]}', "found no left_hip"),
    "mixed": ('{"fps": 30, "frames": [{"joints": []}, 3]}', "found a number as 2"),
    "uneven times": (json.dumps([{"time": t**2, "joints": f} for t, f in zip(TIMES, POINTS, strict=True)]), "even"),
    "time of text": (json.dumps([{"time": "a", "joints": f} for f in POINTS]), "a number as time"),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_gets_one_clear_line(tmp_path, name):
    text, message = BAD_JSON[name]
    path = put(tmp_path, text)
    with pytest.raises(MotionFormatError, match=message) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def table(names, array, *, column=lambda name, axis: f"{name}_{axis}", first=None, delimiter=",", number=repr) -> str:
    header = [column(name, axis) for name in names for axis in "xyz"]
    rows = [[number(float(value)) for value in frame.reshape(-1)] for frame in array]
    if first is not None:
        header = [first[0], *header]
        rows = [[str(value), *row] for value, row in zip(first[1], rows, strict=True)]
    return "\n".join(delimiter.join(row) for row in [header, *rows]) + "\n"


HALPE = keypoints(CLIP.joints_m, "halpe-26")
HALPE_KNOWN = clip_from_keypoints(HALPE, frame_rate_hz=RATE_HZ)
COLUMNS = {
    "underscore": lambda name, axis: f"{name}_{axis}",
    "upper": lambda name, axis: f"{name}_{axis.upper()}",
    "dot": lambda name, axis: f"{name}.{axis}",
    "blank": lambda name, axis: f"{name} {axis.upper()}",
    "glued": lambda name, axis: f"{name}{axis.upper()}",
    "with unit": lambda name, axis: f"{name}_{axis} (mm)",
}


@pytest.mark.parametrize("style", COLUMNS)
def test_csv_columns(tmp_path, style):
    text = table(HALPE_NAMES, HALPE, column=COLUMNS[style], first=("time", TIMES))
    path = put(tmp_path, text, "walk.csv")
    clip = read_csv(path)
    # The top of the head stands under "Head" here, which names do not tell.
    body = [JOINT_INDEX[joint] for joint in (*DIRECT, "left_ankle", "right_foot", "pelvis")]
    np.testing.assert_allclose(clip.joints_m[:, body], HALPE_KNOWN.joints_m[:, body], atol=1e-4)
    assert (clip.frame_rate_hz, clip.source, clip.warnings) == (RATE_HZ, str(path), HALPE_KNOWN.warnings)
    assert looks_like_csv(path.read_bytes()[:4096])


@pytest.mark.parametrize("first", [("Time (s)", TIMES), ("timestamp_ms", [1000.0 * t for t in TIMES]),
                                   ("frame", range(len(TIMES))), None])  # fmt: skip
def test_csv_rates(tmp_path, first):
    path = put(tmp_path, table(COCO_NAMES, COCO, first=first), "walk.csv")
    if first is None or first[0] == "frame":
        with pytest.raises(MotionFormatError, match="pass frame_rate_hz, or --frame-rate-hz"):
            read_csv(path)
        assert_same(read_csv(path, frame_rate_hz=RATE_HZ), KNOWN)
    else:
        assert_same(read_csv(path), KNOWN)
    assert read_csv(path, frame_rate_hz=25.0).frame_rate_hz == 25.0


def test_rates_that_are_no_whole_numbers(tmp_path):
    times = [frame / 59.5 for frame in range(len(COCO))]
    clip = read_csv(put(tmp_path, table(COCO_NAMES, COCO, first=("time", times)), "walk.csv"))
    assert clip.frame_rate_hz == pytest.approx(59.5, abs=1e-6)
    jittered = [round(frame / 30.0 + 0.004 * (frame % 2), 3) for frame in range(len(COCO))]
    clip = read_csv(put(tmp_path, table(COCO_NAMES, COCO, first=("time", jittered)), "walk.csv"))
    assert clip.frame_rate_hz == 30.0


def test_csv_dialects(tmp_path):
    for delimiter in (";", "\t"):
        text = table(COCO_NAMES, COCO, first=("time", TIMES), delimiter=delimiter)
        assert_same(read_csv(put(tmp_path, text, "walk.csv")), KNOWN)
        text = text.replace(".", ",").replace("\n", "\r\n")
        assert_same(read_csv(put(tmp_path, "\ufeff# lifted from video\r\n" + text + "\r\n\r\n", "walk.csv")), KNOWN)


@pytest.mark.parametrize("stem", ["", "joint", "kp_"])
def test_numbered_points(tmp_path, stem):
    names = [f"{stem}{index}" for index in range(26)]
    path = put(tmp_path, table(names, HALPE, first=("time", TIMES)), "walk.csv")
    assert_same(read_csv(path), HALPE_KNOWN)
    with pytest.raises(MotionFormatError, match="expected 17 keypoints"):
        read_csv(path, skeleton="coco-17")


def test_empty_fields_are_points_not_seen(tmp_path):
    array = COCO.copy()
    array[30:33, 15] = np.nan
    text = table(COCO_NAMES, array, first=("time", TIMES)).replace("nan", "")
    clip = read_csv(put(tmp_path, text, "walk.csv"))
    assert "gaps of up to 0.2 s were filled" in clip.warnings[0]
    np.testing.assert_allclose(clip.joints_m, KNOWN.joints_m, atol=0.02)


GOOD = table(COCO_NAMES, COCO, first=("time", TIMES))
LINES = GOOD.splitlines()
FRAMES = table(COCO_NAMES, COCO, first=("frame", range(len(TIMES)))).splitlines()
BAD_CSV = {
    "empty": ("", "empty file"),
    "blank": ("\n \n", "empty file"),
    "comments": ("# nothing\n", "found none"),
    "other table": ("name,score\na,1\n", "found name, score"),
    "no rows": (LINES[0] + "\n", "at least 2 rows of numbers, found 0"),
    "one row": ("\n".join(LINES[:2]), "at least 2 rows of numbers, found 1"),
    "cut row": ("\n".join([*LINES[:5], LINES[5][:100]]), "52 fields in every row, found .* in row 5"),
    "word": (GOOD.replace(LINES[4], "walk" + LINES[4][3:]), "expected numbers, found 'walk.*' in row 4"),
    "twice": (GOOD.replace("left_eye_x", "nose_x"), "nose_x twice"),
    "uneven times": ("\n".join([*LINES[:40], *LINES[60:]]), "times in even steps"),
    "backward times": ("\n".join([LINES[0], *LINES[:0:-1]]), "times in even steps"),
    "missing frames": ("\n".join([*FRAMES[:40], *FRAMES[60:]]), "without gaps, found another step at row 40"),
    "no knees": (GOOD.replace("_knee", "_knob"), "found no left_knee, right_knee"),
    "two axes": (GOOD.replace("left_hip_z", "left_hip_w"), "found no left_hip"),
    "long name": ("-" * 50_000 + "q,a_x,a_y,a_z\n1,2,3,4\n1,2,3,4\n", "pass frame_rate_hz"),
    "quotes": ('"' + GOOD, "expected"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_bad_csv_gets_one_clear_line(tmp_path, name):
    text, message = BAD_CSV[name]
    path = put(tmp_path, text, "walk.csv")
    with pytest.raises(MotionFormatError, match=message) as caught:
        read_csv(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, 6000), length=st.integers(0, 60), text=st.text(max_size=20))
def test_damaged_tables_raise_nothing_else(tmp_path_factory, start, length, text):
    folder = tmp_path_factory.getbasetemp()
    for content, reader, name in (
        ("\n".join(LINES[:6]), read_csv, "a.csv"),
        (json.dumps({"fps": 50, "frames": POINTS[:5]}), read_json, "a.json"),
    ):
        start %= len(content)
        damaged = content[:start] + text + content[start + length :]
        path = folder / name
        path.write_text(damaged, encoding="utf-8", errors="replace")
        try:
            reader(path)
        except MotionFormatError as error:
            assert "\n" not in str(error)


def test_what_the_first_bytes_tell():
    assert not looks_like_csv(b"name,score\n")
    assert not looks_like_csv(b"")
    assert not looks_like_csv(b"HIERARCHY\nROOT Hips\n")
    assert looks_like_csv(LINES[0].encode()[:4096])
    assert not looks_like_json(b"HIERARCHY")
    assert not looks_like_json(b"")
