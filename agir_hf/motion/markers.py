"""Marker sets to body parts: what a marker is by its label, and where the joint centres lie under the skin.

Labels of Plug-in Gait with its model outputs, Helen Hayes (Kadaba et al. 1990, J Orthop Res 8:383), the Istituto
Ortopedico Rizzoli's set (Leardini et al. 2007, Gait & Posture 26:560) and of anatomical landmarks (van Sint Jan 2007,
"Color Atlas of Skeletal Landmark Definitions") are known. Joint centres that the laboratory's own model wrote into the
file are taken first. Else they are computed:

- hip: regression on width and depth of the pelvis, Harrington et al. 2007, J Biomech 40:595 (adults and children);
- knee and ankle: midpoint of the epicondyles and of the malleoli (ISB, Wu et al. 2002, J Biomech 35:543; Leardini et
  al. 2007); with a lateral marker alone half the joint's width inside it, at right angles to the segment and in the
  plane of the segment's own marker (Davis et al. 1991, Hum Mov Sci 10:575);
- shoulder: 17 % of the distance between the acromions below them (Rab et al. 2002, Gait & Posture 15:113);
- elbow and wrist: midpoint of epicondyles and of styloids; the elbow with a lateral marker alone like the knee.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError
from . import anatomy, orientation
from .gaps import present

Floats = NDArray[np.floating]
# A marker or model output: (side, role); the side of a midline marker is "".
Key = tuple[str, str]
SIDES = ("left", "right")
_OTHER = {"left": "right", "right": "left"}

# Roles of sided points and how labels call them, side, prefix and separators removed; the first found is taken.
_SIDED: dict[str, tuple[str, ...]] = {
    "hip_centre": ("fep", "hjc", "hipjc", "hipjointcentre", "hipjointcenter"),
    "knee_centre": ("feo", "kjc", "kneejc", "kneejointcentre", "kneejointcenter"),
    "ankle_centre": ("tio", "ajc", "anklejc", "anklejointcentre", "anklejointcenter"),
    "shoulder_centre": ("hup", "clo", "sjc", "shoulderjc", "shoulderjointcentre", "shoulderjointcenter"),
    "elbow_centre": ("huo", "ejc", "elbowjc", "elbowjointcentre", "elbowjointcenter"),
    "wrist_centre": ("rao", "wjc", "wristjc", "wristjointcentre", "wristjointcenter"),
    "asis": ("asi", "asis", "ias"),
    "psis": ("psi", "psis", "ips"),
    "thigh": ("thi", "thigh", "thil"),
    "knee": ("kne", "knee", "le", "fle", "lfe", "lep", "kneelateral", "kneelat", "latknee"),
    "knee_medial": ("knm", "me", "fme", "mfe", "mep", "kneemedial", "kneemed", "medknee", "mkne", "knem", "knemed"),
    "shank": ("tib", "sha", "shank", "shn"),
    "ankle": ("ank", "ankle", "lm", "fal", "lma", "lmal", "anklelateral", "anklelat", "latankle"),
    "ankle_medial": (
        "med",
        "mm",
        "tam",
        "mma",
        "mmal",
        "anklemedial",
        "anklemed",
        "medankle",
        "mank",
        "ankm",
        "ankmed",
    ),
    "heel": ("hee", "heel", "ca", "fcc", "cal", "calc"),
    "toe": ("toe", "sm", "fm2", "mt2", "smh", "2mh"),
    "toe_1": ("fm", "fm1", "mt1", "d1m", "fmh", "1mh", "footmedial"),
    "toe_5": ("vm", "fm5", "mt5", "d5m", "vmh", "5mh", "footlateral"),
    "shoulder": ("sho", "shoulder", "ac", "sae", "caj", "acr", "acromion"),
    "elbow": ("elb", "elbow", "hle", "ler", "elblat", "elbowlat", "elbowlateral", "elbl"),
    "elbow_medial": ("elbm", "hme", "mer", "elbmed", "elbowmed", "elbowmedial", "medelbow"),
    "wrist": ("wra", "wri", "wrist", "rsp", "rs", "wristradius", "wristlateral"),
    "wrist_other": ("wrb", "usp", "us", "wristulna", "wristmedial"),
    "head_front": ("fhd",),
    "head_back": ("bhd",),
}
_MIDLINE: dict[str, tuple[str, ...]] = {
    "sacrum": ("sacr", "vsac", "sac", "vsacral", "sacral", "sacrum"),
    "head_top": ("tophead", "headtop", "vertex", "thead"),
}
_SIDED_ROLE = {stem: role for role, stems in _SIDED.items() for stem in stems}
_MIDLINE_ROLE = {stem: role for role, stems in _MIDLINE.items() for stem in stems}
# Markers that sit on one bone each.
RIGID_CLUSTERS: tuple[tuple[Key, ...], ...] = (
    tuple((side, role) for role in ("head_front", "head_back") for side in SIDES),
    tuple((side, role) for role in ("asis", "psis") for side in SIDES),
)

# Joint widths as fractions of standing height, for files that do not give them: means over both sides of the five
# walkers, 1.34 to 1.59 m tall, whose laboratory measured them (McGill recordings distributed with biomechZoo).
_KNEE_WIDTH, _ANKLE_WIDTH, _ELBOW_WIDTH = 0.064, 0.042, 0.051
_TOE_BASE_HEIGHT = anatomy.TOE_BASE_HEIGHT_M / anatomy.HEIGHT_M
_SHANK_FRACTION = anatomy.SHANK_LENGTH_M / anatomy.HEIGHT_M
# Names of units in files. What a file says is believed of people this tall, from small children on.
_UNITS_M = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001}
_UNITS_M |= {"in": 0.0254, "inch": 0.0254, "inches": 0.0254, "ft": 0.3048}
_HEIGHT_RANGE_M = (0.7, 2.6)
_MARKER_RADIUS_M = 0.007
_ACROMION_DROP = 0.17
# A wand nearer than this to the line from joint to marker does not tell a plane.
_MIN_WAND_M = 0.015
_NEARLY_ALL = 0.95


@dataclass(frozen=True)
class BodyParts:
    """Body parts found in a set of markers, in metres and the axes of the source.

    Attributes:
        points: (T, 3) by part as ``canonical.Landmarks`` names them, NaN where a marker is missing.
        foot_rotations: (T, 3, 3) by side, NaN where a marker is missing.
        used: the markers each part comes from.
        notes: one sentence on each joint that was computed from markers.
    """

    points: dict[str, Floats]
    foot_rotations: dict[str, Floats]
    used: dict[str, tuple[Key, ...]]
    notes: tuple[str, ...]

    @property
    def described(self) -> str:
        """Where the leg's joint centres come from."""
        written = [part for part in ("hip", "knee", "ankle") if self.used[f"left_{part}"][0][1].endswith("_centre")]
        if len(written) == 3:
            return "joint centres of the laboratory's model"
        return f"markers, with {' and '.join(written)} centres of the laboratory's model" if written else "markers"


