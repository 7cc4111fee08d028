"""From the body parts a source has to the 22 joints of a ``MotionClip``, by anatomy.

A joint is placed where it sits on the body, whatever a source calls it. Hips, knees, elbows and wrists are joint
centres in every skeleton and are taken over. Pelvis, spine, neck and collars are placed at fixed fractions of the
trunk, because sources put joints of these names up to 20 cm apart. The foot is rebuilt: skeletons put the ankle up to
4 cm above the real one and the toe joint anywhere from mid-foot to the tip.

Nothing is smoothed and nothing is moved in time; the recording is scaled as a whole, turned Y up and set on the floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_NAMES, NUM_JOINTS
from . import anatomy, orientation
from .floor import stance_height

Floats = NDArray[np.floating]
SIDES = ("left", "right")
REQUIRED_PARTS: tuple[str, ...] = tuple(f"{side}_{part}" for side in SIDES for part in ("hip", "knee", "ankle"))

# A thousand kilometres in millimetres.
_MAX_POSITION = 1e9
# Foot geometry as fractions of leg length.
_TOE_HEIGHT = anatomy.TOE_BASE_HEIGHT_M / anatomy.LEG_LENGTH_M
_FOOT_DROP = (anatomy.ANKLE_HEIGHT_M - anatomy.TOE_BASE_HEIGHT_M) / anatomy.LEG_LENGTH_M
_FOOT_REACH = anatomy.FOOT_REACH_M / anatomy.LEG_LENGTH_M
_MIN_FOOT_LENGTH = 0.04
_ANKLE_TOLERANCE = 0.015
_MAX_ANKLE_SHIFT = 0.06
# A foot whose ankle and toe both move slower than this, leg lengths per second, stands.
_STANDING_SPEED = 0.2
# Pitch of ankle -> toe joint in a foot flat on the floor: what skeletons have, radians.
_FLAT_PITCH_RANGE = (np.deg2rad(3.0), np.deg2rad(48.0))
# A rest pose tells the flat pitch where its legs are upright (cosine) and it does not contradict the movement.
_REST_LEG_UPRIGHT = 0.8
_REST_TRUST = np.deg2rad(20.0)


@dataclass(frozen=True)
class Landmarks:
    """Body parts of one person over time, in the units and axes of a source.

    Attributes:
        points: (T, 3) by part. Needed: hips, knees, ankles of both sides. Used where present: ``*_toe_base``,
            ``*_toe_tip``, ``*_shoulder`` (start of the upper arm), ``*_elbow``, ``*_wrist``, ``*_hand_tip``, ``neck``,
            ``head``, ``head_top``.
        frame_rate_hz: native rate.
        rest: (3,) by part, the skeleton with no rotation, where the source has one.
        foot_rotations: (T, 3, 3) by side, foot to world, where the source has them.
        warnings: what the reader wants said.
        interpolated: names of joints of the 22 that the source's skeleton lacks although it has those beside them.
        path_recovered, format: see ``MotionClip``.
    """

    points: Mapping[str, Floats]
    frame_rate_hz: float
    rest: Mapping[str, Floats] | None = None
    foot_rotations: Mapping[str, Floats] | None = None
    warnings: tuple[str, ...] = ()
    interpolated: tuple[str, ...] = ()
    path_recovered: bool = False
    format: str = ""


@dataclass
class _Work:
    """State of one canonicalisation: parts in metres and Y up, joints placed so far, and what to tell."""

    points: Mapping[str, Floats]
    rotations: Mapping[str, Floats]
    rest: Mapping[str, Floats]
    matrix: NDArray[np.float64]
    leg_length: float
    joints: dict[str, Floats] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_positions(points: Mapping[str, Floats]) -> None:
    """Refuse positions that are not finite or beyond anything recorded: their squares would overflow.

    Raises:
        MotionFormatError: see above; the message names the part.
    """
    for part, values in points.items():
        if not np.isfinite(values).all():
            raise MotionFormatError(f"expected finite positions, found NaN or infinity in {part}")
        largest = max(float(values.max()), -float(values.min()))
        if largest > _MAX_POSITION:
            raise MotionFormatError(f"expected positions within {_MAX_POSITION:g} units, found {largest:.3g} in {part}")


def canonicalise(landmarks: Landmarks, *, source: str) -> MotionClip:
    """The clip of one person: 22 joints placed by anatomy, metres, Y up, floor at 0.

    Args:
        landmarks: the parts that a source has.
        source: what ``MotionClip.source`` shall say.

    Raises:
        MotionFormatError: legs missing, values not finite, no plausible body, nobody upright.
    """
    missing = [part for part in REQUIRED_PARTS if part not in landmarks.points]
    if missing:
        raise MotionFormatError(f"expected hips, knees and ankles of both legs, found no {', '.join(missing)}")
    check_positions(landmarks.points)
    work = _upright_metres(landmarks)
    for part in REQUIRED_PARTS:
        if not part.endswith("ankle"):
            work.joints[part] = work.points[part]
    _place_feet(work, landmarks.frame_rate_hz)
    _place_shoulders(work)
    _place_trunk(work)
    _place_arms(work)
    joints = np.empty((len(work.joints["pelvis"]), NUM_JOINTS, 3), dtype=np.float32)
    for index, name in enumerate(JOINT_NAMES):
        joints[:, index] = work.joints[name]
    joints[..., 1] -= stance_height(joints) - _TOE_HEIGHT * work.leg_length
    if neutral := [name for name in JOINT_NAMES if name in work.filled]:
        work.warnings.append(
            f"The source has nothing to place {', '.join(neutral)} by; filled in at a neutral position."
        )
    if between := [name for name in landmarks.interpolated if name not in neutral]:
        work.warnings.append(f"The source has no {', '.join(between)}; interpolated from the joints beside.")
    filled = tuple(name for name in JOINT_NAMES if name in (*neutral, *between))
    return MotionClip(
        joints_m=joints,
        frame_rate_hz=landmarks.frame_rate_hz,
        source=source,
        joints_filled=filled,
        warnings=tuple(work.warnings),
        path_recovered=landmarks.path_recovered,
        format=landmarks.format,
    )


def _upright_metres(landmarks: Landmarks) -> _Work:
    height = orientation.standing_height(landmarks.points)
    size, unit = orientation.metres_per_unit(height)
    matrix, up_axis = orientation.upright_matrix(landmarks.points)
    warnings = list(landmarks.warnings)
    points = {part: values @ (size * matrix).T for part, values in landmarks.points.items()}
    if orientation.is_mirrored(points):
        matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
        points = {part: values * [-1.0, 1.0, 1.0] for part, values in points.items()}
        warnings.append(
            "Left and right joints contradict the direction of feet and knees: the axes were taken as left-handed and "
            "mirrored, so that joints called left stay left."
        )
    if up_axis not in ("Y", "Z"):
        warnings.append(f"The recording has {up_axis} up; it was turned Y up.")
    if unit not in ("m", "cm", "mm"):
        warnings.append(f"The recording is in {unit}, told from the size of the body; it was scaled to metres.")
    return _Work(
        points=points,
        rotations={side: matrix @ rotation for side, rotation in (landmarks.foot_rotations or {}).items()},
        rest={part: matrix @ (size * value) for part, value in (landmarks.rest or {}).items()},
        matrix=matrix,
        leg_length=_leg_length(points),
        warnings=warnings,
    )


def _leg_length(points: Mapping[str, Floats]) -> float:
    lengths = [
        np.linalg.norm(points[f"{side}_{upper}"] - points[f"{side}_{lower}"], axis=-1)
        for side in SIDES
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median(sum(lengths) / 2.0))


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _toe_point(work: _Work, side: str) -> Floats | None:
    """The source's toe joint, else the tip of its foot; none where both coincide with the ankle."""
    for part in (f"{side}_toe_base", f"{side}_toe_tip"):
        if part in work.points:
            length = float(np.median(np.linalg.norm(work.points[part] - work.points[f"{side}_ankle"], axis=-1)))
            if length > _MIN_FOOT_LENGTH * work.leg_length:
                return work.points[part]
    return None


