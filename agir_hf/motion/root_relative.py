"""Recordings without travel through the room, and the path of the body recovered from the planted foot.

Pose lifting from video gives joints relative to the pelvis, and so does a treadmill: the body stays where it is and the
feet slide under it. On a floor a planted foot stays where it is, so that the body moves by as much as the planted foot
slides the other way, and no part of a foot goes backwards over the floor. Of the parts of both feet the planted one is
therefore the one that slides backwards fastest. It is found for the whole recording at once: the sequence of parts that
carries the body farthest ahead, where each change of part costs a few centimetres, so that noise gains nothing by
changing and a whole stance rests on one part.

How near it comes, as the median over walks whose own path was taken away: 0.5 % of speed and stride on simulated ones,
2 % without toes; on recorded ones 2.5 % (laboratory markers, actors) to 5 % (retargeted skeletons) too low, which is
how much the planted feet creep ahead in these recordings themselves.

Somebody who walks backwards in a root-relative recording is taken to walk ahead; nothing in it tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX
from . import anatomy, orientation
from .canonical import REQUIRED_PARTS, SIDES, Landmarks, canonicalise, check_positions

Floats = NDArray[np.floating]
Array = NDArray[np.float64]

# Lengths in leg lengths (hip to knee to ankle). Changing the planted part costs this much: on simulated walks 0.02 to
# 0.04 gave the smallest errors, at 3 mm and at 10 mm of noise alike.
_CHANGE_COST = 0.04
# A body in place wanders less than this; treadmill walkers drift by a hand's breadth.
_MAX_WANDER = 0.4
_MIN_PATH = 0.6
_MIN_PATH_TO_WANDER = 2.0
_MIN_SPEED = 0.12  # leg lengths a second
_MIN_CHANGES_OF_FOOT = 2
# A walker's hips rise and fall by 2 cm and more; a root at the hips has no height of its own.
_MAX_FIXED_RISE_M = 0.003
_VELOCITY_WINDOW_S = 0.12
_PATH_WINDOW_S = 0.1
_FACING_WINDOW_S = 0.4
_MIN_FRAMES = 5
_FOOT_REACH = anatomy.FOOT_REACH_M / anatomy.LEG_LENGTH_M
_FOOT_DROP = (anatomy.ANKLE_HEIGHT_M - anatomy.TOE_BASE_HEIGHT_M) / anatomy.LEG_LENGTH_M


@dataclass(frozen=True)
class _Body:
    """What the path is found from: metres, Y up.

    Attributes:
        hips: (T, 3) middle of the hips.
        root: (T,) height of what may be the root.
        contacts: (C, T, 3) parts of the feet, the left foot's first, as many for each foot.
        facing: (T, 2) unit vectors over the floor (x, z).
        leg_m: hip to knee to ankle.
    """

    hips: Array
    root: Array
    contacts: Array
    facing: Array
    leg_m: float
    rate_hz: float


@dataclass(frozen=True)
class _Path:
    """Where the body went: (T, 3) metres from its first place, the mean height unchanged; whether heights were too."""

    places_m: Array
    length_m: float
    changes_of_foot: int
    with_height: bool


def is_root_relative(clip: MotionClip) -> bool:
    """Whether the body stays in place while its feet slide alternately, as if it walked."""
    body = _body(_clip_points(clip), clip.frame_rate_hz)
    return _wander(body) <= _MAX_WANDER * body.leg_m and _is_walk(body, _path(body))


def recover_path(clip: MotionClip) -> MotionClip:
    """The clip with the path that its planted feet tell, and a warning that says so.

    Best done before ``canonicalise``, where landmarks are at hand (see ``recover_landmarks``): the place of the toes in
    a foot is told there from feet that stand.

    Raises:
        MotionFormatError: the feet do not slide alternately under a body in place: see ``is_root_relative``.
    """
    body = _body(_clip_points(clip), clip.frame_rate_hz)
    path = _path(body)
    if _wander(body) > _MAX_WANDER * body.leg_m or not _is_walk(body, path):
        raise MotionFormatError(
            "expected a body in place whose feet slide alternately, found none: the recording has a path of its own or "
            "nobody walks in it"
        )
    joints = clip.joints_m.astype(np.float64) + path.places_m[:, None]
    warnings = (*clip.warnings, _warning(path, clip.duration_s))
    return clip.replace(joints_m=joints.astype(np.float32), warnings=warnings, path_recovered=True)


def place_landmarks(landmarks: Landmarks, *, source: str) -> MotionClip:
    """``canonicalise`` with the path recovered where the recording has none of its own: how every file is read.

    Raises:
        MotionFormatError: see ``canonicalise``.
    """
    return canonicalise(recover_landmarks(landmarks), source=source)


def recover_landmarks(landmarks: Landmarks) -> Landmarks:
    """The landmarks themselves, or, where they are root-relative, with the path recovered and a warning.

    Units, up axis and hand of the axes are told from the body, as ``canonicalise`` does, which comes after this.

    Raises:
        MotionFormatError: no plausible body, nobody upright (as ``canonicalise`` would find).
    """
    points = landmarks.points
    check_positions(points)
    if not all(part in points for part in REQUIRED_PARTS) or len(points["left_hip"]) < _MIN_FRAMES:
        return landmarks  # what is missing, canonicalise says
    size, _ = orientation.metres_per_unit(orientation.standing_height(points))
    matrix, _ = orientation.upright_matrix(points)
    # Most recordings travel, which the hips alone tell.
    hips = size * ((points["left_hip"] + points["right_hip"]) / 2.0) @ matrix.T
    if np.hypot(*np.ptp(hips[:, [0, 2]], axis=0)) > _MAX_WANDER * size * _leg_length(points):
        return landmarks
    upright = {part: values @ (size * matrix).T for part, values in points.items()}
    if orientation.is_mirrored(upright):
        matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
        upright = {part: values * [-1.0, 1.0, 1.0] for part, values in upright.items()}
    body = _body(upright, landmarks.frame_rate_hz)
    path = _path(body)
    if not _is_walk(body, path):
        return landmarks
    places = path.places_m @ matrix / size
    seconds = (len(body.hips) - 1) / landmarks.frame_rate_hz
    return replace(
        landmarks,
        points={part: values + places for part, values in points.items()},
        warnings=(*landmarks.warnings, _warning(path, seconds)),
        path_recovered=True,
    )


def _warning(path: _Path, seconds: float) -> str:
    what = "the path and the height of the body were" if path.with_height else "the path was"
    return (
        f"The recording is root-relative, or from a treadmill (the body stays in place while the feet slide): {what} "
        f"recovered from the planted foot, {path.length_m:.1f} m in {seconds:.1f} s; speed and distances are right to "
        "about 5 %."
    )


def _clip_points(clip: MotionClip) -> dict[str, Floats]:
    joints = clip.joints_m.astype(np.float64)
    names = ("pelvis", *REQUIRED_PARTS, *(f"{side}_shoulder" for side in SIDES))
    points: dict[str, Floats] = {name: joints[:, JOINT_INDEX[name]] for name in names}
    for side in SIDES:
        if f"{side}_foot" not in clip.joints_filled:
            points[f"{side}_toe_base"] = joints[:, JOINT_INDEX[f"{side}_foot"]]
    return points


def _body(points: Mapping[str, Floats], rate_hz: float) -> _Body:
    hips = np.asarray((points["left_hip"] + points["right_hip"]) / 2.0, dtype=np.float64)
    across = points["left_hip"] - points["right_hip"]
    if all(f"{side}_shoulder" in points for side in SIDES):
        across = across + points["left_shoulder"] - points["right_shoulder"]
    facing = _smoothed(np.stack([-across[:, 2], across[:, 0]], axis=-1), rate_hz, _FACING_WINDOW_S)
    facing /= np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), 1e-9)
    leg_m = _leg_length(points)
    contacts = []
    for side in SIDES:
        ankle = points[f"{side}_ankle"]
        toe = next((points[part] for part in (f"{side}_toe_base", f"{side}_toe_tip") if part in points), None)
        contacts += [ankle, _toe_of_a_planted_foot(ankle, facing, leg_m) if toe is None else toe]
    # The root, where it is told from the middle of the hips, may lie anywhere in the pelvis.
    root = hips[:, 1]
    if "pelvis" in points and np.ptp(points["pelvis"][:, 1]) < np.ptp(root):
        root = np.asarray(points["pelvis"][:, 1], dtype=np.float64)
    return _Body(hips, root, np.stack(contacts).astype(np.float64), facing, leg_m, rate_hz)


def _leg_length(points: Mapping[str, Floats]) -> float:
    """Hip to knee to ankle, mean of both sides, median over time, in the units of the points."""
    bones = [
        np.linalg.norm(points[f"{side}_{upper}"] - points[f"{side}_{lower}"], axis=-1)
        for side in SIDES
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median(sum(bones) / 2.0))


def _toe_of_a_planted_foot(ankle: Floats, facing: Array, leg_m: float) -> Floats:
    """Where the toe base is if the foot is planted: as the heel comes up, the ankle goes round the toe base."""
    height = ankle[:, 1] - np.quantile(ankle[:, 1], 0.15) + _FOOT_DROP * leg_m
    length = np.hypot(_FOOT_REACH, _FOOT_DROP) * leg_m
    reach = np.sqrt(np.clip(length**2 - np.maximum(height, 0.0) ** 2, 0.0, None))[:, None]
    return ankle + np.stack([reach[:, 0] * facing[:, 0], -height, reach[:, 0] * facing[:, 1]], axis=-1)


def _window(frames: int, rate_hz: float, seconds: float) -> int:
    """Odd number of frames next to a duration, between 3 and the length of the recording."""
    return max(3, min(2 * int(seconds * rate_hz / 2.0) + 1, frames - 1 + frames % 2))


def _smoothed(values: Floats, rate_hz: float, seconds: float) -> Array:
    """Local parabolas, which keep trends and have no lag."""
    if len(values) < 3:
        return np.asarray(values, dtype=np.float64)
    return np.asarray(savgol_filter(values, _window(len(values), rate_hz, seconds), 2, axis=0), dtype=np.float64)


def _wander(body: _Body) -> float:
    """Diagonal of the piece of floor that the body stays over, metres."""
    return float(np.hypot(*np.ptp(body.hips[:, [0, 2]], axis=0)))


def _is_walk(body: _Body, path: _Path) -> bool:
    seconds = (len(body.hips) - 1) / body.rate_hz
    least = max(_MIN_PATH * body.leg_m, _MIN_PATH_TO_WANDER * _wander(body), _MIN_SPEED * body.leg_m * seconds)
    return path.length_m >= least and path.changes_of_foot >= _MIN_CHANGES_OF_FOOT


def _path(body: _Body) -> _Path:
    frames = len(body.hips)
    if frames < _MIN_FRAMES:
        return _Path(np.zeros((frames, 3)), 0.0, 0, False)
    window = _window(frames, body.rate_hz, _VELOCITY_WINDOW_S)
    velocities = savgol_filter(body.contacts[..., [0, 2]], window, 2, deriv=1, delta=1.0 / body.rate_hz, axis=1)
    backwards = -(velocities * body.facing).sum(axis=-1) / body.rate_hz
    planted = _farthest(backwards, _CHANGE_COST * body.leg_m)
    velocity = _averaged(-velocities[planted, np.arange(frames)], body.rate_hz)
    places = np.zeros((frames, 3))
    places[1:, [0, 2]] = np.cumsum((velocity[1:] + velocity[:-1]) / (2.0 * body.rate_hz), axis=0)
    slow = _averaged(places[:, [0, 2]], body.rate_hz, 0.5)
    length = float(np.linalg.norm(np.diff(slow, axis=0), axis=-1).sum())
    feet = planted // (len(body.contacts) // 2)
    fixed = float(np.ptp(body.root)) < _MAX_FIXED_RISE_M
    if fixed:
        places[:, 1] = _heights(body, planted)
    return _Path(places, length, int(np.count_nonzero(np.diff(feet))), fixed)


def _farthest(gains: Array, cost: float) -> NDArray[np.intp]:
    """Row for each column of (C, T) gains so that their sum, less ``cost`` for each change of row, is largest."""
    rows, frames = gains.shape
    total = gains[:, 0].copy()
    before = np.empty((frames, rows), dtype=np.intp)
    own = np.arange(rows)
    for frame in range(1, frames):
        best = int(np.argmax(total))
        changed = total[best] - cost
        before[frame] = np.where(total >= changed, own, best)
        total = np.maximum(total, changed) + gains[:, frame]
    chosen = np.empty(frames, dtype=np.intp)
    chosen[-1] = np.argmax(total)
    for frame in range(frames - 1, 0, -1):
        chosen[frame - 1] = before[frame, chosen[frame]]
    return chosen


def _averaged(values: Array, rate_hz: float, seconds: float = _PATH_WINDOW_S) -> Array:
    """Moving average with a bell-shaped window; the ends are held."""
    half = max(1, min(round(seconds * rate_hz / 2.0), len(values) - 1))
    kernel = np.hanning(2 * half + 3)[1:-1]
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(values[:1], half, axis=0), values, np.repeat(values[-1:], half, axis=0)])
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=-1)


def _heights(body: _Body, planted: NDArray[np.intp]) -> Array:
    """(T,) rise and fall of a body without height of its own, from the planted part being on the floor."""
    heights = body.contacts[planted, np.arange(len(planted)), 1]
    levels = np.zeros(len(body.contacts))
    for part in np.unique(planted):
        levels[part] = np.median(heights[planted == part])
    rise = _averaged((levels[planted] - heights)[:, None], body.rate_hz)[:, 0]
    return rise - float(np.median(rise))
