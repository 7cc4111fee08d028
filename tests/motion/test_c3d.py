from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import ENDS, TO_AXES, Recording, positions, walk_angles
from scipy.spatial.transform import Rotation
from test_bvh import assert_is_the_walk

from agir_hf.clip import GaitEvent
from agir_hf.errors import MissingDependencyError, MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion import c3d as c3d_module
from agir_hf.motion import read_motion
from agir_hf.motion.c3d import looks_like_c3d, read_c3d
from agir_hf.motion.markers import find_markers, split_prefix
from agir_hf.skeleton import JOINT_INDEX, PARENTS

pytest.importorskip("ezc3d", reason="reading C3D needs the extra 'c3d'")

J = JOINT_INDEX
FRAMES = 90
RATE_HZ = 60.0
MODEL_OUTPUTS = {"FEP": "UpLeg", "FEO": "Leg", "TIO": "Foot", "HUP": "Arm", "HUO": "ForeArm", "RAO": "Hand"}
Points = dict[str, np.ndarray]
EVENTS = (("Left", "Foot Strike"), ("Right", "Foot Off"), ("Right", "Foot Strike"), ("General", "Note"))


# --- Hand-made files --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class C3d:
    """What to write: points in metres, Y up, and how. NaN is written as residual -1, or as zeros with ``lost_zero``."""

    points: Mapping[str, np.ndarray]
    per_metre: float = 1000.0
    unit: str | None = "mm"
    axes: str = "Z"
    screen: tuple[str, str] | None = ("+X", "+Z")
    first_frame: int = 1
    processor: int = 84
    integers: bool = False
    lost_zero: bool = False
    descriptions: Sequence[str] = ()
    events: Sequence[tuple[str, str, str, float]] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    rate_hz: float = RATE_HZ


