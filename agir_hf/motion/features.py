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
from ..skeleton import JOINT_INDEX, KINEMATIC_CHAINS, NUM_JOINTS

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

# Frames whose rotations are worked out at once: small enough for the processor's cache.
_ROTATION_CHUNK = 256

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
    joints = np.asarray(joints_m, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (NUM_JOINTS, 3) or len(joints) < 2:
        raise MotionFormatError(
            f"expected at least 2 frames of joints, shape (T, {NUM_JOINTS}, 3), found {np.shape(joints_m)}"
        )
    smoothing_frames = HEADING_SMOOTHING_S * frame_rate_hz
    first_angle = _first_facing(joints[0])
    smoothed = _smooth(_shoulders_minus_hips_facing(joints), smoothing_frames)
    heading = np.arctan2(smoothed[:, 0], smoothed[:, 1]) - first_angle
    heading[0] = 0.0
    root = joints[:, 0]
    steps = np.diff(joints, axis=0)

    features = np.empty((len(joints) - 1, FEATURE_DIM), dtype=np.float32)
    features[:, 0] = -0.5 * _wrap_angle(np.diff(heading))
    # Everything is turned by -(heading + first_angle): the clip is never rotated to face +Z as a whole.
    angle = heading + first_angle
    features[:, 1:3] = _turn(steps[:, :1], -angle[1:])[:, 0, ::2]
    features[:, 3] = root[:-1, 1]
    local = joints[:-1, 1:].copy()
    local[:, :, ::2] -= root[:-1, None, ::2]
    features[:, POSITION_SLICE] = _turn(local, -angle[:-1]).reshape(len(features), -1)
    for start in range(0, len(features), _ROTATION_CHUNK):
        chunk = slice(start, min(start + _ROTATION_CHUNK, len(features)))
        features[chunk, ROTATION_SLICE] = _rotation_features(joints[chunk], heading[chunk], first_angle)
    features[:, VELOCITY_SLICE] = _turn(steps, -angle[:-1]).reshape(len(features), -1)
    contacts = steps[:, [JOINT_INDEX[name] for name in CONTACT_JOINTS]]
    threshold = CONTACT_DISPLACEMENT_M2 * (REFERENCE_RATE_HZ / frame_rate_hz) ** 2
    features[:, CONTACT_SLICE] = (contacts**2).sum(axis=-1) < threshold
    return features


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
    index = JOINT_INDEX
    hips = joints[..., index["left_hip"], :] - joints[..., index["right_hip"], :]
    shoulders = joints[..., index["left_shoulder"], :] - joints[..., index["right_shoulder"], :]
    return hips, shoulders


def _first_facing(joints: Floats) -> float:
    """Angle about Y, radians from +Z towards +X, that one frame of joints (22, 3) faces."""
    hips, shoulders = _across(joints)
    to_left = hips + shoulders
    return float(np.arctan2(-to_left[2], to_left[0]))


def _shoulders_minus_hips_facing(joints: Floats) -> Floats:
    """(T, 2) X and Z of the facing behind the heading; shorter than 1 where the difference line is not level."""
    hips, shoulders = _across(joints)
    to_left = shoulders - hips
    to_left /= np.maximum(np.linalg.norm(to_left, axis=-1, keepdims=True), 1e-9)
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


def _rotation_features(joints: Floats, heading: Floats, first_angle: float) -> Floats:
    """(T, 126) 6-D rotations of joints 1..21 as the corpus defines them.

    Each bone's world rotation is the shortest rotation from its rest direction (``_REST_DIRECTIONS``, an axis) to its
    direction in the frame; twist about the bone is not observable from positions and stays zero. The feature is the
    rotation relative to the previous bone of the kinematic chain, its first two matrix columns. Two properties of the
    corpus are kept, because a consumer of the features depends on them: every chain, the arms too, starts from the root
    rotation, and that root rotation is the one that turns the heading to +Z (the inverse of the body's own turn).
    """
    frames = len(joints)
    # Component-first arrays: one contiguous (T,) row per number keeps the small matrix products fast.
    points = np.ascontiguousarray(joints.transpose(1, 2, 0))
    cosine, sine = np.cos(first_angle), np.sin(first_angle)
    points = np.stack(
        [
            cosine * points[:, 0] - sine * points[:, 2],
            points[:, 1],
            cosine * points[:, 2] + sine * points[:, 0],
        ],
        axis=1,
    )
    columns = np.empty((NUM_JOINTS, 2, 3, frames))
    root = _turn_matrix(-heading)
    for chain in KINEMATIC_CHAINS:
        parent = root
        for start, end in pairwise(chain):
            bone = points[end] - points[start]
            own = _shortest_rotation(_REST_DIRECTIONS_BY_INDEX[end], bone)
            # parent^T @ own, first two columns only.
            for column in range(2):
                for row in range(3):
                    columns[end, column, row] = (
                        parent[0][row] * own[0][column]
                        + parent[1][row] * own[1][column]
                        + parent[2][row] * own[2][column]
                    )
            parent = own
    return columns[1:].reshape((NUM_JOINTS - 1) * 6, frames).T


_REST_DIRECTIONS_BY_INDEX = {JOINT_INDEX[name]: direction for name, direction in _REST_DIRECTIONS.items()}


def _turn_matrix(angle: Floats) -> Floats:
    """Rotation matrices about Y, (3, 3, T)."""
    matrix = np.zeros((3, 3, len(angle)))
    matrix[0, 0] = matrix[2, 2] = np.cos(angle)
    matrix[0, 2] = np.sin(angle)
    matrix[2, 0] = -matrix[0, 2]
    matrix[1, 1] = 1.0
    return matrix


def _shortest_rotation(rest: tuple[int, float], bone: Floats) -> Floats:
    """(3, 3, T) matrices that turn a signed coordinate axis onto bones (3, T) without twist.

    With rest direction u and bone direction v: I + [w] + [w]^2 / (1 + u.v), w = u x v. A bone opposite to its rest
    direction has no shortest rotation; it gets half a turn about a fixed perpendicular axis.
    """
    axis, sign = rest
    length = np.sqrt(bone[0] ** 2 + bone[1] ** 2 + bone[2] ** 2)
    direction = bone * (1.0 / np.maximum(length, 1e-12))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    along = sign * direction[axis]
    a, b = sign * direction[one], sign * direction[two]
    factor = 1.0 / np.maximum(1.0 + along, 1e-9)
    matrix = np.empty((3, 3, bone.shape[1]))
    matrix[axis, axis] = along
    matrix[one, axis] = a
    matrix[two, axis] = b
    matrix[axis, one] = -a
    matrix[axis, two] = -b
    matrix[one, one] = 1.0 - a * a * factor
    matrix[two, two] = 1.0 - b * b * factor
    matrix[one, two] = matrix[two, one] = -a * b * factor
    opposite = along < -1.0 + 1e-9
    if opposite.any():
        half_turn = np.zeros((3, 3))
        half_turn[axis, axis] = half_turn[one, one] = -1.0
        half_turn[two, two] = 1.0
        matrix[:, :, opposite] = half_turn[:, :, None]
    return matrix
