"""Arrays of keypoints in the order of a known skeleton: body models, pose estimators, depth cameras.

Each table says which keypoints are, or lie around, a part of the body. Orders as their makers publish them: SMPL (Loper
et al. 2015), Human3.6M as 17 joints (Martinez et al. 2017, Pavllo et al. 2019), COCO keypoints (Lin et al. 2014),
Halpe (Fang et al., AlphaPose), BODY_25 (Cao et al., OpenPose), MediaPipe Pose (Google), Kinect for Windows SDK 2.0
``JointType`` (Microsoft).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from .canonical import REQUIRED_PARTS, SIDES, Landmarks
from .gaps import choose_span, fill_gaps, present
from .root_relative import place_landmarks

Floats = NDArray[np.float64]

# Left and right thighs, and shanks, of one body do not differ by this factor, nor do thigh and shank.
_MAX_LEG_RATIO = 1.8
# Cosine between trunk, thigh and shank, in half of the frames of somebody on his feet.
_LEAST_STRAIGHT = 0.5
# Hips, knees and ankles spread along each axis by more than this share of their height: the hips alone by a tenth.
_LEAST_DEPTH = 0.015
_MAX_BYTES = 1024**3
RATE_NEEDED = "expected a frame rate, found none: pass frame_rate_hz, or --frame-rate-hz"


@dataclass(frozen=True)
class NamedSkeleton:
    """One order of keypoints.

    Attributes:
        title: what people call it.
        num_joints: keypoints a frame.
        parts: keypoints by part of ``Landmarks``; the middle of several is taken.
    """

    title: str
    num_joints: int
    parts: Mapping[str, tuple[int, ...]]


def _both(**parts: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """One keypoint for each side, left first."""
    return {f"{side}_{part}": (pair[index],) for part, pair in parts.items() for index, side in enumerate(SIDES)}


_SMPL_BODY: dict[str, tuple[int, ...]] = {
    "pelvis": (0,),
    "neck": (12,),
    "head": (15,),
    **_both(hip=(1, 2), knee=(4, 5), ankle=(7, 8), toe_base=(10, 11)),
    **_both(shoulder=(16, 17), elbow=(18, 19), wrist=(20, 21)),
}
_COCO_BODY: dict[str, tuple[int, ...]] = {
    **_both(shoulder=(5, 6), elbow=(7, 8), wrist=(9, 10)),
    **_both(hip=(11, 12), knee=(13, 14), ankle=(15, 16)),
}

SKELETONS: dict[str, NamedSkeleton] = {
    "smpl-22": NamedSkeleton("SMPL, 22 body joints", 22, _SMPL_BODY),
    "smpl-24": NamedSkeleton("SMPL, 24 joints", 24, {**_SMPL_BODY, **_both(hand_tip=(22, 23))}),
    "h36m-17": NamedSkeleton(
        "Human3.6M, 17 joints",
        17,
        {
            "pelvis": (0,),
            "neck": (8,),
            "head_top": (10,),
            **_both(hip=(4, 1), knee=(5, 2), ankle=(6, 3)),
            **_both(shoulder=(11, 14), elbow=(12, 15), wrist=(13, 16)),
        },
    ),
    # The ears: the middle of the skull, which nose and eyes are not.
    "coco-17": NamedSkeleton("COCO, 17 keypoints", 17, {**_COCO_BODY, "head": (3, 4)}),
    "halpe-26": NamedSkeleton(
        "Halpe, 26 body keypoints",
        26,
        {
            **_COCO_BODY,
            "pelvis": (19,),
            "neck": (18,),
            "head_top": (17,),
            "left_toe_tip": (20, 22),
            "right_toe_tip": (21, 23),
        },
    ),
    "mediapipe-33": NamedSkeleton(
        "MediaPipe Pose, 33 landmarks",
        33,
        {
            "head": (7, 8),
            **_both(shoulder=(11, 12), elbow=(13, 14), wrist=(15, 16), hand_tip=(19, 20)),
            **_both(hip=(23, 24), knee=(25, 26), ankle=(27, 28), toe_tip=(31, 32)),
        },
    ),
    "kinect-25": NamedSkeleton(
        "Kinect v2, 25 joints",
        25,
        {
            "pelvis": (0,),
            "neck": (2,),
            "head": (3,),
            **_both(shoulder=(4, 8), elbow=(5, 9), wrist=(6, 10), hand_tip=(21, 23)),
            **_both(hip=(12, 16), knee=(13, 17), ankle=(14, 18), toe_base=(15, 19)),
        },
    ),
    "body-25": NamedSkeleton(
        "OpenPose BODY_25",
        25,
        {
            "pelvis": (8,),
            "neck": (1,),
            "head": (17, 18),
            **_both(shoulder=(5, 2), elbow=(6, 3), wrist=(7, 4)),
            **_both(hip=(12, 9), knee=(13, 10), ankle=(14, 11)),
            "left_toe_tip": (19, 20),
            "right_toe_tip": (22, 23),
        },
    ),
}


def tell_skeleton(array: ArrayLike, skeleton: str | None = None) -> str:
    """Name of the skeleton in ``SKELETONS`` that an array of keypoints is in.

    The number of keypoints tells it. Where two skeletons have as many, the one is taken in whose order the keypoints
    make a body on two legs: thighs and shanks of about the same length, which go on from the trunk. In COCO order, for
    one, the first five points are those of the face, close together, which make no leg of a Human3.6M body.

    Args:
        array: (T, J, 3) positions.
        skeleton: a name, which is checked against the number of keypoints; upper case and underscores do not matter.

    Raises:
        MotionFormatError: another shape, an unknown name, a number of keypoints that no or more than one skeleton has.
    """
    return _tell(_numbers(array), skeleton)


def landmarks_from_keypoints(array: ArrayLike, skeleton: str | None, frame_rate_hz: float | None) -> Landmarks:
    """Body parts over time from keypoints, in the units and axes of the array.

    Short gaps (NaN) are filled, and the longest stretch with all parts of the legs is kept, with a warning.

    Args:
        array: (T, J, 3) positions, NaN where a keypoint was not seen.
        skeleton: a name in ``SKELETONS``; None to tell it from the array (see ``tell_skeleton``).
        frame_rate_hz: frames per second.

    Raises:
        MotionFormatError: as ``tell_skeleton``; no frame rate; too few frames with both legs.
    """
    values = _numbers(array)
    name = _tell(values, skeleton)
    points = _points(values, SKELETONS[name])
    return replace(landmarks_from_points(points, frame_rate_hz), format=f"keypoints ({SKELETONS[name].title})")


def landmarks_from_points(points: Mapping[str, Floats], frame_rate_hz: float | None) -> Landmarks:
    """Landmarks from (T, 3) positions by part with gaps (NaN): short ones filled, the rest left out with a warning.

    Raises:
        MotionFormatError: no or an impossible frame rate, a part of the legs missing or never seen.
    """
    if frame_rate_hz is None:
        raise MotionFormatError(RATE_NEEDED)
    if not (np.isfinite(frame_rate_hz) and 1.0 <= frame_rate_hz <= 2000.0):
        raise MotionFormatError(f"expected a frame rate between 1 and 2000 Hz, found {frame_rate_hz:g}")
    missing = [part for part in REQUIRED_PARTS if part not in points]
    if missing:
        raise MotionFormatError(f"expected hips, knees and ankles of both legs, found no {', '.join(missing)}")
    _check_depth(points)
    if all(np.isfinite(values).all() for values in points.values()):
        return Landmarks(points=dict(points), frame_rate_hz=frame_rate_hz)
    filled = {part: np.asarray(fill_gaps(values, frame_rate_hz)[0]) for part, values in points.items()}
    masks = {part: present(values) for part, values in filled.items()}
    required = {part: masks.pop(part) for part in REQUIRED_PARTS}
    (start, end), left_out = choose_span(required, masks)
    frames = len(next(iter(points.values())))
    if end - start < 2:
        raise MotionFormatError(
            f"expected frames with both legs, found no two in a row without NaN or infinity among {frames}"
        )
    warnings = [f"Keypoints are missing in places: gaps of up to 0.2 s were filled, frames {start + 1} to {end} kept."]
    if left_out:
        warnings.append(f"Keypoints of {', '.join(left_out)} are missing too often and were left out.")
    return Landmarks(
        points={part: values[start:end] for part, values in filled.items() if part not in left_out},
        frame_rate_hz=frame_rate_hz,
        warnings=tuple(warnings),
    )


def _check_depth(points: Mapping[str, Floats]) -> None:
    """Refuse bodies that lie in a plane: keypoints of an image with a score, or a zero, as their third number."""
    body = np.stack([points[part] for part in REQUIRED_PARTS], axis=1)
    body = body[np.isfinite(body).all(axis=(1, 2))]
    if not len(body):
        return
    spread = (body - body.mean(axis=1, keepdims=True)).std(axis=(0, 1))
    if 0.0 < float(spread.min() + spread.max()) and spread.min() < _LEAST_DEPTH * spread.max():
        raise MotionFormatError(
            f"expected 3D keypoints, found a body flat along {'XYZ'[int(np.argmin(spread))]}: is this the score of 2D "
            "keypoints? Lift them to 3D first"
        )


def clip_from_keypoints(
    array: ArrayLike, *, frame_rate_hz: float | None, skeleton: str | None = None, source: str = "array"
) -> MotionClip:
    """The clip of an array of keypoints; where it has no travel of its own, the path comes from the planted foot.

    Raises:
        MotionFormatError: see ``landmarks_from_keypoints`` and ``canonicalise``.
    """
    landmarks = landmarks_from_keypoints(array, skeleton, frame_rate_hz)
    return place_landmarks(landmarks, source=source)


def _numbers(array: ArrayLike) -> Floats:
    try:
        values = np.asarray(array)
    except ValueError:
        raise MotionFormatError("expected an array of numbers, found lists of different lengths") from None
    if values.dtype.kind not in "fiu":
        raise MotionFormatError(f"expected an array of numbers, found dtype {values.dtype}")
    if values.ndim != 3 or values.shape[2] != 3:
        hint = ": pass the first three of each, array[..., :3]" if values.ndim == 3 and values.shape[2] == 4 else ""
        raise MotionFormatError(f"expected 3D keypoints of shape (T, J, 3), found {values.shape}{hint}")
    if len(values) < 2:
        raise MotionFormatError(f"expected at least 2 frames, found {len(values)}: there is no movement to read")
    if values.size * 8 > _MAX_BYTES:
        raise MotionFormatError(f"expected at most 1 GiB of keypoints, found shape {values.shape}")
    numbers = values.astype(np.float64)
    # Numbers beyond this are damage; their squares would overflow.
    if np.nanmax(np.abs(numbers), initial=0.0, where=np.isfinite(numbers)) > 1e15:
        raise MotionFormatError("expected positions, found numbers beyond 1e15: damaged, or not in metres?")
    return numbers


def _tell(values: Floats, skeleton: str | None) -> str:
    joints = values.shape[1]
    if skeleton is not None:
        name = skeleton.strip().lower().replace("_", "-").replace(" ", "-")
        if name not in SKELETONS:
            raise MotionFormatError(f"expected a skeleton out of {', '.join(SKELETONS)}, found {skeleton[:40]!r}")
        if SKELETONS[name].num_joints != joints:
            raise MotionFormatError(
                f"expected {SKELETONS[name].num_joints} keypoints a frame for skeleton {name}, found {joints}"
            )
        return name
    named = [name for name, known in SKELETONS.items() if known.num_joints == joints]
    if not named:
        raise MotionFormatError(
            f"expected the number of keypoints of a known skeleton ({', '.join(SKELETONS)}), found {joints}: name them "
            "in a table (CSV) instead"
        )
    possible = [name for name in named if _has_legs(_points(values, SKELETONS[name]))]
    if len(possible) == 1:
        return possible[0]
    what = "both" if possible else "none of them"
    raise MotionFormatError(
        f"expected {joints} keypoints that make two legs in the order of {' or '.join(named)}, found that {what} "
        f"fits: pass skeleton={named[0]!r} or another"
    )


def _points(values: Floats, skeleton: NamedSkeleton) -> dict[str, Floats]:
    return {part: values[:, list(joints)].mean(axis=1) for part, joints in skeleton.parts.items()}


def _has_legs(points: Mapping[str, Floats]) -> bool:
    """Whether thighs and shanks of both sides are about as long, and go on from the hips away from the shoulders."""
    hips = (points["left_hip"] + points["right_hip"]) / 2.0
    down = hips - (points["left_shoulder"] + points["right_shoulder"]) / 2.0
    lengths = []
    for side in SIDES:
        thigh = points[f"{side}_knee"] - points[f"{side}_hip"]
        shank = points[f"{side}_ankle"] - points[f"{side}_knee"]
        seen = present(thigh) & present(shank) & present(down)
        if not seen.any():
            return False
        bones = [thigh[seen], shank[seen], down[seen]]
        lengths += [float(np.median(np.linalg.norm(bone, axis=-1))) for bone in bones[:2]]
        ways = [bone / np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9) for bone in bones]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            if np.median((ways[one] * ways[other]).sum(axis=-1)) < _LEAST_STRAIGHT:
                return False
    return min(lengths) > 0.0 and max(lengths) < _MAX_LEG_RATIO * min(lengths)