class Writer:
    """Bytes of a C3D file by an Intel (84), DEC (85) or MIPS (86) processor."""

    def __init__(self, file: C3d) -> None:
        self.file = file
        self.order = ">" if file.processor == 86 else "<"

    def integers(self, *values: float) -> bytes:
        return struct.pack(f"{self.order}{len(values)}H", *(int(value) % 65536 for value in values))

    def floats(self, values: object) -> bytes:
        flat = np.asarray(values, dtype=np.float32).ravel()
        if self.file.processor != 85:
            return flat.astype(f"{self.order}f4").tobytes()
        return (4.0 * flat).astype("<f4").view("<u2").reshape(-1, 2)[:, ::-1].tobytes()

    def record(
        self, group: int, name: str, kind: int | None = None, sizes: Sequence[int] = (), raw: bytes = b""
    ) -> bytes:
        body = b"" if kind is None else struct.pack("bB", kind, len(sizes)) + bytes(sizes) + raw
        body += b"\0"
        return struct.pack("bb", len(name), group) + name.encode() + self.integers(len(body) + 2) + body

    def text(self, group: int, name: str, texts: Sequence[str]) -> bytes:
        width = max((len(text) for text in texts), default=1)
        raw = "".join(text.ljust(width) for text in texts).encode()
        return self.record(group, name, -1, (width, len(texts)), raw)

    def number(self, group: int, name: str, *values: float) -> bytes:
        return self.record(group, name, 4, (len(values),), self.floats(values))

    def integer(self, group: int, name: str, *values: int) -> bytes:
        return self.record(group, name, 2, (len(values),), self.integers(*values))

    def parameters(self, frames: int, scale: float) -> bytes:
        file, labels = self.file, list(self.file.points)
        last = file.first_frame + frames - 1
        parts = [self.record(-1, "POINT"), self.integer(1, "USED", len(labels)), self.integer(1, "FRAMES", frames)]
        parts += [
            self.number(1, "SCALE", scale),
            self.number(1, "RATE", file.rate_hz),
            self.integer(1, "DATA_START", 0),
        ]
        for number, start in enumerate(range(0, len(labels), 255), start=1):
            parts.append(self.text(1, "LABELS" + str(number) * (number > 1), labels[start : start + 255]))
        if file.descriptions:
            parts.append(self.text(1, "DESCRIPTIONS", file.descriptions))
        if file.unit is not None:
            parts.append(self.text(1, "UNITS", [file.unit]))
        if file.screen is not None:
            parts += [self.text(1, f"{axis}_SCREEN", [name]) for axis, name in zip("XY", file.screen, strict=True)]
        parts += [self.record(-2, "ANALOG"), self.integer(2, "USED", 0), self.record(-3, "TRIAL")]
        parts += [
            self.integer(3, f"ACTUAL_{end}_FIELD", value % 65536, value // 65536)
            for end, value in (("START", file.first_frame), ("END", last))
        ]
        if file.events:
            contexts, names, subjects, seconds = zip(*file.events, strict=True)
            times = np.stack([np.floor(np.array(seconds) / 60.0), np.mod(seconds, 60.0)], axis=-1)
            parts += [self.record(-4, "EVENT"), self.integer(4, "USED", len(contexts))]
            parts += [
                self.text(4, "CONTEXTS", contexts),
                self.text(4, "LABELS", names),
                self.text(4, "SUBJECTS", subjects),
            ]
            parts.append(self.record(4, "TIMES", 4, (2, len(seconds)), self.floats(times)))
        parts += [self.record(-5, "PROCESSING"), *(self.number(5, name, value) for name, value in file.sizes.items())]
        return b"".join(parts)

    def bytes(self) -> bytes:
        file = self.file
        values = np.stack(list(file.points.values()), axis=1) @ (file.per_metre * TO_AXES[file.axes]).T
        frames, points, _ = values.shape
        lost = np.isnan(values).any(axis=-1, keepdims=True)
        values = np.where(lost, 0.0, values)
        residual = np.where(lost & (not file.lost_zero), -1.0, 0.0)
        scale = float(np.abs(values).max() / 32000.0) if file.integers else -0.1
        if file.integers:
            stored = np.concatenate([np.round(values / scale), residual], axis=-1).astype(f"{self.order}i2").tobytes()
        else:
            stored = self.floats(np.concatenate([values, residual], axis=-1))
        records = self.parameters(frames, scale)
        blocks = -(-(len(records) + 5) // 512)
        section = (bytes([1, 0x50, blocks, file.processor]) + records).ljust(512 * blocks, b"\0")
        last = min(file.first_frame + frames - 1, 65535)
        header = bytes([2, 0x50]) + self.integers(points, 0, file.first_frame, last, 0) + self.floats([scale])
        header += self.integers(2 + blocks, 0) + self.floats([file.rate_hz])
        return header.ljust(512, b"\0") + section + stored


def save(folder: Path, file: C3d, name: str = "walk.c3d") -> Path:
    path = folder / name
    path.write_bytes(Writer(file).bytes())
    return path


def walk() -> Points:
    return positions(Recording(frames=FRAMES))


def outwards(distance_m: float) -> Points:
    """(T, 3) to the outer side of each half of the body."""
    heading = walk_angles(FRAMES)[1]["Hips"]
    return {side: heading.apply([sign * distance_m, 0.0, 0.0]) for side, sign in (("Left", 1.0), ("Right", -1.0))}


def model_outputs() -> Points:
    """Joint centres as Plug-in Gait writes them, with toe and head markers."""
    known = walk()
    points = {
        f"{side[0]}{label}": known[f"{side}{joint}"]
        for side in ("Left", "Right")
        for label, joint in MODEL_OUTPUTS.items()
    }
    top = known["Head"] + ENDS["Head"]
    for side, aside in outwards(0.08).items():
        points |= {f"{side[0]}TOE": known[f"{side}ToeBase"] + [0.0, 0.03, 0.0]}
        points |= {f"{side[0]}FHD": top + aside, f"{side[0]}BHD": top + aside}
    return points


def pelvis_markers(width_m: float = 0.2506) -> Points:
    """ASIS and PSIS around the known hips by the regression of Harrington et al. (2007), solved for the markers."""
    known, heading = walk(), walk_angles(FRAMES)[1]["Hips"]
    depth_m = 0.15
    # 0.33 x 250.6 mm + 7.3 mm = 90 mm: the known hips lie that far from the midline.
    middle = (known["LeftUpLeg"] + known["RightUpLeg"]) / 2.0
    front = middle + heading.apply([0.0, 0.30 * width_m + 0.0109, 0.24 * depth_m + 0.0099])
    points = {}
    for side, aside in outwards(width_m / 2.0).items():
        points[f"{side[0]}ASI"] = front + aside
        points[f"{side[0]}PSI"] = front + heading.apply([0.0, 0.0, -depth_m]) + 0.4 * aside
    return points


def skin_markers() -> Points:
    """A whole marker set around the known walk, with markers on both sides of knees, ankles and elbows."""
    known, points = walk(), pelvis_markers()
    for side, aside in outwards(0.05).items():
        letter = side[0]
        for joint, lateral, medial in (("Leg", "KNE", "KNM"), ("Foot", "ANK", "MED"), ("ForeArm", "HLE", "HME")):
            points[letter + lateral], points[letter + medial] = known[side + joint] + aside, known[side + joint] - aside
        points[letter + "WRA"], points[letter + "WRB"] = known[side + "Hand"] + aside, known[side + "Hand"] - aside
        ahead = walk_angles(FRAMES)[1]["Hips"].apply([0.0, 0.0, 1.0])
        points[letter + "TOE"] = known[side + "ToeBase"] + [0.0, 0.03, 0.0]
        points[letter + "HEE"] = known[side + "Foot"] - [0.0, 0.03, 0.0] - 0.06 * ahead
    middle = (known["LeftArm"] + known["RightArm"]) / 2.0
    down = (known["LeftUpLeg"] + known["RightUpLeg"]) / 2.0 - middle
    down /= np.linalg.norm(down, axis=-1, keepdims=True)
    width = np.linalg.norm(known["LeftArm"] - known["RightArm"], axis=-1).mean()
    for side in ("Left", "Right"):
        points[f"{side[0]}SHO"] = known[f"{side}Arm"] - 0.17 * width * down
    return points


def holed(points: Points, label: str, start: int, end: int) -> Points:
    values = points[label].copy()
    values[start:end] = np.nan
    return points | {label: values}


def said(clip) -> str:
    return " ".join(clip.warnings)


# --- Joint centres ----------------------------------------------------------------------------------------------------


def test_model_outputs_are_the_joint_centres(tmp_path):
    clip = read_c3d(save(tmp_path, C3d(model_outputs())))
    assert (clip.num_frames, clip.frame_rate_hz, clip.joints_filled) == (FRAMES, RATE_HZ, ())
    assert clip.source == str(tmp_path / "walk.c3d")
    assert_is_the_walk(clip, Recording(frames=FRAMES))
    assert "centres" not in said(clip)


def test_joint_centres_between_and_below_markers(tmp_path):
    clip = read_c3d(save(tmp_path, C3d(skin_markers())))
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=1e-3)
    assert clip.joints_filled == ("head",)
    assert "Harrington" in said(clip)


# What other sets call the markers of ``skin_markers``, after the letter of the side.
MARKER_SETS = {
    "Plug-in Gait with medial markers": {},
    "Rizzoli": {
        "ASI": "IAS", "PSI": "IPS", "KNE": "FLE", "KNM": "FME", "ANK": "FAL", "MED": "TAM", "HEE": "FCC",
        "TOE": "FM2", "SHO": "SAE", "HLE": "HLE", "HME": "HME", "WRA": "RSP", "WRB": "USP",
    },
    "Rizzoli, as of 2007": {
        "ASI": "ASIS", "PSI": "PSIS", "KNE": "LE", "KNM": "ME", "ANK": "LM", "MED": "MM", "HEE": "CA", "TOE": "SM",
        "SHO": "AC",
    },
    "Helen Hayes with medial markers": {
        "ASI": ".ASIS", "KNE": ".Knee.Lat", "KNM": ".Knee.Med", "ANK": ".Ankle.Lat", "MED": ".Ankle.Med",
        "HEE": ".Heel", "TOE": ".Toe", "SHO": ".Shoulder", "HLE": ".Elbow", "HME": ".Elbow.Med", "WRA": ".Wrist",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MARKER_SETS)
def test_marker_sets(tmp_path, name):
    points = skin_markers()
    if name.startswith("Helen Hayes"):
        points["V.Sacral"] = (points.pop("LPSI") + points.pop("RPSI")) / 2.0
        # One marker in the middle of the wrist stands for the joint.
        points |= {f"{side}WRA": (points[f"{side}WRA"] + points.pop(f"{side}WRB")) / 2.0 for side in "LR"}
    renamed = {label[0] + MARKER_SETS[name].get(label[1:], label[1:]): place for label, place in points.items()}
    clip = read_motion(save(tmp_path, C3d(renamed), "walk.dat"))
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=1e-3)
    assert clip.joints_filled == ("head",)
    assert "Harrington" in said(clip)
    assert clip.format == "C3D (markers)"
    assert read_motion(save(tmp_path, C3d(model_outputs()))).format == "C3D (joint centres of the laboratory's model)"


def test_a_lateral_marker_alone_with_measured_widths(tmp_path):
    """Right triangle of Davis et al. (1991): knee and ankle markers straight beside their centres."""
    known, radius_m = walk(), 0.006
    points = pelvis_markers()
    widths = {"Leg": 0.11, "Foot": 0.07}
    for side, aside in outwards(1.0).items():
        for upper, joint, lateral, wand in (("UpLeg", "Leg", "KNE", "THI"), ("Leg", "Foot", "ANK", "TIB")):
            along = known[side + upper] - known[side + joint]
            # The axes of this walk's knees are level and at right angles to both segments.
            np.testing.assert_allclose((along * aside).sum(axis=-1), 0.0, atol=1e-9)
            points[side[0] + lateral] = known[side + joint] + (widths[joint] / 2.0 + radius_m) * aside
            points[side[0] + wand] = known[side + joint] + 0.5 * along + 0.1 * aside
    sizes = {f"{s}{n}Width": 1000.0 * w for s in "LR" for n, w in (("Knee", 0.11), ("Ankle", 0.07))}
    with_wands = C3d(points, sizes=sizes | {"MarkerDiameter": 2000.0 * radius_m})
    without = replace(with_wands, points={name: p for name, p in points.items() if name[1:] not in ("THI", "TIB")})
    for file in (with_wands, without):
        joints = read_c3d(save(tmp_path, file)).joints_m.astype(np.float64)
        lift = np.median(joints[:, 1, 1] - known["LeftUpLeg"][:, 1])
        for joint, name in (("left_knee", "LeftLeg"), ("right_knee", "RightLeg"), ("left_ankle", "LeftFoot")):
            np.testing.assert_allclose(joints[:, J[joint]] - [0.0, lift, 0.0], known[name], atol=2e-3, err_msg=joint)
    guessed = read_c3d(save(tmp_path, replace(with_wands, sizes={})))
    assert "widths estimated from body height" in said(guessed)
    off = np.linalg.norm(guessed.joints_m[:, J["left_knee"]] - joints[:, J["left_knee"]], axis=-1)
    assert off.max() < 0.02


def test_the_foot_turns_with_heel_toe_and_ankle_markers(tmp_path):
    """A foot that rolls up by 40 degrees about the ankle: the joints follow, whatever the shank does."""
    known, points = walk(), skin_markers()
    pitch = 40.0 * np.sin(np.linspace(0.0, np.pi, FRAMES)) ** 2
    heading = walk_angles(FRAMES)[1]["Hips"]
    roll = heading * Rotation.from_euler("x", -pitch[:, None], degrees=True) * heading.inv()
    for side in ("Left", "Right"):
        for label in ("TOE", "HEE", "ANK", "MED"):
            points[side[0] + label] = known[f"{side}Foot"] + roll.apply(
                heading.apply(
                    {
                        "TOE": [0.0, -0.02, 0.12],
                        "HEE": [0.0, -0.03, -0.06],
                        "ANK": [0.03, 0.0, 0.0],
                        "MED": [-0.03, 0, 0],
                    }[label]
                )
            )
    joints = read_c3d(save(tmp_path, C3d(points))).joints_m.astype(np.float64)
    foot = joints[:, J["left_foot"]] - joints[:, J["left_ankle"]]
    found = np.degrees(np.arctan2(foot[:, 1], np.hypot(foot[:, 0], foot[:, 2])))
    np.testing.assert_allclose(found - found[0], pitch, atol=1.0)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("LASI", ("left", "asis")),
        ("Anna:RKNE", ("right", "knee")),
        ("R.Knee.Medial", ("right", "knee_medial")),
        ("V.Sacral", ("", "sacrum")),
        ("V_R.Hip_JC", ("right", "hip_centre")),
        ("RLE", ("right", "knee")),
        ("LMM", ("left", "ankle_medial")),
        ("L_IAS", ("left", "asis")),
        ("R_FLE", ("right", "knee")),
        ("LCA", ("left", "heel")),
        ("ASIS_R", ("right", "asis")),
        ("LeftHeel", ("left", "heel")),
        ("LTIO", ("left", "ankle_centre")),
        ("RSHO", ("right", "shoulder")),
    ],
)
def test_labels_of_many_sets(label, key):
    assert find_markers(["*3", label]) == {key: 1}