def split_prefix(label: str) -> tuple[str, str]:
    """(subject, name) of a label such as ``Anna:LASI``; the subject is empty where there is none."""
    subject, _, name = label.strip().rpartition(":")
    return subject, name


def find_markers(labels: Sequence[str], descriptions: Sequence[str] = ()) -> dict[Key, int]:
    """Index of each known marker or model output.

    Where several points have the same label (an old format cut them to four letters) or a label says nothing, the
    description of the point decides.

    Args:
        labels: of one person; subject prefixes do not matter.
        descriptions: one per label, or fewer.
    """
    names = [split_prefix(label)[1] for label in labels]
    times = Counter(names)
    # By side and role: index of the first point under each of the role's names, by place of that name in its list.
    candidates: dict[Key, dict[int, int]] = {}
    for index, name in enumerate(names):
        described = _identify(descriptions[index]) if index < len(descriptions) else None
        known = _identify(name)
        if described is not None and (known is None or times[name] > 1):
            known = described
        if known is not None:
            candidates.setdefault(known[0], {}).setdefault(known[1], index)
    found = {}
    for (side, role), places in candidates.items():
        # Both sides by the same kind of point where that is possible: LFEP with RFEP, not with RHJC.
        opposite = candidates.get((_OTHER.get(side, side), role), places)
        shared = places.keys() & opposite.keys()
        found[side, role] = places[min(shared or places)]
    return found


