"""The 263 motion features of HumanML3D and their inverse, vectorised.

Layout of a frame (Guo et al. 2022, "Generating Diverse and Natural 3D Human Motions from Text", CVPR):

====== ============================================================================================================
slice  content
====== ============================================================================================================
0      root yaw velocity: minus half the change of heading to the next frame, radians per frame
1:3    root velocity along heading-frame X and Z, metres per frame, in the frame of the NEXT frame's heading
3      root height, metres
4:67   positions of joints 1..21: horizontal part relative to the root, turned into the heading frame; Y above the floor
67:193 6-D rotations of joints 1..21 (see ``_rotation_features``)
193:259 velocities of joints 0..21 turned into the heading frame, metres per frame
259:263 floor contact of left ankle, left foot, right ankle, right foot (0 or 1)
====== ============================================================================================================

The heading was found from the corpus itself (its features and joints agree to 1e-6 under this definition and under no
other that was tried): the horizontal perpendicular to (shoulder line MINUS hip line), smoothed with a Gaussian of 20
frames. The sum of the lines would be steadier, but every model trained on the corpus has learned the difference. The
first frame is an exception: its heading is the unsmoothed perpendicular to the SUM of both lines, and the clip is
turned so that it faces +Z. The first yaw velocity therefore also contains the jump between the two.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, KINEMATIC_CHAINS, NUM_JOINTS

FEATURE_DIM = 263
REFERENCE_RATE_HZ = 20.0
HEADING_SMOOTHING_S = 1.0
# Squared displacement of a joint per frame at 20 fps, m^2, under which the corpus calls it in contact (about 0.9 m/s).
CONTACT_DISPLACEMENT_M2 = 0.002

POSITION_SLICE = slice(4, 67)
ROTATION_SLICE = slice(67, 193)
VELOCITY_SLICE = slice(193, 259)
CONTACT_SLICE = slice(259, 263)
CONTACT_JOINTS: tuple[str, ...] = ("left_ankle", "left_foot", "right_ankle", "right_foot")
_CONTACT_INDICES = [JOINT_INDEX[name] for name in CONTACT_JOINTS]

# Frames worked out at once: small enough for the processor's cache.
_CHUNK = 512

Floats = NDArray[np.floating]

# Direction (axis, sign) of each bone in the rest pose behind the rotation features: X left, Y up, Z ahead.
_LEFT, _RIGHT, _UP, _DOWN, _AHEAD = (0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0), (2, 1.0)
_REST_DIRECTIONS: dict[str, tuple[int, float]] = {
    "left_hip": _LEFT,
    "right_hip": _RIGHT,
    "spine1": _UP,
    "left_knee": _DOWN,
    "right_knee": _DOWN,
    "spine2": _UP,
    "left_ankle": _DOWN,
    "right_ankle": _DOWN,
    "spine3": _UP,
    "left_foot": _AHEAD,
    "right_foot": _AHEAD,
    "neck": _UP,
    "left_collar": _LEFT,
    "right_collar": _RIGHT,
    "head": _AHEAD,
    "left_shoulder": _DOWN,
    "right_shoulder": _DOWN,
    "left_elbow": _DOWN,
    "right_elbow": _DOWN,
    "left_wrist": _DOWN,
    "right_wrist": _DOWN,
}


def joints_to_features(joints_m: Floats, frame_rate_hz: float = REFERENCE_RATE_HZ) -> NDArray[np.float32]:
    """HumanML3D features of one clip.

    Args:
        joints_m: (T, 22, 3) metres, Y up, floor at Y = 0. Bone lengths are taken as they are: retarget first.
        frame_rate_hz: rate of ``joints_m``. The features are defined at 20; at another rate velocities stay per frame,
            while the heading smoothing and the contact threshold keep their meaning in seconds.

    Returns:
        (T - 1, 263) float32: each frame looks at the next one, so that the last frame has none.

    Raises:
        MotionFormatError: wrong shape, fewer than 2 frames.
    """
    joints = np.asarray(joints_m)
    if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or len(joints) < 2:
        raise MotionFormatError(
            f"expected at least 2 frames of joints, shape (T, {NUM_JOINTS}, 3), found {np.shape(joints_m)}"
        )
    hips, shoulders = _across(joints)
    first_angle = _first_facing(hips[0] + shoulders[0])
    smoothed = _smooth(_facing(shoulders - hips), HEADING_SMOOTHING_S * frame_rate_hz)
    heading = np.arctan2(smoothed[:, 0], smoothed[:, 1]) - first_angle
    heading[0] = 0.0
    threshold = CONTACT_DISPLACEMENT_M2 * (REFERENCE_RATE_HZ / frame_rate_hz) ** 2
    features = np.empty((len(joints) - 1, FEATURE_DIM), dtype=np.float32)
    features[:, 0] = -0.5 * _wrap_angle(np.diff(heading))
    for start in range(0, len(features), _CHUNK):
        stop = min(start + _CHUNK, len(features))
        _fill_chunk(features[start:stop], joints[start : stop + 1], heading[start : stop + 1], first_angle, threshold)
    return features


def _fill_chunk(features: Floats, joints: Floats, heading: Floats, first_angle: float, threshold: float) -> None:
    """Everything but the yaw velocity of (N, 263) features, from the (N + 1, 22, 3) joints behind them."""
    # Component first: one contiguous row over time for each number keeps the arithmetic fast.
    points = np.ascontiguousarray(joints.transpose(1, 2, 0), dtype=np.float64)
    # Everything is turned by -(heading + first_angle): the clip is never rotated to face +Z as a whole.
    angle = heading + first_angle
    cosine, sine = np.cos(angle), np.sin(angle)
    steps = np.diff(points, axis=2)
    root_x, root_z = steps[0, 0], steps[0, 2]
    features[:, 1] = cosine[1:] * root_x - sine[1:] * root_z
    features[:, 2] = cosine[1:] * root_z + sine[1:] * root_x
    features[:, 3] = points[0, 1, :-1]
    local = points[:, :, :-1].copy()
    local[1:, ::2] -= points[:1, ::2, :-1]
    features[:, POSITION_SLICE] = _turned_back(local[1:], cosine[:-1], sine[:-1])
    features[:, ROTATION_SLICE] = _rotation_features(points[:, :, :-1], heading[:-1], first_angle)
    features[:, VELOCITY_SLICE] = _turned_back(steps, cosine[:-1], sine[:-1])
    contacts = (steps[_CONTACT_INDICES] ** 2).sum(axis=1)
    features[:, CONTACT_SLICE] = (contacts < threshold).T


def features_to_joints(features: Floats) -> NDArray[np.float64]:
    """Joint positions from features: root velocities are summed, positions placed around the root.

    The clip starts above the origin, its first frame facing +Z. Rotations and contacts are not used; velocities only
    for the last frame, which has no positions of its own.

    Args:
        features: (T - 1, 263), not normalised.

    Returns:
        (T, 22, 3) float64, metres, Y up. With features of joints that started at the origin facing +Z these joints are
        returned (to float32 precision).

    Raises:
        MotionFormatError: wrong shape or no frames.
    """
    data = np.asarray(features, dtype=np.float64)
    if data.ndim != 2 or data.shape[1] != FEATURE_DIM or len(data) < 1:
        raise MotionFormatError(f"expected features of shape (T, {FEATURE_DIM}), found {np.shape(features)}")
    frames = len(data)
    angle = np.zeros(frames + 1)
    angle[1:] = np.cumsum(-2.0 * data[:, 0])
    step = np.zeros((frames, 1, 3))
    step[:, 0, ::2] = data[:, 1:3]
    path = np.zeros((frames + 1, 3))
    path[1:] = np.cumsum(_turn(step, angle[1:])[:, 0], axis=0)

    joints = np.empty((frames + 1, NUM_JOINTS, 3))
    joints[:-1, 0, ::2] = path[:-1, ::2]
    joints[:-1, 0, 1] = data[:, 3]
    joints[:-1, 1:] = _turn(data[:, POSITION_SLICE].reshape(frames, NUM_JOINTS - 1, 3), angle[:-1])
    joints[:-1, 1:, ::2] += path[:-1, None, ::2]
    last_step = _turn(data[-1:, VELOCITY_SLICE].reshape(1, NUM_JOINTS, 3), angle[-2:-1])[0]
    joints[-1] = joints[-2] + last_step
    return joints


def _across(joints: Floats) -> tuple[Floats, Floats]:
    """Vectors (..., 3) from right to left across the hips and across the shoulders."""
    left_hip, right_hip, left_shoulder, right_shoulder = (
        joints[..., JOINT_INDEX[f"{side}_{joint}"], :].astype(np.float64)
        for joint in ("hip", "shoulder")
        for side in ("left", "right")
    )
    return left_hip - right_hip, left_shoulder - right_shoulder


def _first_facing(to_left: Floats) -> float:
    """Angle about Y, radians from +Z towards +X, of somebody whose left is this way (3,)."""
    return float(np.arctan2(-to_left[2], to_left[0]))


def _facing(to_left: Floats) -> Floats:
    """(T, 2) X and Z of the facing behind the heading; shorter than 1 where (T, 3) to the left is not level."""
    to_left = to_left / np.maximum(np.linalg.norm(to_left, axis=-1, keepdims=True), 1e-9)
    return np.stack([-to_left[:, 2], to_left[:, 0]], axis=-1)


def _smooth(values: Floats, sigma_frames: float) -> Floats:
    """Gaussian smoothing over time, (T, C) -> (T, C); edges repeat the end values; cut at 4 sigma."""
    radius = int(4.0 * sigma_frames + 0.5)
    if radius < 1:
        return values
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma_frames) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=-1)


def _wrap_angle(angle: Floats) -> Floats:
    return (angle + np.pi) % (2.0 * np.pi) - np.pi


def _turn(vectors: Floats, angle: Floats) -> Floats:
    """Vectors (T, N, 3) turned about Y by (T,) radians; a positive quarter turns +Z into +X."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.empty_like(vectors)
    turned[..., 0] = cosine * vectors[..., 0] + sine * vectors[..., 2]
    turned[..., 1] = vectors[..., 1]
    turned[..., 2] = cosine * vectors[..., 2] - sine * vectors[..., 0]
    return turned