def test_labels_that_mean_nothing_and_labels_told_by_their_description():
    assert find_markers(["CentreOfMass", "LKneeAngles", "C7", "LTHIX", "", "*12", "LEFT"]) == {}
    found = find_markers(["RKNE", "RKNE", "M003"], ["R.Knee", "R.Knee.Medial", "L.ASIS"])
    assert found == {("right", "knee"): 0, ("right", "knee_medial"): 1, ("left", "asis"): 2}
    # Both sides from the same model, where both models are there.
    found = find_markers(["LFEP", "LHJC", "RHJC"])
    assert found == {("left", "hip_centre"): 1, ("right", "hip_centre"): 2}
    assert split_prefix("Lab:Anna:LASI") == ("Lab:Anna", "LASI")


# --- Labels, people, units, axes, number formats ----------------------------------------------------------------------


def test_labels_past_255(tmp_path):
    points = {f"*{number}": np.full((FRAMES, 3), 0.1) for number in range(300)} | model_outputs()
    assert_is_the_walk(read_c3d(save(tmp_path, C3d(points))), Recording(frames=FRAMES))


def test_the_best_tracked_of_two_people(tmp_path):
    anna = {f"Anna:{label}": values for label, values in model_outputs().items()}
    ben = {f"Ben:{label}": values + np.array([2.0, 0.0, 0.0]) for label, values in model_outputs().items()}
    for label in ben:
        ben = holed(ben, label, 0, 50)
    events = [("Left", "Foot Strike", "Ben", 0.5), ("Left", "Foot Off", "Anna", 0.7)]
    clip = read_c3d(save(tmp_path, C3d(ben | anna, events=events)))
    assert "holds 2 people; Anna was read" in said(clip)
    assert [event.kind for event in clip.lab_events] == ["foot_off"]
    assert_is_the_walk(clip, Recording(frames=FRAMES))