def _identify(label: str) -> tuple[Key, int] | None:
    """(side and role, place in the role's list of names) of one label, None for one that means nothing here."""
    lowered = label.strip().lower()
    bare = re.sub(r"[^a-z0-9]", "", lowered)
    bare = bare.removeprefix("v") if re.match(r"v[_. ]", lowered) else bare
    if bare in _MIDLINE_ROLE:
        role = _MIDLINE_ROLE[bare]
        return ("", role), _MIDLINE[role].index(bare)
    for side in SIDES:
        stems = [bare.removeprefix(word) for word in (side, side[0]) if bare.startswith(word)]
        if re.search(rf"[^a-z0-9]({side}|{side[0]})$", lowered):
            stems += [bare.removesuffix(word) for word in (side, side[0]) if bare.endswith(word)]
        for stem in stems:
            if stem in _SIDED_ROLE:
                role = _SIDED_ROLE[stem]
                return (side, role), _SIDED[role].index(stem)
    return None


def has_legs(found: Mapping[Key, int]) -> bool:
    """Whether hips, knees and ankles of both sides can be placed from these markers."""
    pelvis = all((side, "asis") in found for side in SIDES) and (
        ("", "sacrum") in found or all((side, "psis") in found for side in SIDES)
    )
    hips = pelvis or all((side, "hip_centre") in found for side in SIDES)
    return hips and all(
        (side, f"{joint}_centre") in found or (side, joint) in found for side in SIDES for joint in ("knee", "ankle")
    )


def choose_person(
    labels: Sequence[str], descriptions: Sequence[str], points: Floats
) -> tuple[str, dict[Key, int], int]:
    """(name, index of each known marker, number of people with legs) of the person that is tracked best.

    Args:
        labels: one per point; people are told apart by what stands before a colon.
        descriptions: one per label, or fewer.
        points: (T, N, 3), NaN where a point was not seen.

    Raises:
        MotionFormatError: nobody with the markers of both legs.
    """
    by_subject: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        by_subject.setdefault(split_prefix(label)[0], []).append(index)
    people: dict[str, dict[Key, int]] = {}
    for subject, members in by_subject.items():
        described = [descriptions[index] if index < len(descriptions) else "" for index in members]
        found = find_markers([labels[index] for index in members], described)
        if has_legs(found):
            people[subject] = {key: members[place] for key, place in found.items()}
    if not people:
        named = [label for label in labels if label and not label.startswith("*")]
        raise MotionFormatError(
            "expected the markers of a known set (Plug-in Gait, Helen Hayes, Rizzoli) or joint centres for both legs, "
            f"such as LASI, RASI, SACR, LKNE, LANK, found {len(named)} labels ({', '.join(named[:8])[:120] or 'none'})"
            ": rename the markers, or export joint centres"
        )
    seen = {
        subject: sum(int(present(points[:, index]).sum()) for index in found.values())
        for subject, found in people.items()
    }
    subject = max(people, key=lambda name: seen[name])
    return subject, people[subject], len(people)


def metres_per_unit(declared: str, markers: Mapping[Key, Floats]) -> tuple[float, str | None]:
    """(metres per unit, warning or None): as the file says, unless nobody has such shanks; then told from the body.

    Args:
        declared: name of the unit, empty where the file does not say.
        markers: (T, 3) by side and role in that unit.

    Raises:
        MotionFormatError: no shank tracked, or in no unit one of a person.
    """
    height = _height(markers)
    if height is None:
        raise MotionFormatError("expected knees and ankles tracked in the same frames, found none: fill the gaps first")
    said = _UNITS_M.get(declared.strip().lower())
    if said is not None and _HEIGHT_RANGE_M[0] <= said * height <= _HEIGHT_RANGE_M[1]:
        return said, None
    size, unit = orientation.metres_per_unit(height)
    if said is None:
        stated = f"in {declared[:12]!r}, which is no known unit" if declared else "without naming its unit"
        return size, f"The file is {stated}; it was read as {unit}, told from the size of the body."
    return size, (
        f"The file says its unit is {declared}, in which the body would be {said * height:.3g} m tall; it was read as "
        f"{unit}."
    )


