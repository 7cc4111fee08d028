from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import BODY, Recording, walk_angles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from test_bvh import assert_is_the_walk

from agir_hf.errors import MotionFormatError
from agir_hf.gait import measure_gait
from agir_hf.motion import read_motion
from agir_hf.motion.asf_amc import looks_like_asf_amc, parse_amc, parse_asf, read_asf_amc
from agir_hf.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS

FRAMES = 60
PER_INCH = 1.0 / 0.0254
# bone: (parent bone, joint it starts at, joint it ends at or its vector in metres); the rotation of its start moves it.
BONES: dict[str, tuple[str, str, str | tuple[float, float, float]]] = {
    "lowerback": ("root", "Hips", "Spine"),
    "upperback": ("lowerback", "Spine", "Spine1"),
    "thorax": ("upperback", "Spine1", "Neck"),
    "lowerneck": ("thorax", "Neck", "Head"),
    "head": ("lowerneck", "Head", (0.0, 0.18, 0.0)),
    **{
        f"{side[0].lower()}{bone}": (
            parent if parent in ("root", "upperback") else f"{side[0].lower()}{parent}",
            start.format(side),
            end.format(side) if isinstance(end, str) else (end[0] * (1.0 if side == "Left" else -1.0), end[1], end[2]),
        )
        for side in ("Left", "Right")
        for bone, (parent, start, end) in {
            "hipjoint": ("root", "Hips", "{}UpLeg"),
            "femur": ("hipjoint", "{}UpLeg", "{}Leg"),
            "tibia": ("femur", "{}Leg", "{}Foot"),
            "foot": ("tibia", "{}Foot", "{}ToeBase"),
            "toes": ("foot", "{}ToeBase", (0.0, 0.0, 0.07)),
            "clavicle": ("upperback", "Spine1", "{}Shoulder"),
            "scapula": ("clavicle", "{}Shoulder", "{}Arm"),
            "humerus": ("scapula", "{}Arm", "{}ForeArm"),
            "radius": ("humerus", "{}ForeArm", "{}Hand"),
            "wrist": ("radius", "{}Hand", (0.08, 0.0, 0.0)),
        }.items()
    },
}


