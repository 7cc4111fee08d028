"""Motion of the SMPL family of body models in .npz files (AMASS and others): pose parameters to joints.

A pose is one axis-angle rotation (radians) per joint relative to its parent, the root first; the first 22 joints are
the same in SMPL, SMPL-H and SMPL-X, and only these are used. ``trans`` moves the whole body. Joints come from the rest
skeleton of the neutral SMPL body at zero shape (``smpl_rest_offsets.csv``, with its licence note): exact for neutral
SMPL at zero shape, which is what CARE-PD publishes; for other shapes the limb lengths are approximate and the clip says
so. No body-model file is needed. The model: Loper et al., SMPL: A Skinned Multi-Person Linear Model, ACM Trans. Graph.
34(6), 2015.
"""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES
from . import orientation
from .canonical import SIDES, Landmarks
from .numpy_files import READ_ERRORS, Archive, is_archive
from .root_relative import place_landmarks

FORMAT = "SMPL"

Floats = NDArray[np.float64]

BODY_WIDTH = 66  # 22 rotations
# Body model by the number of pose values a frame has; 66 are the joints that all of them share.
_MODEL_OF_WIDTH = {66: "SMPL", 72: "SMPL", 156: "SMPL-H", 165: "SMPL-X"}
_BODY_WIDTHS = (63, 69)
_POSE_KEYS = ("poses", "pose", "fullpose")
_ROOT_KEYS = ("root_orient", "global_orient")
_BODY_KEYS = ("pose_body", "body_pose")
_TRANS_KEYS = ("trans", "transl")
_BETAS_KEYS = ("betas", "beta")
_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate", "frame_rate_hz", "fps", "frame_rate", "framerate")
# A rotation vector is at most pi long, twice that where it was not wrapped; degrees are longer.
_MAX_ROTATION = 6.0 * np.pi
_MAX_TRANS_M = 1e6
# Parts of the body by joint of the 24-joint skeleton; the two hands come after the 22 joints of a clip.
_PARTS: dict[str, int] = {
    "pelvis": JOINT_INDEX["pelvis"],
    "neck": JOINT_INDEX["neck"],
    "head": JOINT_INDEX["head"],
    **{
        f"{side}_{part}": JOINT_INDEX[f"{side}_{'foot' if part == 'toe_base' else part}"]
        for side in SIDES
        for part in ("hip", "knee", "ankle", "toe_base", "shoulder", "elbow", "wrist")
    },
    "left_hand_tip": len(JOINT_NAMES),
    "right_hand_tip": len(JOINT_NAMES) + 1,
}


@dataclass(frozen=True)
class SmplMotion:
    """Parameters of one recording.

    Attributes:
        pose: (T, P) axis-angle in radians, root first; the first 66 columns are used.
        trans_m: (T, 3) translation of the body in metres; zeros where the source has none.
        frame_rate_hz: frames per second.
        model: "SMPL", "SMPL-H" or "SMPL-X".
        betas: (B,) shape coefficients; empty where the source has none.
        gender: as the source says, "" where it says nothing.
    """

    pose: Floats
    trans_m: Floats
    frame_rate_hz: float
    model: str = "SMPL"
    betas: Floats = field(default_factory=lambda: np.zeros(0))
    gender: str = ""