@pytest.mark.parametrize(
    ("unit", "per_metre", "warning"),
    [
        ("mm", 1000.0, ""),
        ("m", 1.0, ""),
        ("cm", 100.0, ""),
        ("in", 1.0 / 0.0254, ""),
        ("m", 1000.0, "says its unit is m,"),
        ("mm", 1.0, "read as m."),
        (None, 1000.0, "without naming its unit"),
        ("furlong", 100.0, "no known unit"),
    ],
)
@pytest.mark.parametrize("make", [model_outputs, skin_markers])
def test_units_by_the_file_unless_the_body_contradicts(tmp_path, make, unit, per_metre, warning):
    clip = read_c3d(save(tmp_path, C3d(make(), unit=unit, per_metre=per_metre)))
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=1e-3)
    assert (warning in said(clip)) if warning else "unit" not in said(clip)


@pytest.mark.parametrize(
    ("axes", "screen", "warning"),
    [
        ("Z", ("+X", "+Z"), ""),
        ("Z", ("+Y", "+Z"), ""),
        ("Y", ("-Z", "+Y"), ""),
        ("X", ("+Y", "+X"), ""),
        ("-Y", ("+X", "-Y"), ""),
        ("X", None, "X up"),
        ("Z", ("+X", "+X"), ""),
        ("Y", ("+X", "+Z"), "the body stands along Y"),
    ],
)
def test_axes_by_the_screen_unless_the_body_contradicts(tmp_path, axes, screen, warning):
    clip = read_c3d(save(tmp_path, C3d(model_outputs(), axes=axes, screen=screen)))
    known = walk()
    assert (warning in said(clip)) if warning else " up" not in said(clip)
    for start, end in ((0, 89), (10, 40)):
        way = clip.joints_m[end, J["left_knee"]] - clip.joints_m[start, J["right_wrist"]]
        truth = known["LeftLeg"][end] - known["RightHand"][start]
        np.testing.assert_allclose(np.linalg.norm(way), np.linalg.norm(truth), atol=2e-3)
        np.testing.assert_allclose(way[1], truth[1], atol=2e-3)


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("processor", [84, 85])
def test_number_formats(tmp_path, processor, integers):
    clip = read_c3d(save(tmp_path, C3d(model_outputs(), processor=processor, integers=integers)))
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=2e-3)