def _place_feet(work: _Work, frame_rate_hz: float) -> None:
    """Ankle and toe base of both sides: one foot geometry for every source, moving rigidly with the source's foot."""
    toes = {side: toe for side in SIDES if (toe := _toe_point(work, side)) is not None}
    slow = {side: _standing_frames(work, side, toe, frame_rate_hz) for side, toe in toes.items()}
    pitch, is_rest = _flat_pitch(work, toes, slow)
    scale = work.leg_length
    for side in SIDES:
        ankle = work.points[f"{side}_ankle"]
        if side in toes:
            ahead, down = _foot_axes(work, side, toes[side], pitch, None if is_rest else slow[side])
            foot_length = float(np.median(np.linalg.norm(toes[side] - ankle, axis=-1)))
            shift = foot_length * np.sin(pitch) - _FOOT_DROP * scale
            if abs(shift) < _ANKLE_TOLERANCE * scale:
                shift = 0.0
            shift = float(np.clip(shift, -_MAX_ANKLE_SHIFT * scale, _MAX_ANKLE_SHIFT * scale))
            if shift != 0.0 and side == "left":
                way = "above" if shift > 0 else "below"
                work.warnings.append(
                    f"The source's ankle joints sit {100.0 * abs(shift):.1f} cm {way} the anatomical ankles; "
                    "both were moved."
                )
        else:
            ahead, down = _neutral_foot_axes(work, side)
            shift = 0.0
            work.filled.append(f"{side}_foot")
        work.joints[f"{side}_ankle"] = ankle + shift * down
        work.joints[f"{side}_foot"] = work.joints[f"{side}_ankle"] + scale * (_FOOT_REACH * ahead + _FOOT_DROP * down)