def _height(markers: Mapping[Key, Floats]) -> float | None:
    """Standing height that the distance from knee to ankle belongs to, in the unit of the markers."""
    shanks = []
    for side in SIDES:
        for ending in ("", "_centre"):
            knee, ankle = (markers.get((side, f"{joint}{ending}")) for joint in ("knee", "ankle"))
            if knee is not None and ankle is not None:
                shanks.append(np.linalg.norm(knee - ankle, axis=-1))
    length = _typical(np.concatenate(shanks)) if shanks else np.nan
    return length / _SHANK_FRACTION if np.isfinite(length) else None


def find_parts(markers: Mapping[Key, Floats], sizes_m: Mapping[str, float]) -> BodyParts:
    """Body parts from markers.

    Args:
        markers: (T, 3) by side and role, metres, NaN where missing.
        sizes_m: what the laboratory measured, where it did: ``left_knee_width``, ``left_ankle_width``,
            ``left_elbow_width`` (and right), ``marker_diameter``.
    """
    return _Finder(markers, sizes_m).find()


@dataclass(frozen=True)
class _Way:
    """One way to place a part on both sides: from these markers of a side (or, with a side in the key, of any)."""

    needs: tuple[str, ...]
    place: Callable[[str], Floats]
    note: str = ""


class _Finder:
    """Places the parts one after the other, since knees are placed with the hips and ankles with the knees."""

    def __init__(self, markers: Mapping[Key, Floats], sizes_m: Mapping[str, float]) -> None:
        self.markers = markers
        self.sizes_m = sizes_m
        self.radius_m = sizes_m.get("marker_diameter", 2.0 * _MARKER_RADIUS_M) / 2.0
        self.points: dict[str, Floats] = {}
        self.used: dict[str, tuple[Key, ...]] = {}
        self.notes: list[str] = []
        self.height_m = _height(markers) or anatomy.HEIGHT_M

    def find(self) -> BodyParts:
        hip_markers = ("left asis", "right asis")
        sacrum = (" sacrum",) if ("", "sacrum") in self.markers else ("left psis", "right psis")
        regression = "Hip centres come from the pelvis markers (Harrington et al. 2007)."
        self._choose("hip", [self._written("hip"), _Way(hip_markers + sacrum, self._harrington, regression)])
        for joint in ("knee", "ankle"):
            self._choose(joint, [self._written(joint), self._midpoint(joint), *self._inside(joint)])
        toe_mean = _Way(("toe_1", "toe_5"), lambda side: self._mean(side, "toe_1", "toe_5"))
        self._choose("toe_base", [_Way(("toe",), lambda side: self.markers[side, "toe"]), toe_mean])
        if "left_hip" in self.points and "right_hip" in self.points:
            acromions = _Way(("left shoulder", "right shoulder"), self._below_acromion)
            self._choose("shoulder", [self._written("shoulder"), acromions])
        if "left_shoulder" in self.points and "right_shoulder" in self.points:
            self._choose("elbow", [self._written("elbow"), self._midpoint("elbow"), *self._inside("elbow")])
            styloids = _Way(("wrist", "wrist_other"), lambda side: self._mean(side, "wrist", "wrist_other"))
            single = _Way(("wrist",), lambda side: self.markers[side, "wrist"])
            self._choose("wrist", [self._written("wrist"), styloids, single])
        self._add_head()
        rotations = self._foot_rotations()
        return BodyParts(self.points, rotations, self.used, tuple(self.notes))

    def _keys(self, way: _Way, side: str) -> tuple[Key, ...]:
        """Markers that a way needs on one side."""
        keys = []
        for need in way.needs:
            given, _, role = need.rpartition(" ")
            keys.append((given, role) if " " in need else (side, role))
        return tuple(keys)

    def _choose(self, part: str, ways: Sequence[_Way]) -> None:
        """Place a part by the first way that covers nearly as many frames as the best one, alike on both sides."""
        best: tuple[float, dict[str, Floats], _Way] | None = None
        for way in ways:
            sides = [side for side in SIDES if all(key in self.markers for key in self._keys(way, side))]
            placed = {side: way.place(side) for side in sides}
            covered = float(sum(present(values).sum() for values in placed.values()))
            if covered > 0 and (best is None or _NEARLY_ALL * covered > best[0]):
                best = (covered, placed, way)
        if best is None:
            return
        for side, values in best[1].items():
            self.points[f"{side}_{part}"] = values
            self.used[f"{side}_{part}"] = self._keys(best[2], side)
        if best[2].note:
            self.notes.append(best[2].note)

    def _written(self, joint: str) -> _Way:
        return _Way((f"{joint}_centre",), lambda side: self.markers[side, f"{joint}_centre"])

    def _midpoint(self, joint: str) -> _Way:
        return _Way((joint, f"{joint}_medial"), lambda side: self._mean(side, joint, f"{joint}_medial"))

    def _inside(self, joint: str) -> list[_Way]:
        """Ways with a lateral marker alone, with and without a marker that tells the plane of the segment."""
        measured = all(f"{side}_{joint}_width" in self.sizes_m for side in SIDES)
        source = "widths given in the file" if measured else "widths estimated from body height"
        wand = {"knee": "thigh", "ankle": "shank"}.get(joint)
        ways = []
        note = f"The {joint} centres lie inside the lateral markers by {source} (Davis et al. 1991)."
        if wand is not None:
            ways.append(_Way((joint, wand), lambda side: self._beside(joint, side, wand), note))
        ways.append(_Way((joint,), lambda side: self._beside(joint, side, None), note))
        return ways

    def _mean(self, side: str, *roles: str) -> Floats:
        return np.mean([self.markers[side, role] for role in roles], axis=0)

    def _harrington(self, side: str) -> Floats:
        left, right = self.markers["left", "asis"], self.markers["right", "asis"]
        back = self.markers.get(("", "sacrum"))
        if back is None:
            back = (self.markers["left", "psis"] + self.markers["right", "psis"]) / 2.0
        middle = (left + right) / 2.0
        outward = _unit(left - right)
        ahead = _unit(_across(middle - back, outward))
        # Left x ahead points down in a right-handed recording, up in a left-handed one: where the knees are decides.
        up = np.cross(ahead, outward)
        knees = [values for (_, role), values in self.markers.items() if role in ("knee", "knee_centre")]
        if any(_typical(((knee - middle) * up).sum(axis=-1)) > 0.0 for knee in knees):
            up = -up
        # The pelvis is rigid: its size is the same in all frames.
        width = 1000.0 * _typical(np.linalg.norm(left - right, axis=-1))
        depth = 1000.0 * _typical(np.linalg.norm(middle - back, axis=-1))
        sign = 1.0 if side == "left" else -1.0
        centre = (-0.24 * depth - 9.9) * ahead + (-0.30 * width - 10.9) * up + sign * (0.33 * width + 7.3) * outward
        return middle + centre / 1000.0

    def _beside(self, joint: str, side: str, wand: str | None) -> Floats:
        """Half the joint's width inside its lateral marker, at right angles to the segment above."""
        upper = {"knee": "hip", "ankle": "knee", "elbow": "shoulder"}[joint]
        upper_point = self.points.get(f"{side}_{upper}")
        marker = self.markers[side, joint]
        if upper_point is None:
            return np.full_like(marker, np.nan)
        fraction = {"knee": _KNEE_WIDTH, "ankle": _ANKLE_WIDTH, "elbow": _ELBOW_WIDTH}[joint]
        width = self.sizes_m.get(f"{side}_{joint}_width", fraction * self.height_m)
        along = upper_point - marker
        across = self.points.get(f"{_OTHER[side]}_{upper}")
        inward = upper_point * np.nan if across is None else _across(across - upper_point, along)
        if joint == "ankle" and (side, "knee") in self.markers:
            # The shank turns with the knee, not with the line between both knees.
            inward = _across(upper_point - self.markers[side, "knee"], along)
        if wand is not None:
            away = _across(marker - self.markers[side, wand], along)
            if _typical(np.linalg.norm(away, axis=-1)) >= _MIN_WAND_M:
                inward = away
        return _chord(marker, along, inward, width / 2.0 + self.radius_m)

    def _below_acromion(self, side: str) -> Floats:
        left, right = self.markers["left", "shoulder"], self.markers["right", "shoulder"]
        hips = (self.points["left_hip"] + self.points["right_hip"]) / 2.0
        down = _unit(hips - (left + right) / 2.0)
        distance = _typical(np.linalg.norm(left - right, axis=-1))
        return self.markers[side, "shoulder"] + _ACROMION_DROP * distance * down

    def _add_head(self) -> None:
        """Top of the head: the middle of a head band, told from as many of its markers as lie symmetrically."""
        band = [tuple((side, role) for side in SIDES) for role in ("head_front", "head_back")]
        best = -1
        for keys in ((*band[0], *band[1]), band[0], band[1], (("", "head_top"),)):
            if all(key in self.markers for key in keys):
                middle = np.mean([self.markers[key] for key in keys], axis=0)
                covered = int(present(middle).sum())
                if _NEARLY_ALL * covered > best:
                    best = covered
                    self.points["head_top"], self.used["head_top"] = middle, keys

    def _foot_rotations(self) -> dict[str, Floats]:
        """Foot axes from heel, toe and ankle markers, which all sit on the foot: ahead, up and sideways.

        The line from heel to toes tells the pitch of a foot better than that from the ankle centre, which is shorter
        and was itself computed from shank and thigh. The toe markers of all sets sit on the back of the foot; the toe
        base under them is as far below that skin as above the sole.
        """
        rotations = {}
        for side in SIDES:
            toe = self.points.get(f"{side}_toe_base")
            on_back = self.used.get(f"{side}_toe_base") == ((side, "toe"),)
            centre, knee = (self.points.get(f"{side}_{joint}") for joint in ("ankle", "knee"))
            if toe is None or centre is None or knee is None:
                continue
            up = _unit(_across(knee - centre, toe - centre))
            if (side, "heel") in self.markers and (side, "ankle") in self.markers:
                heel, ankle = self.markers[side, "heel"], self.markers[side, "ankle"]
                ahead = _unit(toe - heel)
                up = _unit(_across(ankle - heel, ahead))
                rotations[side] = np.stack([ahead, up, np.cross(ahead, up)], axis=-1)
                self.used[f"{side}_foot_rotation"] = ((side, "heel"), (side, "ankle"), *self.used[f"{side}_toe_base"])
            if on_back:
                self.points[f"{side}_toe_base"] = toe - (_TOE_BASE_HEIGHT * self.height_m + self.radius_m) * up
        return rotations


def _typical(values: Floats) -> float:
    """Median of the finite values, NaN where there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _across(vectors: Floats, axis: Floats) -> Floats:
    """What of (T, 3) vectors is at right angles to an axis."""
    axis = _unit(axis)
    return vectors - (vectors * axis).sum(axis=-1, keepdims=True) * axis


def _chord(marker: Floats, along: Floats, inward: Floats, distance: float) -> Floats:
    """The joint centre at a distance inside a marker, seen from it under a right angle to the joint above.

    Marker, this centre and the joint above make a right triangle whose right angle is at the centre: the segment's
    long axis runs through both centres, and the marker lies straight beside the lower one.
    """
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    cosine = np.clip(distance / np.maximum(length, 1e-9), 0.0, 1.0)
    return marker + distance * (cosine * _unit(along) + np.sqrt(1.0 - cosine**2) * _unit(inward))
