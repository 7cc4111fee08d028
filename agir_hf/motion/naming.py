"""Which node of a skeleton is which part of the body, from its name and its place in the hierarchy.

Exporters name joints in many ways (``LeftUpLeg``, ``mixamorig:LeftUpLeg``, ``UpperLeg_L``, ``L_Hip``, ``thigh.L``,
``Bip01 L Thigh``, ``lfemur``). A name is split into a side and a core word, the core word looked up in a table, and the
hierarchy decides where one word means different joints: ``LeftShoulder`` is a collar when an upper arm follows it,
``LeftFoot`` the toe base when an ankle comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import MotionFormatError

Side = str

# Core words in order of preference; the first that a skeleton has is taken.
_CORE_WORDS: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "upperleg", "thigh", "thighbend", "femur", "legupper", "hip", "hipjoint"),
    "knee": ("knee", "lowerleg", "lowleg", "shin", "calf", "tibia", "shank", "leglower", "leg"),
    "ankle": ("ankle", "foot"),
    "toe_base": ("toebase", "toes", "toe", "ball", "forefoot", "football", "foot"),
    "shoulder": ("upperarm", "uparm", "humerus", "shldr", "shldrbend", "arm", "armupper", "shoulder"),
    "elbow": ("forearm", "forearmbend", "lowerarm", "lowarm", "elbow", "radius", "armlower"),
    "wrist": ("wrist", "hand"),
}
_PELVIS_WORDS = ("pelvis", "hips", "hip", "root")
_NECK_WORDS = ("neck", "necklower", "lowerneck")
_HEAD_WORDS = ("head", "skull")
_SPINE_JOINTS = 3
# The end of a name tells the joint; looking into a name takes time with the square of its length.
_MAX_NAME = 80
# Helpers that rigs add beside the joints of the body.
_HELPER_WORDS = frozenset(
    {"twist", "roll", "ik", "fk", "pole", "target", "effector", "ctrl", "control", "helper", "nub"}
)
_SIDE_WORDS = {
    "left": "left",
    "l": "left",
    "lft": "left",
    "right": "right",
    "r": "right",
    "rgt": "right",
    "rt": "right",
}
_KNOWN = frozenset(word for words in _CORE_WORDS.values() for word in words).union(
    _PELVIS_WORDS, _NECK_WORDS, _HEAD_WORDS, ("collar", "clavicle", "spine")
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")


def split_name(name: str) -> tuple[Side | None, str, bool]:
    """(side or None, core word without digits, is a rig helper) of a joint name."""
    bare = name.rsplit(":", maxsplit=1)[-1].rsplit("|", maxsplit=1)[-1][-_MAX_NAME:]
    words = [word.lower() for word in _WORD.findall(bare)]
    is_helper = any(word in _HELPER_WORDS for word in words)
    words = [word for word in words if not word.isdigit()]
    side = None
    for position in (0, len(words) - 1, *range(1, max(len(words) - 1, 1))):
        if words and len(words) > 1 and words[position] in _SIDE_WORDS:
            side = _SIDE_WORDS[words[position]]
            words = words[:position] + words[position + 1 :]
            break
    # Rigs put their own name before that of the joint (Bip01, mixamorig, CC_Base, J_Bip_C): the known tail counts.
    core = next((tail for start in range(len(words)) if (tail := "".join(words[start:])) in _KNOWN), "".join(words))
    if side is None:
        side, core = _side_without_separator(core)
    return side, core, is_helper


def _side_without_separator(core: str) -> tuple[Side | None, str]:
    """Sides glued to the word, all in one case: ``leftupleg``, ``lfemur``, ``RKNEE``."""
    for prefix in ("left", "right", "l", "r"):
        if core.startswith(prefix) and core.removeprefix(prefix) in _KNOWN:
            return _SIDE_WORDS[prefix], core.removeprefix(prefix)
    return None, core


def find_parts(names: Sequence[str], parents: Sequence[int]) -> dict[str, int]:
    """Nodes of body parts by name and place.

    Args:
        names: node names; end sites end in ``_end``.
        parents: index of each node's parent, -1 for the root; parents come first.

    Returns:
        Node index by part: ``left_hip``, ``left_knee``, ``left_ankle``, and, where the skeleton has them,
        ``left_toe_base``, ``left_toe_tip``, ``left_shoulder``, ``left_elbow``, ``left_wrist``, ``left_hand_tip`` (and
        right), ``pelvis``, ``neck``, ``head``, ``head_top``.

    Raises:
        MotionFormatError: no leg with hip, knee and ankle on each side.
    """
    nodes = _Nodes(names, parents)
    parts: dict[str, int] = {}
    for side in ("left", "right"):
        _add_leg(nodes, side, parts)
        _add_arm(nodes, side, parts)
    missing = [
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("hip", "knee", "ankle")
        if f"{side}_{part}" not in parts
    ]
    if missing:
        shown = ", ".join(ascii(name[:30])[1:-1] for name in list(names)[:8])
        raise MotionFormatError(
            f"expected two legs with hip, knee and ankle (such as LeftUpLeg, LeftLeg, LeftFoot), found no "
            f"{', '.join(missing)} among {len(nodes.names)} joints ({shown}, ...)"
        )
    _add_midline(nodes, parts)
    return parts


def trunk_gaps(
    names: Sequence[str], parents: Sequence[int], parts: Mapping[str, int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(joints of the 22 in the trunk that a skeleton with shoulders lacks, a sentence if its spine has 1 or 2 joints).

    Collars lie between the shoulders and the joint where both arms branch off; the spine reaches from the joint where
    the legs branch off to there.

    Args:
        names, parents: the skeleton, as for ``find_parts``.
        parts: what ``find_parts`` found in it.
    """
    nodes = _Nodes(names, parents)
    if not all(f"{side}_shoulder" in parts for side in ("left", "right")):
        return (), ()
    arms = nodes.common_ancestor(parts["left_shoulder"], parts["right_shoulder"])
    legs = nodes.common_ancestor(parts["left_hip"], parts["right_hip"])
    missing = tuple(
        f"{side}_collar"
        for side in ("left", "right")
        if not any(nodes.split[node][0] == side for node in nodes.between(parts[f"{side}_shoulder"], arms))
    )
    spine = [] if arms == legs or not nodes.is_below(arms, legs) else [*nodes.between(arms, legs)[::-1], arms]
    if not spine:
        return (*(f"spine{number}" for number in range(1, _SPINE_JOINTS + 1)), *missing), ()
    if len(spine) >= _SPINE_JOINTS:
        return missing, ()
    listed = " and ".join(names[node][:40] for node in spine)
    what = "joints" if len(spine) > 1 else "joint"
    return missing, (
        f"The skeleton's spine has {len(spine)} {what} ({listed}); spine1 to spine3 were interpolated from hips to "
        "shoulders.",
    )