@cache
def rest_skeleton() -> tuple[Floats, tuple[int, ...]]:
    """((24, 3) offsets from the parent in metres, parents; -1 for the root) of the neutral body at zero shape.

    Y up, left at +X, facing +Z. The offset of the root is where the pelvis lies when ``trans`` is zero.
    """
    text = resources.files(__package__).joinpath("smpl_rest_offsets.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    offsets = np.array([[float(row[f"d{axis}_m"]) for axis in "xyz"] for row in rows])
    offsets.flags.writeable = False
    return offsets, tuple(int(row["parent"]) for row in rows)


def rotation_matrices(vectors: Floats) -> Floats:
    """(T, 3, 3) rotation matrices of (T, 3) axis-angle vectors in radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)
    x, y, z = (vectors / np.maximum(angle, 1e-12)[:, None]).T
    zero = np.zeros_like(angle)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    sine, versine = np.sin(angle)[:, None, None], (1.0 - np.cos(angle))[:, None, None]
    return np.eye(3) + sine * cross + versine * (cross @ cross)


def smpl_joints(pose: Floats, trans_m: Floats) -> tuple[Floats, dict[int, Floats]]:
    """Positions (T, 24, 3) in metres in the axes of ``trans_m``, and world rotations (T, 3, 3) of both ankles by joint.

    Args:
        pose: (T, 66 or more) axis-angle in radians.
        trans_m: (T, 3).
    """
    offsets, parents = rest_skeleton()
    last_child = {parent: joint for joint, parent in enumerate(parents)}
    kept = (JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"])
    positions = np.empty((len(pose), len(parents), 3))
    rotations: dict[int, Floats] = {}
    for joint, parent in enumerate(parents):
        positions[:, joint] = (
            trans_m + offsets[0] if parent < 0 else positions[:, parent] + rotations[parent] @ offsets[joint]
        )
        if joint in last_child:
            own = rotation_matrices(pose[:, 3 * joint : 3 * joint + 3])
            rotations[joint] = own if parent < 0 else rotations[parent] @ own
        # A long recording would not fit into memory with all its rotations.
        if parent >= 0 and last_child[parent] == joint and parent not in kept:
            del rotations[parent]
    return positions, {joint: rotations[joint] for joint in kept}


def smpl_landmarks(motion: SmplMotion) -> Landmarks:
    """Body parts over time in metres, in the axes of ``trans_m`` (AMASS: Z up; others: Y up).

    Raises:
        MotionFormatError: wrong shapes, values not finite, rotations that cannot be radians, nobody upright.
    """
    _check(motion)
    positions, rotations = smpl_joints(motion.pose, motion.trans_m)
    points = {part: positions[:, joint] for part, joint in _PARTS.items()}
    # The rest skeleton has Y up. Turned into the axes of the recording, it is what ``canonicalise`` expects.
    up, _ = orientation.upright_matrix(points)
    offsets, parents = rest_skeleton()
    rest = offsets.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] += rest[parent]
    return Landmarks(
        points=points,
        frame_rate_hz=motion.frame_rate_hz,
        rest={part: rest[joint] @ up for part, joint in _PARTS.items()},
        foot_rotations={side: rotations[JOINT_INDEX[f"{side}_ankle"]] @ up for side in SIDES},
        warnings=_shape_warnings(motion),
    )


def clip_from_smpl(motion: SmplMotion, *, source: str) -> MotionClip:
    """The clip of one recording; where it has no travel of its own, the path is recovered from the planted foot.

    Raises:
        MotionFormatError: see ``smpl_landmarks`` and ``canonicalise``.
    """
    return place_landmarks(smpl_landmarks(motion), source=source)


def is_smpl_archive(path: Path) -> bool:
    """Whether a file is a .npz with a pose of this family, by its table of contents, wherever the arrays stand."""
    try:
        if not is_archive(path):
            return False
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist()}
    except READ_ERRORS:
        return False
    return bool(names.intersection(_POSE_KEYS)) or all(names.intersection(k) for k in (_ROOT_KEYS, _BODY_KEYS))


def read_smpl(path: Path, *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read a .npz with ``poses``, or ``root_orient`` and ``pose_body``, and ``trans``, ``betas``, ``mocap_framerate``.

    Args:
        path: the file.
        frame_rate_hz: wins over the rate in the file; needed where that has none.

    Raises:
        MotionFormatError: not such a file, truncated, too large, no pose, no rate, no plausible body.
    """
    if path.stat().st_size == 0:
        raise MotionFormatError(f"{path}: expected an .npz of SMPL parameters, found an empty file")
    try:
        with zipfile.ZipFile(path) as archive:
            motion = _motion(Archive(archive), frame_rate_hz)
        return clip_from_smpl(motion, source=str(path)).replace(format=f"{motion.model} poses")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error
    except READ_ERRORS as error:
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise MotionFormatError(f"{path}: expected a complete .npz of SMPL parameters, found: {detail}") from error


def _motion(arrays: Archive, frame_rate_hz: float | None) -> SmplMotion:
    if frame_rate_hz is None:
        frame_rate_hz = arrays.number(_RATE_KEYS)
        if frame_rate_hz is None:
            raise MotionFormatError(
                "expected a frame rate (mocap_framerate), found none: pass frame_rate_hz, or --frame-rate-hz"
            )
    pose, model = _pose(arrays)
    trans = arrays.numbers(_TRANS_KEYS)
    betas = arrays.numbers(_BETAS_KEYS)
    return SmplMotion(
        pose=pose,
        trans_m=np.zeros((len(pose), 3)) if trans is None else trans,
        frame_rate_hz=frame_rate_hz,
        model=model,
        betas=strongest_betas(betas),
        gender=" ".join(arrays.texts("gender")),
    )


def strongest_betas(betas: ArrayLike | None) -> Floats:
    """(B,) shape coefficients, each as far from zero as in any frame, from (B,), (1, B) or (T, B)."""
    values = np.zeros((0, 0)) if betas is None else np.atleast_2d(np.asarray(betas, dtype=np.float64))
    return np.abs(values).max(axis=0) if values.size else np.zeros(0)


def _pose(arrays: Archive) -> tuple[Floats, str]:
    whole = arrays.numbers(_POSE_KEYS)
    if whole is not None:
        pose = flat_pose(whole)
        model = _MODEL_OF_WIDTH[pose.shape[1]]
    else:
        root, body = arrays.numbers(_ROOT_KEYS), arrays.numbers(_BODY_KEYS)
        if root is None or body is None:
            shown = ", ".join(sorted(arrays.members)[:8]) or "nothing"
            raise MotionFormatError(f"expected arrays poses, or root_orient and pose_body, found {shown[:200]}")
        root, body = (part.reshape(len(part), -1) if part.ndim == 3 else part for part in (root, body))
        if root.ndim != 2 or root.shape[1] != 3 or body.ndim != 2 or body.shape[1] not in _BODY_WIDTHS:
            raise MotionFormatError(
                f"expected root_orient of shape (T, 3) and pose_body of shape (T, 63), found {root.shape} and "
                f"{body.shape}"
            )
        if len(root) != len(body):
            raise MotionFormatError(
                f"expected as many frames in root_orient as in pose_body, found {len(root)} and {len(body)}"
            )
        pose = np.concatenate([root, body], axis=1)
        model = "SMPL-H" if body.shape[1] == 63 else "SMPL"
        if arrays.find(("pose_jaw", "jaw_pose", "pose_eye", "leye_pose", "expression")) is not None:
            model = "SMPL-X"
    named = " ".join(arrays.texts("surface_model_type")).lower().replace("-", "")
    return pose, {"smpl": "SMPL", "smplh": "SMPL-H", "smplx": "SMPL-X"}.get(named, model)


def flat_pose(pose: ArrayLike) -> Floats:
    """(T, P) poses from (T, P) or (T, P / 3, 3) axis-angle.

    Raises:
        MotionFormatError: a number of values a frame that no model of the family has.
    """
    values = np.asarray(pose, dtype=np.float64)
    flat = values.reshape(len(values), -1) if values.ndim == 3 and values.shape[2] == 3 else values
    if flat.ndim != 2 or flat.shape[1] not in _MODEL_OF_WIDTH:
        raise MotionFormatError(
            f"expected axis-angle poses of shape (T, 72) for SMPL, (T, 156) for SMPL-H or (T, 165) for SMPL-X, found "
            f"{values.shape}"
        )
    return flat


def _check(motion: SmplMotion) -> None:
    pose, trans = motion.pose, motion.trans_m
    if pose.ndim != 2 or pose.shape[1] < BODY_WIDTH:
        raise MotionFormatError(f"expected poses of at least {BODY_WIDTH} values a frame, found shape {pose.shape}")
    if len(pose) < 2:
        raise MotionFormatError(f"expected at least 2 frames, found {len(pose)}: there is no movement to read")
    if trans.shape != (len(pose), 3):
        raise MotionFormatError(f"expected trans of shape ({len(pose)}, 3) as poses have frames, found {trans.shape}")
    for name, values in (("poses", pose[:, :BODY_WIDTH]), ("trans", trans)):
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise MotionFormatError(
                f"expected finite values, found NaN or infinity in {int((~finite).sum())} of {len(pose)} frames of "
                f"{name}, first in frame {int(np.argmin(finite)) + 1}"
            )
    if float(np.abs(trans).max()) > _MAX_TRANS_M:
        raise MotionFormatError(f"expected trans in metres, found {float(np.abs(trans).max()):.3g}: damaged?")
    largest = float(np.abs(pose[:, :BODY_WIDTH]).max())
    if largest > _MAX_ROTATION:
        raise MotionFormatError(
            f"expected rotations as axis-angle in radians, found a value of {largest:.3g}: are these degrees?"
        )


def _shape_warnings(motion: SmplMotion) -> tuple[str, ...]:
    """Why limb lengths are not those of the recorded body, as one sentence; nothing where they are."""
    reasons = []
    largest = float(motion.betas.max(initial=0.0))
    if not largest <= 1e-6:  # NaN too
        reasons.append(f"a shape of its own (betas up to {largest:.2g})")
    if motion.model != "SMPL":
        reasons.append(f"the body of {motion.model}")
    if motion.gender.lower() not in ("", "neutral", "unknown"):
        reasons.append(f"a {motion.gender.lower()[:20]} body")
    if not reasons:
        return ()
    return (
        f"The recording has {' and '.join(reasons)}, but is drawn with the limb lengths of the neutral SMPL body at "
        "zero shape: lengths of limbs and steps are approximate, the path and the joint angles are not.",
    )