def test_mips_files_are_refused_by_ezc3d_in_one_line(tmp_path):
    assert "MIPS" in refused(tmp_path, Writer(C3d(model_outputs(), processor=86)).bytes())


def test_a_given_rate_wins(tmp_path):
    path = save(tmp_path, C3d(model_outputs(), events=[("Left", "Foot Strike", "", 0.5)]))
    clip = read_c3d(path, frame_rate_hz=120.0)
    assert clip.frame_rate_hz == 120.0
    assert np.isclose(clip.lab_events[0].time_s, 0.25)


# --- Events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_frame", [1, 121, 3601, 70001])
def test_events_count_from_frame_1_of_the_trial(tmp_path, first_frame):
    start_s = (first_frame - 1) / RATE_HZ
    times = [start_s + 0.6, start_s + 0.3, start_s + 1.2, start_s + 0.4]
    events = [(*event, "", time) for event, time in zip(EVENTS, times, strict=True)]
    clip = read_c3d(save(tmp_path, C3d(model_outputs(), first_frame=first_frame, events=events)))
    expected = [("foot_off", "right", 0.3), ("foot_strike", "left", 0.6), ("foot_strike", "right", 1.2)]
    assert [(event.kind, event.side) for event in clip.lab_events] == [event[:2] for event in expected]
    np.testing.assert_allclose([event.time_s for event in clip.lab_events], [e[2] for e in expected], atol=2e-4)