def _turned_back(points: Floats, cosine: Floats, sine: Floats) -> Floats:
    """(T, 3 J) of component-first (J, 3, T) vectors, turned about Y by minus the angle of this cosine and sine."""
    turned = np.empty(points.shape, dtype=np.float32)
    turned[:, 0] = cosine * points[:, 0] - sine * points[:, 2]
    turned[:, 1] = points[:, 1]
    turned[:, 2] = cosine * points[:, 2] + sine * points[:, 0]
    return turned.reshape(-1, points.shape[2]).T


def _rotation_features(points: Floats, heading: Floats, first_angle: float) -> Floats:
    """(T, 126) 6-D rotations of joints 1..21 as the corpus defines them, from component-first joints (22, 3, T).

    Each bone's world rotation is the shortest rotation from its rest direction (``_REST_DIRECTIONS``, an axis) to its
    direction in the frame; twist about the bone is not observable from positions and stays zero. The feature is the
    rotation relative to the previous bone of the kinematic chain, its first two matrix columns. Two properties of the
    corpus are kept, because a consumer of the features depends on them: every chain, the arms too, starts from the root
    rotation, and that root rotation is the one that turns the heading to +Z (the inverse of the body's own turn).
    """
    frames = points.shape[2]
    bones = points[_BONE_ENDS] - points[_BONE_STARTS]
    cosine, sine = np.cos(first_angle), np.sin(first_angle)
    x, z = bones[:, 0].copy(), bones[:, 2].copy()
    bones[:, 0], bones[:, 2] = cosine * x - sine * z, cosine * z + sine * x
    bones *= 1.0 / np.maximum(np.sqrt((bones**2).sum(axis=1, keepdims=True)), 1e-12)
    # World rotations: row, column, bone, frame; the root comes last.
    world = np.empty((3, 3, len(bones) + 1, frames))
    for axis, members in enumerate(_BONES_BY_AXIS):
        _turn_onto(bones[members], axis, _BONE_SIGNS[members], world[:, :, members])
    world[:, :, -1] = 0.0
    world[1, 1, -1] = 1.0
    world[0, 0, -1] = world[2, 2, -1] = np.cos(heading)
    world[2, 0, -1] = np.sin(heading)
    world[0, 2, -1] = -world[2, 0, -1]
    parents = world[:, :, _BONE_PARENTS]
    # parent^T @ own, the first two columns only.
    columns = np.empty((len(bones), 2, 3, frames), dtype=np.float32)
    for column in range(2):
        for row in range(3):
            columns[_BONE_PLACES, column, row] = (
                parents[0, row] * world[0, column, :-1]
                + parents[1, row] * world[1, column, :-1]
                + parents[2, row] * world[2, column, :-1]
            )
    return columns.reshape(-1, frames).T