@dataclass(frozen=True)
class Acclaim:
    """How to write the walk of ``bvh_writer``."""

    per_metre: float = PER_INCH
    length: float = 0.45
    skeleton_angle: str = "deg"
    motion_angle: str = ":DEGREES"
    axis_order: str = "XYZ"
    dof_order: str = "xyz"
    root_order: str = "TX TY TZ RX RY RZ"
    orientation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    head: str = ""
    frames: int = FRAMES

    def text(self) -> tuple[str, str]:
        """(ASF, AMC) text."""
        path, turns = walk_angles(self.frames)
        scale = self.per_metre * self.length
        in_skeleton = 1.0 if self.skeleton_angle == "deg" else np.pi / 180.0
        in_motion = 1.0 if self.motion_angle == ":DEGREES" else np.pi / 180.0
        asf = [
            "# made by hand", ":version 1.10", ":name WALKER", ":units", "  mass 1.0", f"  length {self.length}",
            f"  angle {self.skeleton_angle}", ":documentation", "   begin nowhere", ":root",
            f"   order {self.root_order}", "   axis XYZ", f"   position {_text(np.array(self.position) * scale)}",
            f"   orientation {_text(np.array(self.orientation) * in_skeleton)}", ":bonedata",
        ]  # fmt: skip
        columns: dict[str, np.ndarray] = {}
        preset = Rotation.from_euler("xyz", self.orientation, degrees=True)
        rotations = [word[1].lower() for word in self.root_order.split() if word.upper().startswith("R")]
        recorded = dict(
            zip(
                [f"R{axis.upper()}" for axis in rotations],
                turns["Hips"].as_euler("".join(rotations), degrees=True).T * in_motion,
                strict=True,
            )
        )
        moved = dict(zip(("TX", "TY", "TZ"), ((path - self.position) * scale).T, strict=True))
        columns["root"] = np.stack([(recorded | moved)[word] for word in self.root_order.split()], axis=-1)
        for number, (bone, (_, start, end)) in enumerate(BONES.items()):
            vector = np.array(BODY[end][1] if isinstance(end, str) else end)
            # Any axes will do for a bone; their order matters with three angles.
            angles = np.array([20.0 * np.sin(number), 35.0 * np.cos(number), 15.0 * number])
            if bone.endswith("tibia"):
                angles = np.zeros(3)
            by_letter = [angles["xyz".index(letter)] for letter in self.axis_order.lower()]
            own = Rotation.from_euler(self.axis_order.lower(), by_letter, degrees=True)
            size = float(np.linalg.norm(vector))
            asf += [
                "  begin", f"     id {number + 1}", f"     name {bone}",
                f"     direction {_text(preset.inv().apply(vector) / size)}", f"     length {size * scale:.9g}",
                f"     axis {_text(angles * in_skeleton)}  {self.axis_order}",
            ]  # fmt: skip
            if start in turns and start != "Hips" and bone not in ("lowerback", "lhipjoint", "rhipjoint"):
                # Rotations are given in the axes of the skeleton as preset to the world.
                inner = own.inv() * preset.inv() * turns[start] * preset * own
                dof = "x" if bone.endswith("tibia") and self.orientation == (0.0, 0.0, 0.0) else self.dof_order
                asf += [f"    dof {' '.join('r' + axis for axis in dof)}", "    limits (-160.0 20.0)", "  (-inf inf)"]
                if dof == "x":
                    columns[bone] = inner.as_rotvec(degrees=True)[:, :1] * in_motion
                else:
                    columns[bone] = inner.as_euler(dof, degrees=True) * in_motion
            asf.append("  end")
        asf += [":hierarchy", "  begin"]
        for parent in ("root", *BONES):
            children = [bone for bone, (own_parent, _, _) in BONES.items() if own_parent == parent]
            asf += [f"    {parent} {' '.join(children)}"] if children else []
        asf.append("  end")
        amc = ["#!OML:ASF somewhere.asf", ":FULLY-SPECIFIED", self.motion_angle] + ([self.head] if self.head else [])
        for frame in range(self.frames):
            amc += [str(frame + 1), *(f"{bone} {_text(values[frame])}" for bone, values in columns.items())]
        return "\n".join(asf) + "\n", "\n".join(amc) + "\n"

    def save(self, folder: Path, asf: str = "07.asf", amc: str = "07_01.amc") -> Path:
        skeleton, motion = self.text()
        (folder / asf).write_text(skeleton, encoding="utf-8")
        (folder / amc).write_text(motion, encoding="utf-8")
        return folder / amc


def _text(values: np.ndarray) -> str:
    return " ".join(f"{value:.9g}" for value in values)


@pytest.mark.parametrize(
    "recording",
    [
        Acclaim(),
        Acclaim(axis_order="ZYX"),
        Acclaim(axis_order="YXZ", dof_order="zxy"),
        Acclaim(dof_order="zyx"),
        Acclaim(skeleton_angle="rad"),
        Acclaim(motion_angle=":RADIANS"),
        Acclaim(root_order="RZ RY RX TZ TX TY"),
        Acclaim(per_metre=100.0, length=1.0),
        Acclaim(per_metre=100.0, length=2.54),
        Acclaim(position=(0.3, 0.1, -0.2)),
        Acclaim(orientation=(10.0, -20.0, 5.0)),
    ],
    ids=str,
)
def test_joints_are_where_the_known_walk_has_them(tmp_path, recording):
    clip = read_asf_amc(recording.save(tmp_path))
    assert_is_the_walk(clip, Recording(frames=FRAMES))
    assert clip.source == str(tmp_path / "07_01.amc")
    assert clip.joints_filled == ()