def test_events_outside_of_the_clip_are_counted(tmp_path):
    points = model_outputs()
    for label in ("LFEO", "RTIO"):
        points = holed(points, label, 0, 30)
    events = [("Left", name, "", time) for name, time in (("Foot Strike", 0.1), ("Foot Off", 0.7), ("Foot Off", 9.0))]
    clip = read_c3d(save(tmp_path, C3d(points, events=events)))
    assert clip.num_frames == 60
    assert clip.lab_events == (GaitEvent("foot_off", "left", pytest.approx(0.2, abs=1e-4)),)
    assert "left out (2)" in said(clip)


@pytest.mark.parametrize(
    ("context", "label", "event"),
    [
        ("Left", "Heel Strike", ("foot_strike", "left")),
        ("Right", "Toe-Off", ("foot_off", "right")),
        ("General", "LHS", ("foot_strike", "left")),
        ("", "Right Foot Off", ("foot_off", "right")),
        ("Left", "Cough", None),
        ("General", "Foot Off", None),
    ],
)
def test_names_of_events(tmp_path, context, label, event):
    clip = read_c3d(save(tmp_path, C3d(model_outputs(), events=[(context, label, "", 0.5)])))
    assert [(e.kind, e.side) for e in clip.lab_events] == ([event] if event else [])


# --- Gaps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost_zero", [False, True])
def test_short_gaps_are_filled_and_told(tmp_path, lost_zero):
    points = holed(holed(model_outputs(), "LFEO", 40, 50), "RTIO", 20, 23)
    clip = read_c3d(save(tmp_path, C3d(points, lost_zero=lost_zero)))
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=5e-3)
    assert "Gaps in LFEO, RTIO were filled" in said(clip)
    assert "0.17 s" in said(clip)


def test_a_long_gap_cuts_the_clip(tmp_path):
    path = save(tmp_path, C3d(holed(model_outputs(), "LFEO", 20, 35)))
    clip = read_c3d(path)
    assert clip.num_frames == FRAMES - 35
    assert "Kept 0.92 s of 1.50 s, from 0.58 s on: in the rest left_knee, left_toe_base were not tracked" in said(clip)
    assert read_c3d(path, max_gap_s=0.25).num_frames == FRAMES
    with pytest.raises(MotionFormatError, match="max_gap_s"):
        read_c3d(path, max_gap_s=float("nan"))


def test_a_lost_head_and_a_lost_wrist_do_not_cost_the_walk(tmp_path):
    points = holed(model_outputs(), "LRAO", 10, 80)
    for label in ("LFHD", "RFHD", "LBHD", "RBHD"):
        points = holed(points, label, 0, 60)
    clip = read_c3d(save(tmp_path, C3d(points)))
    assert clip.num_frames == FRAMES
    assert clip.joints_filled == ("head", "left_wrist")
    assert "left out: left_wrist, head_top" in said(clip)


