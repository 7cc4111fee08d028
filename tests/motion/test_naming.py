import pytest
from bvh_writer import BODY, Recording, positions, write

from agir_hf.errors import MotionFormatError
from agir_hf.motion import read_motion
from agir_hf.motion.naming import find_parts, split_name

MB = tuple(BODY)
LIMBS = {
    "Mixamo": {name: f"mixamorig:{name}" for name in MB},
    "Mixamo without colon": {name: f"mixamorig{name}" for name in MB},
    "Bandai Namco": {
        "Hips": "Hips", "Neck": "Neck", "Head": "Head", "Spine": "Spine", "Spine1": "Chest",
        **{
            f"{side}{old}": f"{new}_{side[0]}"
            for side in ("Left", "Right")
            for old, new in {
                "UpLeg": "UpperLeg", "Leg": "LowerLeg", "Foot": "Foot", "ToeBase": "Toes",
                "Shoulder": "Shoulder", "Arm": "UpperArm", "ForeArm": "LowerArm", "Hand": "Hand",
            }.items()
        },
    },
    "Xsens and Vicon": {
        f"{side}{old}": f"{side}{new}"
        for side in ("Left", "Right")
        for old, new in {
            "UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Toe",
            "Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist",
        }.items()
    },
    "SMPL": {
        f"{side}{old}": f"{side[0]}_{new}"
        for side in ("Left", "Right")
        for old, new in {
            "UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Foot",
            "Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist",
        }.items()
    },
    "Rokoko": {
        f"{side}{old}": f"{side}{new}"
        for side in ("Left", "Right")
        for old, new in {"UpLeg": "Thigh", "Leg": "Shin", "ToeBase": "Toe"}.items()
    },
    "Blender": {
        f"{side}{old}": f"{new}.{side[0]}"
        for side in ("Left", "Right")
        for old, new in {
            "UpLeg": "thigh", "Leg": "shin", "Foot": "foot", "ToeBase": "toe",
            "Shoulder": "shoulder", "Arm": "upper_arm", "ForeArm": "forearm", "Hand": "hand",
        }.items()
    },
    "Biped": {
        f"{side}{old}": f"Bip01 {side[0]} {new}"
        for side in ("Left", "Right")
        for old, new in {
            "UpLeg": "Thigh", "Leg": "Calf", "Foot": "Foot", "ToeBase": "Toe0",
            "Shoulder": "Clavicle", "Arm": "UpperArm", "ForeArm": "Forearm", "Hand": "Hand",
        }.items()
    },
    "CMU bones": {
        f"{side}{old}": f"{side[0].lower()}{new}"
        for side in ("Left", "Right")
        for old, new in {
            "UpLeg": "femur", "Leg": "tibia", "Foot": "foot", "ToeBase": "toes",
            "Shoulder": "clavicle", "Arm": "humerus", "ForeArm": "radius", "Hand": "wrist",
        }.items()
    },
    "clinical": {
        "Head": "HEad", "LeftShoulder": "LeftShoulder1", "LeftToeBase": "LeftToes", "RightToeBase": "RightToes",
    },
}  # fmt: skip
EXPECTED = {
    f"{side}_{part}": f"{side.capitalize()}{name}"
    for side in ("left", "right")
    for part, name in {
        "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "toe_base": "ToeBase",
        "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
    }.items()
} | {"head": "Head", "neck": "Neck", "pelvis": "Hips"}  # fmt: skip


@pytest.mark.parametrize("exporter", LIMBS)
def test_common_exporters(exporter):
    names = [LIMBS[exporter].get(name, name) for name in MB]
    parents = [MB.index(BODY[name][0]) if BODY[name][0] else -1 for name in MB]
    parts = find_parts(names, parents)
    assert {part: MB[node] for part, node in parts.items() if part in EXPECTED} == EXPECTED


@pytest.mark.parametrize("exporter", LIMBS)
def test_names_do_not_change_the_clip(tmp_path, exporter):
    plain, named = tmp_path / "plain.bvh", tmp_path / "named.bvh"
    plain.write_text(write(Recording(frames=20)), encoding="utf-8")
    named.write_text(write(Recording(frames=20, names=LIMBS[exporter])), encoding="utf-8")
    one, two = read_motion(plain), read_motion(named)
    assert (one.joints_m == two.joints_m).all()
    assert two.joints_filled == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CC_Base_L_Thigh", ("left", "thigh", False)),
        ("J_Bip_R_UpperLeg", ("right", "upperleg", False)),
        ("Actor1_LeftUpLeg", ("left", "upleg", False)),
        ("RKNEE", ("right", "knee", False)),
        ("LHipJoint", ("left", "hipjoint", False)),
        ("DEF-thigh.L.001", ("left", "thigh", False)),
        ("LeftForeArmTwist", ("left", "forearmtwist", True)),
        ("HEad", (None, "head", False)),
        ("L5", (None, "l", False)),
    ],
)
def test_split_name(name, expected):
    assert split_name(name) == expected


def test_twist_bones_and_fingers_are_passed_over():
    names = ["Hips", "LeftUpLeg", "LeftLegTwist", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot"]
    parts = find_parts(names, [-1, 0, 1, 1, 3, 0, 5, 6])
    assert (parts["left_knee"], parts["right_ankle"]) == (3, 7)
    assert "left_toe_base" not in parts


def test_no_legs_names_what_was_found():
    with pytest.raises(MotionFormatError, match=r"no left_hip, .* among 2 joints \(Hips, Spine"):
        find_parts(["Hips", "Spine"], [-1, 0])


def test_the_writer_itself_has_human_proportions():
    known = positions(Recording())
    assert 0.7 < float(known["LeftUpLeg"][0, 1] - known["LeftFoot"][0, 1]) < 0.9