def test_bones_keep_their_lengths_and_vectors(tmp_path):
    Acclaim().save(tmp_path)
    body = parse_asf(tmp_path / "07.asf")
    assert body.names[0] == "root" and set(BONES) < set(body.names)
    femur = body.names.index("lfemur")
    np.testing.assert_allclose(body.vectors[femur], [0.0, -0.42 * PER_INCH, 0.0], atol=1e-5)
    assert body.names[body.parents[femur]] == "lhipjoint"
    assert body.channels[body.names.index("ltibia")] == ("rx",)
    motion = parse_amc(tmp_path / "07_01.amc")
    assert (motion.in_degrees, motion.frame_rate_hz, motion.warnings) == (True, None, ())
    assert motion.values["ltibia"].shape == (FRAMES, 1)


def test_rate_given_else_in_the_file_else_120_with_a_warning(tmp_path):
    path = Acclaim().save(tmp_path)
    clip = read_asf_amc(path)
    assert clip.frame_rate_hz == 120.0
    assert "120 Hz was taken" in clip.warnings[0]
    clip = read_asf_amc(path, frame_rate_hz=60.0)
    assert clip.frame_rate_hz == 60.0
    assert not any("Hz" in warning for warning in clip.warnings)
    clip = read_asf_amc(Acclaim(head=":SAMPLES-PER-SECOND 60").save(tmp_path))
    assert clip.frame_rate_hz == 60.0
    assert not any("Hz" in warning for warning in clip.warnings)


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan"), 1e9])
def test_impossible_rates_are_refused(tmp_path, rate):
    with pytest.raises(MotionFormatError, match="frame rate between"):
        read_asf_amc(Acclaim().save(tmp_path), frame_rate_hz=rate)


def test_where_the_skeleton_is_looked_for(tmp_path):
    path = Acclaim().save(tmp_path, asf="person.asf", amc="07_01.amc")
    assert "taken from person.asf" in " ".join(read_asf_amc(path).warnings)
    (tmp_path / "08.asf").write_text("not this one", encoding="utf-8")
    with pytest.raises(MotionFormatError, match=r"07_01.asf or 07.asf, found 2 .asf files of other names.*skeleton="):
        read_asf_amc(path)
    assert read_asf_amc(path, skeleton=tmp_path / "person.asf").num_frames == FRAMES
    (tmp_path / "07.ASF").write_bytes((tmp_path / "person.asf").read_bytes())
    assert "taken from" not in " ".join(read_asf_amc(path).warnings)
    (tmp_path / "07_01.asf").write_text("junk", encoding="utf-8")
    with pytest.raises(MotionFormatError, match=r"07_01.asf: expected ASF text"):
        read_asf_amc(path)
    alone = tmp_path / "alone"
    alone.mkdir()
    path = Acclaim().save(alone)
    (alone / "07.asf").unlink()
    with pytest.raises(MotionFormatError, match=r"found no .asf file: put it there or pass skeleton="):
        read_asf_amc(path)
    with pytest.raises(MotionFormatError, match="no such file"):
        read_asf_amc(path, skeleton=alone / "07.asf")


def test_read_motion_takes_the_skeleton(tmp_path):
    path = Acclaim().save(tmp_path, asf="other.asf")
    (tmp_path / "second.asf").write_bytes(b"nothing")
    with pytest.raises(MotionFormatError, match="pass skeleton="):
        read_motion(path)
    clip = read_motion(path, skeleton=tmp_path / "other.asf")
    assert clip.format == "ASF/AMC (legs from lfemur, ltibia, lfoot)"


def test_a_skeleton_alone_is_no_movement(tmp_path):
    Acclaim().save(tmp_path)
    with pytest.raises(MotionFormatError, match=r"found a skeleton \(.asf\), which holds no movement: give the .amc"):
        read_asf_amc(tmp_path / "07.asf")