def test_a_head_marker_is_rebuilt_from_the_others(tmp_path):
    points = model_outputs()
    ahead = walk_angles(FRAMES)[1]["Hips"].apply([0.0, 0.0, 0.1])
    points |= {label: points[label] + sign * ahead for label, sign in (("LFHD", 1), ("RFHD", 1), ("LBHD", -1))}
    clip = read_c3d(save(tmp_path, C3d(holed(points, "RBHD", 0, 60) | {"LFHD": points["LFHD"]})))
    assert (clip.num_frames, clip.joints_filled) == (FRAMES, ())
    assert "RBHD" in said(clip)


def test_nothing_usable_left(tmp_path):
    points = model_outputs()
    for start in range(0, FRAMES, 30):
        points = holed(points, "LFEO", start, start + 20)
    with pytest.raises(MotionFormatError, match=r"at least 0\.5 s .* found 0\.17 s: fill the gaps"):
        read_c3d(save(tmp_path, C3d(points)))
    with pytest.raises(MotionFormatError, match="tracked"):
        read_c3d(save(tmp_path, C3d(holed(points, "LFEO", 0, FRAMES))))


# --- Bad files --------------------------------------------------------------------------------------------------------


def altered(raw: bytes, place: int, *values: int) -> bytes:
    return raw[:place] + bytes(values) + raw[place + len(values) :]