def _turn_onto(bones: Floats, axis: int, signs: Floats, matrix: Floats) -> None:
    """Into (3, 3, B, T): matrices that turn one axis, of a sign for each bone, onto unit bones (B, 3, T) without twist.

    With rest direction u and bone direction v: I + [w] + [w]^2 / (1 + u.v), w = u x v. A bone opposite to its rest
    direction has no shortest rotation; it gets half a turn about a fixed perpendicular axis.
    """
    one, two = (axis + 1) % 3, (axis + 2) % 3
    along, a, b = (signs[:, None] * bones[:, component] for component in (axis, one, two))
    factor = 1.0 / np.maximum(1.0 + along, 1e-9)
    matrix[axis, axis] = along
    matrix[one, axis] = a
    matrix[two, axis] = b
    np.negative(a, out=matrix[axis, one])
    np.negative(b, out=matrix[axis, two])
    a_factor = a * factor
    matrix[one, one] = 1.0 - a * a_factor
    matrix[two, two] = 1.0 - b * b * factor
    matrix[one, two] = matrix[two, one] = -a_factor * b
    opposite = along < -1.0 + 1e-9
    if opposite.any():
        half_turn = np.zeros((3, 3))
        half_turn[axis, axis] = half_turn[one, one] = -1.0
        half_turn[two, two] = 1.0
        matrix[:, :, opposite] = half_turn[:, :, None]


# The 21 bones, those of one rest axis together, so that they are worked out at once.
_BONES = sorted(
    (
        (*_REST_DIRECTIONS[JOINT_NAMES[end]], start, end, place == 0)
        for chain in KINEMATIC_CHAINS
        for place, (start, end) in enumerate(pairwise(chain))
    ),
    key=lambda bone: bone[0],
)
_BONE_SIGNS = np.array([bone[1] for bone in _BONES])
_BONE_STARTS = np.array([bone[2] for bone in _BONES])
_BONE_ENDS = np.array([bone[3] for bone in _BONES])
_BONE_PLACES = _BONE_ENDS - 1
_BONES_BY_AXIS = tuple(
    slice(*(int(place) for place in np.searchsorted([bone[0] for bone in _BONES], [axis, axis + 1])))
    for axis in range(3)
)
# Place among the bones of the one before in the chain; after them all comes the root.
_BONE_PARENTS = np.array(
    [len(_BONES) if bone[4] else next(i for i, other in enumerate(_BONES) if other[3] == bone[2]) for bone in _BONES]
)