def test_content_tells_the_format(tmp_path):
    asf, amc = Acclaim().text()
    assert looks_like_asf_amc(asf.encode()[:4096])
    assert looks_like_asf_amc(amc.encode()[:4096])
    assert looks_like_asf_amc(b"\xef\xbb\xbf# note\r\n\r\n:FULLY-SPECIFIED\r\n")
    assert not looks_like_asf_amc(b"")
    assert not looks_like_asf_amc(b"HIERARCHY\nROOT Hips\n")
    assert not looks_like_asf_amc(b"# a list\n1,2,3\n")
    assert not looks_like_asf_amc(bytes(range(256)))


def test_windows_line_ends_comments_blank_lines_and_case(tmp_path):
    asf, amc = Acclaim().text()
    (tmp_path / "07.asf").write_bytes(asf.replace("lfemur", "LFemur", 1).replace("\n", "\r\n").encode())
    text = amc.replace("\n7\n", "\n\n# here\n7\n").replace("\n", "\r\n")
    (tmp_path / "07_01.amc").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert_is_the_walk(read_asf_amc(tmp_path / "07_01.amc"), Recording(frames=FRAMES))


def test_bones_without_values_rest_and_are_told(tmp_path):
    path = Acclaim().save(tmp_path)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("lhumerus")]
    path.write_text("\n".join(lines), encoding="utf-8")
    clip = read_asf_amc(path)
    assert any("no values for lhumerus" in warning for warning in clip.warnings)


def test_frame_numbers_that_jump_are_told(tmp_path):
    path = Acclaim().save(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("\n9\n", "\n99\n"), encoding="utf-8")
    assert any("frame numbers" in warning for warning in read_asf_amc(path).warnings)


def test_many_frames_are_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("agir_hf.motion.asf_amc_text._BLOCK_FRAMES", 7)
    assert_is_the_walk(read_asf_amc(Acclaim().save(tmp_path)), Recording(frames=FRAMES))