def refused(tmp_path: Path, raw: bytes) -> str:
    path = tmp_path / "bad.c3d"
    path.write_bytes(raw)
    with pytest.raises(MotionFormatError) as caught:
        read_c3d(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ") and "\n" not in message
    return message


@pytest.fixture(scope="module")
def good() -> bytes:
    return Writer(C3d(model_outputs())).bytes()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"", "found an empty file"),
        (lambda raw: b"HIERARCHY\nROOT Hips\n" * 50, "found a file that starts with b'HIERARCHY"),
        (lambda raw: raw[:300], "a 512-byte header"),
        (lambda raw: raw[:512], "truncated"),
        (lambda raw: raw[:700], "truncated"),
        (lambda raw: raw[: len(raw) // 2], "expected 90 frames of"),
        (lambda raw: raw[:-600], "truncated or damaged"),
        (lambda raw: altered(raw, 0, 200), "truncated"),
        (lambda raw: altered(raw, 2, 255, 255), "same number of points"),
        (lambda raw: altered(raw, 2, 0, 0), "recorded points"),
        (lambda raw: altered(raw, 4, 255, 255), "truncated or damaged"),
        (lambda raw: altered(raw, 16, 255, 255), "data behind the parameters"),
        (lambda raw: altered(raw, 515, 99), "Intel, DEC or MIPS"),
        (lambda raw: raw.replace(b"FRAMES", b"FRAMEZ"), "POINT:FRAMES"),
        (lambda raw: altered(raw, raw.index(b"LABELS") + 10, 255, 255), "fit into their section"),
        (lambda raw: altered(raw, raw.index(b"LABELS") + 9, 7, *[255] * 7), "fit into their section"),
        (lambda raw: altered(raw, raw.index(b"FRAMES") + 11, 255, 127), "expected 32767 frames"),
        (lambda raw: altered(raw, raw.index(b"RATE") + 9, 0, 0, 0, 0), "frame rate between 1 and 2000 Hz"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, good, damage, message):
    raw = damage(good)
    if b"frame rate" in message.encode():
        raw = altered(raw, 20, 0, 0, 0, 0)
    assert message in refused(tmp_path, raw)


def test_absurd_counts_that_agree_with_each_other_are_refused(tmp_path, good):
    analogs = altered(good, 4, 0, 64)
    assert "expected 90 frames of" in refused(tmp_path, analogs)
    place = analogs.index(b"\x04\x02USED") + 11
    assert analogs[place : place + 2] == b"\0\0"
    assert "ANALOG:SCALE" in refused(tmp_path, altered(analogs, place, 0, 64))


def test_a_file_with_nobody_in_it(tmp_path):
    boxes = {label: np.full((FRAMES, 3), 0.3) for label in ("box1", "box2", "*3")}
    assert "found 2 labels (box1, box2)" in refused(tmp_path, Writer(C3d(boxes)).bytes())
    still = {label: np.zeros((FRAMES, 3)) for label in model_outputs()}
    assert "tracked" in refused(tmp_path, Writer(C3d(still)).bytes())
    heap = {label: np.full((FRAMES, 3), 0.5) for label in model_outputs()}
    assert "all its joints in one place" in refused(tmp_path, Writer(C3d(heap)).bytes())


def test_damaged_headers_never_do_worse_than_an_error(tmp_path, good):
    random = np.random.default_rng(4)
    path = tmp_path / "fuzzed.c3d"
    for _ in range(60):
        raw = bytearray(good)
        for place in random.integers(0, 24, 2):
            raw[place] = random.integers(256)
        path.write_bytes(bytes(raw[: random.integers(1, len(raw))] if random.random() < 0.3 else raw))
        try:
            assert read_c3d(path).num_frames <= FRAMES
        except MotionFormatError as error:
            assert str(error).startswith(str(path))


def test_sniffing(good):
    assert looks_like_c3d(good[:4096])
    assert looks_like_c3d(good[:512])
    assert not looks_like_c3d(good[:64])
    assert not looks_like_c3d(b"XPath is text, and long enough. " * 100)
    assert not looks_like_c3d(b"HIERARCHY" * 100)


def test_without_the_optional_package(tmp_path, good, monkeypatch):
    def missing(module: str, extra: str):
        raise MissingDependencyError(f"pip install 'agir-hf[{extra}]'")

    monkeypatch.setattr(c3d_module, "require", missing)
    path = tmp_path / "walk.c3d"
    path.write_bytes(good)
    with pytest.raises(MissingDependencyError, match=r"agir-hf\[c3d\]"):
        read_c3d(path)


# --- Recordings -------------------------------------------------------------------------------------------------------


def test_laboratory_recordings(shared_data):
    paths = sorted((shared_data / "lab_walk_c3d").glob("*.c3d"))
    if len(paths) != 10:
        pytest.skip("no laboratory recordings")
    errors, extra, annotated = [], 0, 0
    for path in paths:
        clip = read_c3d(path)
        got = measure_gait(clip)
        assert got.quality.walking, (path.name, got.quality.not_walking_reason)
        assert clip.joints_filled == ()
        assert 0.7 < got.values["walking_speed_mps"] < 1.7, path.name
        assert_human(clip)
        for kind, side in {(event.kind, event.side) for event in clip.lab_events}:
            lab = [e.time_s for e in clip.lab_events if (e.kind, e.side) == (kind, side)]
            found = np.array([e.time_s for e in got.events if (e.kind, e.side) == (kind, side)])
            found = found[(found > lab[0] - 0.051) & (found < lab[-1] + 0.051)]
            near = [float(np.abs(found - time).min(initial=9.0)) for time in lab]
            errors += [error for error in near if error <= 0.05]
            annotated += len(lab)
            extra += len(found) - sum(error <= 0.05 for error in near)
    assert annotated == 79
    assert len(errors) >= 75
    assert extra <= 3
    assert np.median(errors) < 0.015


def test_helen_hayes_recording(shared_data):
    path = shared_data / "bmc_walk" / "Gait.c3d"
    if not path.is_file():
        pytest.skip("no such recording")
    clip = read_c3d(path)
    assert (clip.num_frames, clip.joints_filled) == (194, ("head",))
    got = measure_gait(clip)
    assert got.quality.walking
    assert 1.3 < got.values["walking_speed_mps"] < 1.6
    assert_human(clip)


def assert_human(clip) -> None:
    """Steady bones, knees that bend only forwards, feet on the floor."""
    joints = clip.joints_m.astype(np.float64)
    lengths = np.linalg.norm(joints - joints[:, list(PARENTS)], axis=-1)
    limbs = [J[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle", "elbow", "wrist")]
    # Markers move on the skin by about a centimetre.
    assert (lengths[:, limbs].std(axis=0) < 0.015).all()
    assert (lengths[:, [J["left_foot"], J["right_foot"]]].std(axis=0) < 1e-4).all()
    across = joints[:, J["left_hip"]] - joints[:, J["right_hip"]]
    ahead = np.stack([-across[:, 2], 0.0 * across[:, 0], across[:, 0]], axis=-1)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    for side in ("left", "right"):
        hip, knee, ankle = (joints[:, J[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
        thigh, shank = (
            np.degrees(np.arctan2((bone * ahead).sum(axis=-1), -bone[:, 1])) for bone in (knee - hip, ankle - knee)
        )
        flexion = thigh - shank
        assert flexion.min() > -12.0
        assert 45.0 < flexion.max() < 80.0
    assert -0.02 < joints[..., 1].min() < 0.03