class _Nodes:
    """Names and hierarchy of a skeleton, with the lookups that finding parts needs."""

    def __init__(self, names: Sequence[str], parents: Sequence[int]) -> None:
        self.names = list(names)
        self.parents = list(parents)
        self.children: list[list[int]] = [[] for _ in self.names]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(node)
        self.is_end = [name.endswith("_end") and not self.children[node] for node, name in enumerate(self.names)]
        self.split = [split_name(name) for name in self.names]

    def named(self, side: Side | None, words: Sequence[str], *, inside: int | None = None) -> int | None:
        """First node of that side with one of the words, tried in order, optionally only below ``inside``."""
        for word in words:
            for node, (own_side, core, is_helper) in enumerate(self.split):
                if own_side == side and core == word and not is_helper and not self.is_end[node]:
                    if inside is None or self.is_below(node, inside):
                        return node
        return None

    def is_below(self, node: int, ancestor: int) -> bool:
        node = self.parents[node]
        while node >= 0:
            if node == ancestor:
                return True
            node = self.parents[node]
        return False

    def between(self, node: int, ancestor: int) -> list[int]:
        """The nodes above one and below an ancestor, upwards."""
        found = []
        while (node := self.parents[node]) not in (ancestor, -1):
            found.append(node)
        return found

    def common_ancestor(self, one: int, other: int) -> int:
        while one != other:
            # Parents have smaller numbers than their children.
            one, other = max(one, other), min(one, other)
            one = self.parents[one]
        return one

    def top_of_spine(self, node: int) -> int | None:
        """The last joint of the one branch of spine joints above where the arms branch off (``spine.006``)."""
        found = None
        while True:
            onward = [
                child
                for child in self.children[node]
                if self.split[child][:2] == (None, "spine") and not self.split[child][2] and not self.is_end[child]
            ]
            if len(onward) != 1:
                return found
            node = found = onward[0]

    def end_below(self, node: int) -> int | None:
        """Nearest end site under a node, following only children."""
        frontier = list(self.children[node])
        while frontier:
            for candidate in frontier:
                if self.is_end[candidate]:
                    return candidate
            frontier = [child for candidate in frontier for child in self.children[candidate]]
        return None


