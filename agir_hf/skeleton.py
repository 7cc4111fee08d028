"""The 22 joints every clip is expressed in: the body joints of SMPL, in the order HumanML3D uses.

Joints are placed by anatomy, whatever a source file calls them: hips, knees, ankles, shoulders, elbows and wrists are
the joint centres; ``left_foot`` is the base of the toes (metatarsal heads); ``neck`` is the base of the neck, a little
above the line between the shoulders; ``head`` is the centre of the skull base.
"""

from __future__ import annotations

JOINT_NAMES: tuple[str, ...] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
"""The joints in their order."""
NUM_JOINTS = len(JOINT_NAMES)
"""22."""
JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(JOINT_NAMES)}
"""Place of each joint, by name."""

PARENTS: tuple[int, ...] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Parent of each joint; -1 for the pelvis, which has none."""

KINEMATIC_CHAINS: tuple[tuple[int, ...], ...] = (
    (0, 2, 5, 8, 11),
    (0, 1, 4, 7, 10),
    (0, 3, 6, 9, 12, 15),
    (9, 14, 17, 19, 21),
    (9, 13, 16, 18, 20),
)
"""Root to tip: right leg, left leg, spine and head, right and left arm (as HumanML3D's rotation features)."""


def _mirrored(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


MIRROR_INDEX: tuple[int, ...] = tuple(JOINT_INDEX[_mirrored(name)] for name in JOINT_NAMES)
"""``joints_m[:, MIRROR_INDEX]`` swaps left and right; the lateral coordinate must be negated as well."""