ASF, AMC = Acclaim().text()
HIERARCHY = ASF.index(":hierarchy")
BAD_MOTION = {
    "empty": ("", "empty file"),
    "other text": ("name,score\n1,2\n", "expected AMC keywords"),
    "only keywords": (":FULLY-SPECIFIED\n:DEGREES\n", "found none: truncated"),
    "one frame": (AMC[: AMC.index("\n2\n") + 1], "at least 2 frames, found 1"),
    "cut between bones": (AMC[: AMC.rindex("ltoes") if "ltoes" in AMC else AMC.rindex("lhumerus")], "truncated"),
    "cut in a line": (AMC[: AMC.rindex("lhumerus") + 20], "lhumerus with 3 finite numbers in frame 60"),
    "cut after a name": (AMC[: AMC.rindex("rradius") + 7], "expected rradius with 3 finite numbers in frame 60"),
    "value missing": (AMC.replace("\n30\nroot ", "\n30\nroot 1 2\nroot "), "in frame 30"),
    "NaN": (AMC.replace("\n30\nroot ", "\n30\nroot nan "), "expected root with 6 finite numbers in frame 30"),
    "overflow": (AMC.replace("\n30\nroot ", "\n30\nroot 1e999 "), "in frame 30"),
    "absurd number": (AMC.replace("\n30\nroot ", "\n30\nroot 1e200 "), "in frame 30"),
    "not a number": (AMC.replace("\n30\nroot ", "\n30\nroot 1.#IND "), "in frame 30"),
    "a bone renamed": (AMC.replace("\n30\nroot", "\n30\nrood"), "found 'rood"),
    "frame number lost": (AMC.replace("\n30\nroot", "\nroot"), "expected a frame number after"),
    "bone twice": (AMC.replace("\n1\nroot", "\n1\nroot 1 2 3 4 5 6\nroot"), "listed once"),
    "no bones": (":DEGREES\n1\n2\n3\n", "listed once"),
    "unknown bone": (AMC.replace("lfemur", "ltail"), "found 'ltail', which the skeleton lacks"),
    "other dof": (AMC.replace("\nltibia ", "\nltibia 1 "), "expected 1 values a frame for ltibia (rx), found 2"),
    "no root": (AMC.replace("\nroot", "\nupperback2"), "which the skeleton lacks"),
    "bad rate": (AMC.replace(":DEGREES", ":DEGREES\n:SAMPLES-PER-SECOND fast"), "expected :SAMPLES-PER-SECOND"),
    "absurd rate": (AMC.replace(":DEGREES", ":DEGREES\n:SAMPLES-PER-SECOND 1e9"), "frame rate between"),
    "binary": ("\0\1\2", "binary data"),
}
BAD_SKELETON = {
    "empty": ("", "empty file"),
    "other text": ("HIERARCHY\nROOT\n", "expected ASF text"),
    "no hierarchy": (ASF[:HIERARCHY], "found no :hierarchy: truncated"),
    "cut in a bone": (ASF[: ASF.rindex("direction")], "found no :hierarchy"),
    "cut in the hierarchy": (ASF[: ASF.rindex("    rclavicle")], "found 4 that do not"),
    "cycle": (ASF.replace("root lowerback lhipjoint", "lhead lhipjoint root lowerback"), "found"),
    "cycle off the root": (
        ASF.replace("    lowerback upperback", "    head upperback").replace("root lowerback", "root"),
        "cycle, or truncated",
    ),
    "cycle on the root": (
        ASF.replace("    lowerneck head", "    lowerneck head lowerback"),
        "found 'lowerback', in it",
    ),
    "two parents": (ASF.replace("    lowerneck head", "    lowerneck head ltibia"), "'ltibia', in it twice"),
    "unknown child": (ASF.replace("    lowerneck head", "    lowerneck head tail"), "found 'tail', which is none"),
    "same name": (ASF.replace("name rfemur", "name lfemur"), "found 'lfemur' as bone"),
    "no name": (ASF.replace("     name rfemur\n", ""), "found one without a name"),
    "bone in bone": (ASF.replace("  end\n  begin", "  begin", 1), "found 'begin' out of place"),
    "direction": (ASF.replace("direction", "direction up", 1), "3 finite numbers as direction of bone lowerback"),
    "no length": (ASF.replace("     length", "     longth", 1), "1 finite numbers as length of bone lowerback"),
    "infinite length": (ASF.replace("     length", "     length inf", 1), "as length of bone lowerback"),
    "dof": (ASF.replace("dof rx ry rz", "dof rx ry rw", 1), "expected dof or order among"),
    "dof twice": (ASF.replace("dof rx ry rz", "dof rx rx rz", 1), "expected dof or order among"),
    "axis order": (ASF.replace("  XYZ", "  XYY", 1), "order of axes such as XYZ"),
    "zero unit": (ASF.replace("length 0.45", "length 0", 1), "length unit above zero"),
    "angle unit": (ASF.replace("angle deg", "angle turns", 1), "angle deg or rad"),
    "no legs": (ASF.replace("femur", "xxxx").replace("tibia", "yyyy"), "which the skeleton lacks"),
    "binary": ("\0\1\2", "binary data"),
}


def _one_line_error(path: Path, about: Path) -> str:
    with pytest.raises(MotionFormatError) as caught:
        read_asf_amc(path)
    told = str(caught.value)
    assert "\n" not in told
    assert told.startswith(str(about))
    return told


@pytest.mark.parametrize("case", BAD_MOTION)
def test_malformed_motion_gets_one_clear_line(tmp_path, case):
    text, message = BAD_MOTION[case]
    path = Acclaim().save(tmp_path)
    path.write_text(text, encoding="utf-8")
    assert message in _one_line_error(path, path)