def _add_leg(nodes: _Nodes, side: Side, parts: dict[str, int]) -> None:
    # The knee is the surest name; the hip is the named joint above it, or simply its parent.
    knee = nodes.named(side, _CORE_WORDS["knee"])
    if knee is None:
        return
    hip = next(
        (
            node
            for word in _CORE_WORDS["hip"]
            if (node := nodes.named(side, (word,))) is not None and nodes.is_below(knee, node)
        ),
        None,
    )
    if hip is None and nodes.split[nodes.parents[knee]][0] == side:
        hip = nodes.parents[knee]
    ankle = nodes.named(side, _CORE_WORDS["ankle"], inside=knee)
    if hip is None or ankle is None:
        return
    parts |= {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}
    toe_base = nodes.named(side, _CORE_WORDS["toe_base"], inside=ankle)
    tip = nodes.end_below(toe_base if toe_base is not None else ankle)
    if toe_base is not None:
        parts[f"{side}_toe_base"] = toe_base
    if tip is not None:
        parts[f"{side}_toe_tip"] = tip


def _add_arm(nodes: _Nodes, side: Side, parts: dict[str, int]) -> None:
    elbow = nodes.named(side, _CORE_WORDS["elbow"])
    if elbow is None:
        shoulder = nodes.named(side, _CORE_WORDS["shoulder"])
        if shoulder is not None:
            parts[f"{side}_shoulder"] = shoulder
        return
    above = [
        node
        for word in _CORE_WORDS["shoulder"]
        if (node := nodes.named(side, (word,))) is not None and nodes.is_below(elbow, node)
    ]
    parts[f"{side}_shoulder"] = above[0] if above else nodes.parents[elbow]
    parts[f"{side}_elbow"] = elbow
    wrist = nodes.named(side, _CORE_WORDS["wrist"], inside=elbow)
    end = nodes.end_below(elbow)
    if wrist is not None:
        parts[f"{side}_wrist"] = wrist
        tip = nodes.end_below(wrist)
        if tip is not None:
            parts[f"{side}_hand_tip"] = tip
    elif end is not None and nodes.parents[end] == elbow:
        parts[f"{side}_wrist"] = end


def _add_midline(nodes: _Nodes, parts: dict[str, int]) -> None:
    pelvis = nodes.named(None, _PELVIS_WORDS)
    if pelvis is not None:
        parts["pelvis"] = pelvis
    neck = nodes.named(None, _NECK_WORDS)
    head = nodes.named(None, _HEAD_WORDS, inside=neck) if neck is not None else nodes.named(None, _HEAD_WORDS)
    if neck is not None:
        parts["neck"] = neck
    if head is None and neck is not None:
        head = nodes.end_below(neck)
    if head is None and "left_shoulder" in parts and "right_shoulder" in parts:
        head = nodes.top_of_spine(nodes.common_ancestor(parts["left_shoulder"], parts["right_shoulder"]))
    if head is not None:
        parts["head"] = head
        top = nodes.end_below(head)
        if top is not None:
            parts["head_top"] = top