def _pitch(ankle: Floats, toe: Floats) -> Floats:
    """Angle of ankle -> toe below the horizontal, radians."""
    foot = toe - ankle
    return np.arcsin(np.clip(-foot[..., 1] / np.maximum(np.linalg.norm(foot, axis=-1), 1e-9), -1.0, 1.0))


def _standing_frames(work: _Work, side: str, toe: Floats, frame_rate_hz: float) -> NDArray[np.intp]:
    """Frames in which a foot stands flat: ankle and toe both slow, then the flatter half of these."""
    ankle = work.points[f"{side}_ankle"]
    speed = np.maximum(
        np.linalg.norm(np.gradient(ankle, axis=0), axis=-1), np.linalg.norm(np.gradient(toe, axis=0), axis=-1)
    ) * (frame_rate_hz / work.leg_length)
    slow = np.flatnonzero(speed <= max(_STANDING_SPEED, float(np.quantile(speed, 0.1))))
    pitch = _pitch(ankle, toe)[slow]
    return slow[pitch <= np.median(pitch)]


def _flat_pitch(
    work: _Work, toes: Mapping[str, Floats], standing: Mapping[str, NDArray[np.intp]]
) -> tuple[float, bool]:
    """(pitch of ankle -> toe joint in a flat foot of this skeleton in radians, whether its rest pose told it)."""
    if not toes:
        return 0.0, False
    # One skeleton has one flat pitch. The foot that comes down flatter tells it: the other may stand on its toes.
    stance = min(
        float(np.median(_pitch(work.points[f"{side}_ankle"], toe)[standing[side]])) for side, toe in toes.items()
    )
    rest = _rest_pitch(work)
    if rest is not None and abs(rest - stance) < _REST_TRUST:
        return rest, True
    return float(np.clip(stance, *_FLAT_PITCH_RANGE)), False


def _rest_pitch(work: _Work) -> float | None:
    """Pitch of the feet in the skeleton's rest pose, or None where that pose is not a person standing on flat feet."""
    pitches = []
    for side in SIDES:
        parts = [work.rest.get(f"{side}_{part}") for part in ("hip", "knee", "ankle", "toe_base")]
        if any(part is None for part in parts):
            return None
        hip, _, ankle, toe = (np.asarray(part) for part in parts)
        leg = ankle - hip
        if -leg[1] < _REST_LEG_UPRIGHT * np.linalg.norm(leg):
            return None
        pitches.append(float(_pitch(ankle, toe)))
    pitch = sum(pitches) / 2.0
    return pitch if _FLAT_PITCH_RANGE[0] <= pitch <= _FLAT_PITCH_RANGE[1] else None


def _foot_axes(
    work: _Work, side: str, toe: Floats, pitch: float, standing: NDArray[np.intp] | None
) -> tuple[Floats, Floats]:
    """Unit vectors (T, 3) of a foot that point ahead and down when it stands flat.

    In a flat foot, ankle -> toe joint points ``pitch`` below ahead, which fixes both axes in the plane of that vector
    and the foot's own down. That down comes from the foot's rotation, taken from the rest pose (``standing`` is None)
    or from the frames where the foot stands; without rotations the shank, upright over a flat foot, stands in.
    """
    ankle = work.points[f"{side}_ankle"]
    rotation = work.rotations.get(side)
    if rotation is None:
        along = _unit(toe - ankle)
        towards_down = _unit(ankle - work.points[f"{side}_knee"])
    else:
        local = np.einsum("tji,tj->ti", rotation, toe - ankle)
        along = _unit(np.median(local, axis=0))
        down = np.array([0.0, -1.0, 0.0])
        towards_down = down @ work.matrix if standing is None else (down @ rotation[standing]).mean(axis=0)
    below = _unit(towards_down - (towards_down * along).sum(axis=-1, keepdims=True) * along)
    ahead = np.cos(pitch) * along - np.sin(pitch) * below
    down_axis = np.sin(pitch) * along + np.cos(pitch) * below
    if rotation is None:
        return ahead, down_axis
    return rotation @ ahead, rotation @ down_axis


def _neutral_foot_axes(work: _Work, side: str) -> tuple[Floats, Floats]:
    """A foot at right angles to the shank, pointing where the pelvis faces."""
    down = _unit(work.points[f"{side}_ankle"] - work.points[f"{side}_knee"])
    across = work.points["left_hip"] - work.points["right_hip"]
    return _unit(np.cross(down, across)), down