@pytest.mark.parametrize("case", BAD_SKELETON)
def test_malformed_skeletons_get_one_clear_line(tmp_path, case):
    text, message = BAD_SKELETON[case]
    path = Acclaim().save(tmp_path)
    skeleton = tmp_path / "07.asf"
    skeleton.write_text(text, encoding="utf-8")
    assert message in _one_line_error(path, path if "which the skeleton lacks" in message else skeleton)


def test_a_skeleton_without_legs_is_refused(tmp_path):
    asf, amc = (text.replace("femur", "xx").replace("tibia", "yy").replace("foot", "zz") for text in Acclaim().text())
    (tmp_path / "07.asf").write_text(asf, encoding="utf-8")
    (tmp_path / "07_01.amc").write_text(amc, encoding="utf-8")
    assert "two legs" in _one_line_error(tmp_path / "07_01.amc", tmp_path / "07_01.amc")


def test_absurdly_many_bones_are_refused(tmp_path):
    path = Acclaim().save(tmp_path)
    bones = "".join(f"begin\nname b{number}\ndirection 0 1 0\nlength 1\nend\n" for number in range(2500))
    (tmp_path / "07.asf").write_text(ASF.replace(":bonedata", f":bonedata\n{bones}"), encoding="utf-8")
    assert "at most 2000 bones" in _one_line_error(path, tmp_path / "07.asf")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_never_end_in_another_error(tmp_path, data):
    """Bytes cut out, doubled or overwritten: read, or refused with one line."""
    path = Acclaim(frames=4).save(tmp_path)
    target = data.draw(st.sampled_from([path, tmp_path / "07.asf"]))
    raw = target.read_bytes()
    begin = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(begin, min(begin + 200, len(raw))))
    target.write_bytes(raw[:begin] + data.draw(st.binary(max_size=12)) + raw[end:])
    try:
        clip = read_asf_amc(path)
    except MotionFormatError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(clip.joints_m).all()


@pytest.mark.parametrize(("name", "frames", "speed_mps"), [("02_01", 343, 1.18), ("02_02", 298, 1.64)])
def test_cmu_walks_look_human(shared_data, name, frames, speed_mps):
    clip = read_asf_amc(shared_data / "cmu_walk" / f"{name}.amc")
    joints = clip.joints_m.astype(np.float64)
    assert (clip.num_frames, clip.frame_rate_hz, clip.joints_filled) == (frames, 120.0, ())
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            lengths = np.linalg.norm(joints[:, joint] - joints[:, parent], axis=-1)
            assert lengths.std() < 0.005, JOINT_NAMES[joint]
    places = {joint: joints[:, index] for joint, index in JOINT_INDEX.items()}
    way = (places["pelvis"][-1] - places["pelvis"][0]) * [1.0, 0.0, 1.0]
    way /= np.linalg.norm(way)
    # Up is Y and the axes are right-handed: the left is at up x ahead.
    left = np.cross([0.0, 1.0, 0.0], way)
    for part in ("hip", "shoulder", "knee", "wrist"):
        assert ((places[f"left_{part}"] - places[f"right_{part}"]) @ left > 0.0).all(), part
    for side in ("left", "right"):
        hip, knee, ankle, toe = (places[f"{side}_{part}"] for part in ("hip", "knee", "ankle", "foot"))
        assert ((knee - (hip + ankle) / 2.0) @ way).max() > 0.03
        assert ((knee - (hip + ankle) / 2.0) @ way).mean() > 0.0
        assert ((toe - ankle) @ way).mean() > 0.05
        assert abs(np.quantile(toe[:, 1], 0.25) - 0.02) < 0.03
        assert 0.7 < np.median(np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)) < 0.95
    gait = measure_gait(clip)
    assert gait.quality.walking, gait.quality.not_walking_reason
    travelled = float(np.linalg.norm((joints[-1, 0] - joints[0, 0])[[0, 2]])) / clip.duration_s
    assert gait.values["walking_speed_mps"] == pytest.approx(speed_mps, abs=0.05)
    assert gait.values["walking_speed_mps"] == pytest.approx(travelled, rel=0.06)
