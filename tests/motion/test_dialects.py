"""The known walk in the skeletons that programs export, hand-made: names, extra joints, channels, units and axes.

A skeleton is written as a tree of names. A name is followed by the joint of ``bvh_writer.BODY`` it is, where it is one;
others (twist and finger bones, further spine joints) move with their parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bvh_writer import BODY, ENDS, TO_AXES, Recording, positions, walk_angles
from scipy.spatial.transform import Rotation
from test_bvh import assert_is_the_walk

from agir_hf.clip import MotionClip
from agir_hf.motion import read_motion
from agir_hf.skeleton import JOINT_INDEX

FRAMES = 60
_ARM = ("Shoulder", "Arm", "ForeArm", "Hand")
_LEG = ("UpLeg", "Leg", "Foot", "ToeBase")


def _sided(pattern: str, side: str) -> str:
    """{S} Left, {s} left, {C} L, {c} l."""
    return pattern.format(S=side, s=side.lower(), C=side[0], c=side[0].lower())


def _chain(names: str, joints: tuple[str, ...], side: str, depth: int) -> list[tuple[int, str, str]]:
    """(depth, name, joint) of a limb. ``a+b`` puts b under a without being a joint; ``-`` leaves a joint out."""
    rows = []
    for name, joint in zip(names.split(), joints, strict=True):
        for place, part in enumerate(name.split("+")):
            if part != "-":
                rows.append((depth, _sided(part, side).replace("~", " "), side + joint if place == 0 else ""))
                depth += 1
    return rows


@dataclass(frozen=True)
class Dialect:
    """How a program writes the walk.

    Attributes:
        trunk: names from the root to the head, joined by blanks, each with ``=joint`` where it is one.
        arms_on: the name both arms hang on.
        arm, leg: names of the limb's joints (see ``_chain``).
        positions: position channels on every joint.
        rest_pose_first: whether frame 1 is the skeleton's rest pose.
    """

    trunk: str
    arms_on: str
    legs_on: str
    arm: str
    leg: str
    order: str = "ZXY"
    per_metre: float = 100.0
    axes: str = "Y"
    positions: bool = False
    rest_pose_first: bool = False
    ends: bool = True


DIALECTS = {
    "MotionBuilder": Dialect(
        "Reference Hips=Hips Spine=Spine Spine1=Spine1 Spine2 Neck=Neck Head=Head",
        "Spine2",
        "Hips",
        "{S}Shoulder {S}Arm {S}ForeArm+{S}ForeArmRoll {S}Hand+{S}HandIndex1+{S}HandIndex2",
        "{S}UpLeg+{S}UpLegRoll {S}Leg {S}Foot {S}ToeBase",
    ),
    "Vicon": Dialect(
        "Solving:Hips=Hips Solving:Spine=Spine Solving:Spine1=Spine1 Solving:Spine2 Solving:Spine3 Solving:Neck=Neck "
        "Solving:Neck1 Solving:Head=Head",
        "Solving:Spine3",
        "Solving:Hips",
        "Solving:{S}Shoulder Solving:{S}Arm Solving:{S}ForeArm Solving:{S}Hand",
        "Solving:{S}UpLeg Solving:{S}Leg Solving:{S}Foot Solving:{S}ToeBase",
        order="XYZ",
        per_metre=1000.0,
        axes="Z",
    ),
    "Vicon, named by joints": Dialect(
        "Root=Hips Chest=Spine Chest2=Spine1 Chest3 Neck=Neck Head=Head",
        "Chest3",
        "Root",
        "{S}Collar {S}Shoulder {S}Elbow {S}Wrist",
        "{S}Hip {S}Knee {S}Ankle {S}Toe",
    ),
    "CMU": Dialect(
        "Hips=Hips LowerBack Spine=Spine Spine1=Spine1 Neck Neck1=Neck Head=Head",
        "Spine1",
        "Hips",
        "{S}Shoulder {S}Arm {S}ForeArm {S}Hand+{S}FingerBase+{S}HandIndex1",
        "{C}HipJoint>{S}UpLeg {S}Leg {S}Foot {S}ToeBase",
        order="ZYX",
        per_metre=0.45 / 0.0254,
        rest_pose_first=True,
    ),
    "Mixamo": Dialect(
        "mixamorig:Hips=Hips mixamorig:Spine=Spine mixamorig:Spine1=Spine1 mixamorig:Spine2 mixamorig:Neck=Neck "
        "mixamorig:Head=Head mixamorig:HeadTop_End",
        "mixamorig:Spine2",
        "mixamorig:Hips",
        "mixamorig:{S}Shoulder mixamorig:{S}Arm mixamorig:{S}ForeArm "
        "mixamorig:{S}Hand+mixamorig:{S}HandThumb1+mixamorig:{S}HandThumb2",
        "mixamorig:{S}UpLeg mixamorig:{S}Leg mixamorig:{S}Foot mixamorig:{S}ToeBase+mixamorig:{S}Toe_End",
    ),
    "Xsens": Dialect(
        "Hips=Hips Chest=Spine Chest2 Chest3=Spine1 Chest4 Neck=Neck Head=Head",
        "Chest4",
        "Hips",
        "{S}Collar {S}Shoulder {S}Elbow {S}Wrist",
        "{S}Hip {S}Knee {S}Ankle {S}Toe",
        order="YXZ",
        positions=True,
    ),
    "Xsens segments": Dialect(
        "Pelvis=Hips L5=Spine L3 T12=Spine1 T8 Neck=Neck Head=Head",
        "T8",
        "Pelvis",
        "{S}Shoulder {S}UpperArm {S}ForeArm {S}Hand",
        "{S}UpperLeg {S}LowerLeg {S}Foot {S}Toe",
        order="YXZ",
        positions=True,
    ),
    "Bandai Namco": Dialect(
        "joint_Root Hips=Hips Spine=Spine Chest=Spine1 Neck=Neck Head=Head",
        "Chest",
        "Hips",
        "Shoulder_{C} UpperArm_{C} LowerArm_{C} Hand_{C}",
        "UpperLeg_{C} LowerLeg_{C} Foot_{C} Toes_{C}",
        positions=True,
    ),
    "Rokoko": Dialect(
        "Hips=Hips Spine1=Spine Spine2 Spine3=Spine1 Spine4 Neck=Neck Head=Head",
        "Spine4",
        "Hips",
        "{S}Shoulder {S}Arm {S}ForeArm {S}Hand+{S}Finger1Metacarpal+{S}Finger1Proximal",
        "{S}Thigh {S}Shin {S}Foot {S}Toe+{S}ToeTip",
        order="YXZ",
    ),
    "Blender": Dialect(
        "spine=Hips spine.001=Spine spine.002 spine.003=Spine1 spine.004=Neck spine.005 spine.006=Head",
        "spine.003",
        "spine",
        "shoulder.{C} upper_arm.{C} forearm.{C} hand.{C}+palm.01.{C}",
        "thigh.{C} shin.{C} foot.{C} toe.{C}",
        order="XYZ",
        per_metre=1.0,
    ),
    "Blender, deforming bones": Dialect(
        "DEF-spine=Hips DEF-spine.001=Spine DEF-spine.002 DEF-spine.003=Spine1 DEF-spine.004=Neck DEF-spine.006=Head",
        "DEF-spine.003",
        "DEF-spine",
        "DEF-shoulder.{C} DEF-upper_arm.{C}+DEF-upper_arm.{C}.001 DEF-forearm.{C}+DEF-forearm.{C}.001 DEF-hand.{C}",
        "DEF-thigh.{C}+DEF-thigh.{C}.001 DEF-shin.{C}+DEF-shin.{C}.001 DEF-foot.{C} DEF-toe.{C}",
        order="XYZ",
        per_metre=1.0,
        axes="Z",
        positions=True,
    ),
    "Unreal": Dialect(
        "root pelvis=Hips spine_01=Spine spine_02=Spine1 spine_03 neck_01=Neck head=Head",
        "spine_03",
        "pelvis",
        "clavicle_{c} upperarm_{c}+upperarm_twist_01_{c} lowerarm_{c}+lowerarm_twist_01_{c} hand_{c}+index_01_{c}",
        "thigh_{c}+thigh_twist_01_{c} calf_{c} foot_{c} ball_{c}",
        axes="Z",
    ),
    "Daz": Dialect(
        "hip=Hips pelvis abdomenLower=Spine abdomenUpper chestLower=Spine1 chestUpper neckLower=Neck neckUpper "
        "head=Head",
        "chestUpper",
        "pelvis",
        "{c}Collar {c}ShldrBend+{c}ShldrTwist {c}ForearmBend+{c}ForearmTwist {c}Hand",
        "{c}ThighBend+{c}ThighTwist {c}Shin {c}Foot+{c}Metatarsals {c}Toe",
        order="XZY",
    ),
    "3ds Max": Dialect(
        "Bip01=Hips Bip01~Spine=Spine Bip01~Spine1=Spine1 Bip01~Spine2 Bip01~Neck=Neck Bip01~Head=Head",
        "Bip01 Spine2",
        "Bip01",
        "Bip01~{C}~Clavicle Bip01~{C}~UpperArm Bip01~{C}~Forearm Bip01~{C}~Hand+Bip01~{C}~Finger0",
        "Bip01~{C}~Thigh Bip01~{C}~Calf Bip01~{C}~Foot Bip01~{C}~Toe0",
        axes="Z",
        per_metre=1.0 / 0.0254,
    ),
}


def _tree(dialect: Dialect) -> list[tuple[int, str, str]]:
    """(depth, name, joint or "") of every node, parents first, each branch whole."""
    trunk = []
    for depth, entry in enumerate(dialect.trunk.split()):
        name, _, joint = entry.partition("=")
        trunk.append((depth, name.replace("~", " "), joint))
    rows: list[tuple[int, str, str]] = []
    for place, (depth, name, joint) in enumerate(trunk):
        rows.append((depth, name, joint))
        for on, names, joints in ((dialect.legs_on, dialect.leg, _LEG), (dialect.arms_on, dialect.arm, _ARM)):
            if name == on:
                for side in ("Left", "Right"):
                    # ``a>b`` puts a over the first joint.
                    above, _, chain = names.rpartition(">") if ">" in names.split()[0] else ("", "", names)
                    if above:
                        rows.append((depth + 1, _sided(above, side), ""))
                    rows += _chain(chain, joints, side, depth + 1 + bool(above))
        assert place == 0 or trunk[place - 1][0] == depth - 1
    return rows


def _world_turns() -> dict[str, Rotation]:
    _, angles = walk_angles(FRAMES)
    still = Rotation.from_quat(np.tile([0.0, 0.0, 0.0, 1.0], (FRAMES, 1)))
    turns: dict[str, Rotation] = {}
    for name, (parent, _) in BODY.items():
        own = angles.get(name, still)
        turns[name] = own if parent is None else turns[parent] * own
    return turns


def dialect_text(dialect: Dialect) -> str:
    """The walk as BVH. Where a missing joint would have turned, position channels carry what an offset cannot."""
    known, turns = positions(Recording(frames=FRAMES)), _world_turns()
    still = Rotation.from_quat(np.tile([0.0, 0.0, 0.0, 1.0], (FRAMES, 1)))
    matrix = dialect.per_metre * TO_AXES[dialect.axes]
    rows = _tree(dialect)
    lines, columns = ["HIERARCHY"], []
    place: list[np.ndarray] = []
    turn: list[Rotation] = []
    names: list[str] = []

    def numbers(values: np.ndarray) -> str:
        return " ".join(f"{value:.7f}" for value in values)

    for index, (depth, name, joint) in enumerate(rows):
        del place[depth:], turn[depth:], names[depth:]
        above = (place[-1], turn[-1]) if depth else (np.zeros((FRAMES, 3)), still)
        here = known[joint] if joint else above[0]
        turned = turns[joint] if joint else above[1]
        local = above[1].inv().apply(here - above[0]) @ matrix.T
        moves = depth == 0 or dialect.positions or float(np.ptp(local, axis=0).max()) > 1e-6 * dialect.per_metre
        offset = local[0] if depth else np.zeros(3)
        tab = "\t" * depth
        lines += [f"{tab}{'JOINT' if depth else 'ROOT'} {name}", f"{tab}{{", f"{tab}\tOFFSET {numbers(offset)}"]
        channels = ["Xposition", "Yposition", "Zposition"] * moves + [f"{axis}rotation" for axis in dialect.order]
        lines.append(f"{tab}\tCHANNELS {len(channels)} {' '.join(channels)}")
        if moves:
            columns.append(local)
        own = TO_AXES[dialect.axes] @ (above[1].inv() * turned).as_matrix() @ TO_AXES[dialect.axes].T
        columns.append(Rotation.from_matrix(own).as_euler(dialect.order, degrees=True))
        place.append(here)
        turn.append(turned)
        names.append(joint)
        following = rows[index + 1][0] if index + 1 < len(rows) else 0
        if following <= depth:
            end = ENDS.get(next((n for n in reversed(names) if n), ""), (0.0, 0.02, 0.0))
            if dialect.ends:
                site = numbers(matrix @ np.array(end))
                lines += [f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {site}", f"{tab}\t}}"]
            lines += ["\t" * level + "}" for level in range(depth, following - 1, -1)]
    table = np.concatenate(columns, axis=1)
    if dialect.rest_pose_first:
        table = np.concatenate([np.zeros((1, table.shape[1])), table])
    lines += ["MOTION", f"Frames: {len(table)}", "Frame Time: 0.0166667", *(numbers(row) for row in table)]
    return "\n".join(lines) + "\n"


def read(folder: Path, dialect: Dialect, name: str = "walk.bvh") -> MotionClip:
    path = folder / name
    path.write_text(dialect_text(dialect), encoding="utf-8")
    return read_motion(path)


@pytest.mark.parametrize("name", DIALECTS)
def test_the_walk_of_every_exporter_is_the_known_walk(tmp_path: Path, name: str) -> None:
    clip = read(tmp_path, DIALECTS[name])
    assert (clip.num_frames, clip.frame_rate_hz, clip.joints_filled) == (FRAMES, 60.0, ())
    assert not clip.path_recovered
    assert_is_the_walk(clip, Recording(frames=FRAMES), tolerance=2e-3)
    told = " ".join(clip.warnings)
    assert ("rest pose" in told) == DIALECTS[name].rest_pose_first
    assert clip.format.startswith("BVH (legs from ")
    # Feet and trunk come out alike, whatever joints there are to place them by.
    plain = read(tmp_path, DIALECTS["Bandai Namco"], "plain.bvh")
    for joint in ("left_ankle", "right_foot", "pelvis", "spine2", "neck", "left_collar", "head"):
        away = clip.joints_m[:, JOINT_INDEX[joint]] - plain.joints_m[:, JOINT_INDEX[joint]]
        away -= np.median(clip.joints_m[:, 1] - plain.joints_m[:, 1], axis=0)
        assert np.linalg.norm(away, axis=-1).max() < 0.03, joint


def changed(**changes: object) -> Dialect:
    base = DIALECTS["MotionBuilder"].__dict__ | {"trunk": DIALECTS["MotionBuilder"].trunk.replace("Reference ", "")}
    return Dialect(**(base | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "filled", "told"),
    [
        ({"arm": "- {S}Arm {S}ForeArm {S}Hand"}, {"left_collar", "right_collar"}, "no left_collar, right_collar"),
        ({"trunk": "Hips=Hips Neck=Neck Head=Head", "arms_on": "Neck"}, set(), "spine has 1 joint (Neck)"),
        ({"trunk": "Hips=Hips Spine=Spine Neck=Neck Head=Head", "arms_on": "Spine"}, set(), "has 1 joint (Spine)"),
        (
            {"trunk": "Hips=Hips Neck=Neck Head=Head", "arms_on": "Hips"},
            {"spine1", "spine2", "spine3"},
            "no spine1, spine2, spine3; interpolated",
        ),
        (
            {
                "trunk": "Hips=Hips Neck=Neck Head=Head",
                "arms_on": "Hips",
                "arm": "- {S}Arm {S}ForeArm {S}Hand",
            },
            {"spine1", "spine2", "spine3", "left_collar", "right_collar"},
            "interpolated from the joints beside",
        ),
        ({"leg": "{S}UpLeg {S}Leg {S}Foot -", "ends": False}, {"left_foot", "right_foot"}, "filled in at a neutral"),
        ({"trunk": "Hips=Hips Spine=Spine Spine1=Spine1 Spine2"}, {"head"}, "to place head by"),
        ({"arm": "{S}Shoulder {S}Arm - -", "ends": False}, {"left_elbow", "left_wrist", "right_elbow", "right_wrist"},
         "to place left_elbow"),
    ],
)  # fmt: skip
def test_what_a_skeleton_lacks_is_filled_and_told(
    tmp_path: Path, changes: dict[str, object], filled: set[str], told: str
) -> None:
    clip = read(tmp_path, changed(**changes))
    assert set(clip.joints_filled) == filled
    assert told in " ".join(clip.warnings)
    known = positions(Recording(frames=FRAMES))
    lift = float(np.median(clip.joints_m[:, 1, 1] - known["LeftUpLeg"][:, 1]))
    for joint, body in (("left_hip", "LeftUpLeg"), ("right_knee", "RightLeg"), ("left_shoulder", "LeftArm")):
        np.testing.assert_allclose(
            clip.joints_m[:, JOINT_INDEX[joint]] - [0.0, lift, 0.0], known[body], atol=2e-3, err_msg=joint
        )


def test_feet_without_toes_but_with_an_end_site(tmp_path: Path) -> None:
    path = tmp_path / "walk.bvh"
    text = dialect_text(changed(leg="{S}UpLeg {S}Leg {S}Foot -"))
    ends = text.count("End Site")
    # The end site of a foot lies at its tip.
    path.write_text(text.replace("OFFSET 0.0000000 2.0000000 0.0000000", "OFFSET 0.0 -6.0 17.0"), encoding="utf-8")
    assert ends == 5  # two feet, two hands, a head
    assert read_motion(path).joints_filled == ()


@pytest.mark.parametrize("in_place", [False, True])
def test_a_walk_in_place_gets_its_path(tmp_path: Path, in_place: bool) -> None:
    path = tmp_path / "walk.bvh"
    lines = dialect_text(changed()).splitlines()
    if in_place:
        first = next(n for n, line in enumerate(lines) if line.startswith("Frame Time")) + 1
        values = [line.split() for line in lines[first:]]
        for row in values:
            row[0], row[2] = "0", "0"
        lines[first:] = [" ".join(row) for row in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    clip = read_motion(path)
    assert clip.path_recovered == in_place
    assert any("root-relative" in warning for warning in clip.warnings) == in_place


def test_content_decides_for_every_format(tmp_path: Path) -> None:
    path = tmp_path / "walk.c3d"
    path.write_text(dialect_text(DIALECTS["Rokoko"]), encoding="utf-8")
    assert read_motion(path).format == "BVH (legs from LeftThigh, LeftShin, LeftFoot)"