def _place_shoulders(work: _Work) -> None:
    """Shoulder centres as the source has them; where it has none, above the hips at canonical distance."""
    if all(f"{side}_shoulder" in work.points for side in SIDES):
        for side in SIDES:
            work.joints[f"{side}_shoulder"] = work.points[f"{side}_shoulder"]
        return
    scale = work.leg_length / anatomy.LEG_LENGTH_M
    hips = (work.points["left_hip"] + work.points["right_hip"]) / 2.0
    across = _unit((work.points["left_hip"] - work.points["right_hip"]) * [1.0, 0.0, 1.0])
    top = next((work.points[part] for part in ("neck", "head", "head_top") if part in work.points), None)
    up = np.broadcast_to([0.0, 1.0, 0.0], hips.shape) if top is None else _unit(top - hips)
    middle = hips + scale * anatomy.TRUNK_LENGTH_M * up
    for side, sign in (("left", 1.0), ("right", -1.0)):
        work.joints[f"{side}_shoulder"] = middle + sign * scale * anatomy.HALF_SHOULDER_WIDTH_M * across
        work.filled += [f"{side}_shoulder", f"{side}_collar"]
    if top is None:
        work.filled += ["spine1", "spine2", "spine3", "neck"]


def _place_trunk(work: _Work) -> None:
    """Pelvis, spine, neck, collars and head at fixed fractions of the line from mid-hip to mid-shoulder."""
    joints = work.joints
    hips = (joints["left_hip"] + joints["right_hip"]) / 2.0
    shoulders = (joints["left_shoulder"] + joints["right_shoulder"]) / 2.0
    trunk = shoulders - hips
    length = float(np.median(np.linalg.norm(trunk, axis=-1)))
    if length < 0.2 * work.leg_length:
        raise MotionFormatError(
            f"expected shoulders well above the hips, found the trunk only {100.0 * length:.0f} cm long beside legs of "
            f"{100.0 * work.leg_length:.0f} cm: are the arm joints named differently?"
        )
    up = _unit(trunk)
    hip_line = _unit(joints["left_hip"] - joints["right_hip"])
    shoulder_line = _unit(joints["left_shoulder"] - joints["right_shoulder"])

    def ahead_at(fraction: float) -> Floats:
        # The trunk twists gradually from the hips to the shoulders.
        across = (1.0 - fraction) * hip_line + fraction * shoulder_line
        return _unit(np.cross(across, up))

    for name, (fraction, ahead) in anatomy.TRUNK_PLACES.items():
        joints[name] = hips + fraction * trunk + ahead * length * ahead_at(min(fraction, 1.0))
    for side in SIDES:
        out = joints[f"{side}_shoulder"] - shoulders
        joints[f"{side}_collar"] = hips + anatomy.COLLAR_UP_FRACTION * trunk + anatomy.COLLAR_OUT_FRACTION * out
    head_up = _head_direction(work, joints["neck"], up, length)
    if head_up is None:
        work.filled.append("head")
        head_up = up
    forward = ahead_at(1.0)
    forward = _unit(forward - (forward * head_up).sum(axis=-1, keepdims=True) * head_up)
    joints["head"] = joints["neck"] + length * (
        anatomy.HEAD_UP_FRACTION * head_up + anatomy.HEAD_AHEAD_FRACTION * forward
    )


def _head_direction(work: _Work, neck: Floats, up: Floats, trunk_length: float) -> Floats | None:
    """Unit vectors from the neck towards the top of the head; None where the source has no head.

    The top of the head tells it best. A head joint close above the neck is taken with the source's own neck joint: a
    centimetre between that and the anatomical neck would turn the head by ten degrees.
    """
    own_neck = work.points.get("neck", neck)
    for part, base, least in (("head_top", neck, 0.2), ("head", own_neck, 0.08), ("head", neck, 0.06)):
        if part in work.points:
            towards = work.points[part] - base
            if float(np.median((towards * up).sum(axis=-1))) > least * trunk_length:
                return _unit(towards)
    return None


def _place_arms(work: _Work) -> None:
    """Elbows and wrists as the source has them; what is missing hangs down."""
    scale = work.leg_length / anatomy.LEG_LENGTH_M
    trunk_down = _unit(work.joints["pelvis"] - work.joints["neck"])
    for side in SIDES:
        shoulder = work.joints[f"{side}_shoulder"]
        elbow, wrist = work.points.get(f"{side}_elbow"), work.points.get(f"{side}_wrist")
        if elbow is None or f"{side}_shoulder" in work.filled:
            elbow = shoulder + scale * anatomy.UPPER_ARM_LENGTH_M * trunk_down
            wrist = None
            work.filled.append(f"{side}_elbow")
        if wrist is None:
            wrist = elbow + scale * anatomy.FOREARM_LENGTH_M * _unit(elbow - shoulder)
            work.filled.append(f"{side}_wrist")
        work.joints[f"{side}_elbow"], work.joints[f"{side}_wrist"] = elbow, wrist
