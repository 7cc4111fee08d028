"""Arrays as motion: 22 joints, keypoints of known skeletons, HumanML3D features; in memory, in .npy and .npz files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS
from . import anatomy, orientation
from .features import FEATURE_DIM, REFERENCE_RATE_HZ, features_to_joints
from .floor import leg_length, stance_height
from .named_skeletons import SKELETONS, clip_from_keypoints
from .numpy_files import READ_ERRORS, Archive, is_archive, read_npy
from .root_relative import is_root_relative, recover_path

Floats = NDArray[np.floating]

_MOTION_KEYS = ("joints_m", "joints", "keypoints", "motion", "positions")
_RATE_KEYS = ("frame_rate_hz", "fps", "frame_rate", "framerate", "mocap_framerate")
# Only files that this package wrote have this.
_OWN_KEYS = ("joints_filled",)
_KEYPOINTS = frozenset(skeleton.num_joints for skeleton in SKELETONS.values())
_MAX_NUMBER = 1e9
# Joints whose toe bases stand this far from where they should were not measured from the floor.
_FLOOR_TOLERANCE_M = 0.10
_PARTS = (
    *(
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    ),
    "head",
)


def looks_like_array(start: bytes) -> bool:
    """Whether a file that begins with ``start`` is a .npy or .npz file."""
    return start.startswith((b"\x93NUMPY", b"PK\x03\x04"))


def clip_from_array(
    array: ArrayLike,
    *,
    frame_rate_hz: float | None,
    skeleton: str | None = None,
    source: str = "array",
) -> MotionClip:
    """A clip from joints, keypoints or features.

    Joints keep their places and lengths: (T, 22, 3) is taken to be in the order of ``skeleton.JOINT_NAMES``.
    Centimetres, millimetres, inches and another up axis are told from the body and converted, with a warning; so is a
    body in place whose feet slide, as pose lifting gives, and a floor elsewhere than at 0.

    Args:
        array: (T, 22, 3) joint positions; (T, J, 3) keypoints of a skeleton that ``named_skeletons`` knows; or (T, 263)
            HumanML3D features, not normalised.
        frame_rate_hz: frames per second. Needed for joints. HumanML3D features have 20 by definition: None or 20.
        skeleton: the order of the keypoints, such as "coco-17", where their number and places do not tell it.
        source: what ``MotionClip.source`` shall say.

    Raises:
        MotionFormatError: another shape, no numbers, NaN or infinity in joints or features, no frame rate for joints,
            no plausible body.
    """
    try:
        values = np.asarray(array)
    except ValueError:
        raise MotionFormatError("expected an array of numbers, found lists of different lengths") from None
    if values.dtype.kind not in "fiu":
        raise MotionFormatError(f"expected an array of numbers, found dtype {values.dtype}")
    is_features = values.ndim == 2 and values.shape[1] == FEATURE_DIM
    is_joints = skeleton is None and values.ndim == 3 and values.shape[1:] == (NUM_JOINTS, 3)
    is_keypoints = values.ndim == 3 and (skeleton is not None or values.shape[1] in _KEYPOINTS)
    if not (is_features or is_joints or is_keypoints):
        raise MotionFormatError(
            f"expected joints of shape (T, {NUM_JOINTS}, 3), keypoints of a known skeleton ({', '.join(SKELETONS)}) or "
            f"HumanML3D features of shape (T, {FEATURE_DIM}), found {values.shape}"
        )
    if len(values) < (1 if is_features else 2):
        raise MotionFormatError(f"expected at least 2 frames, found {len(values)}: there is no movement to read")
    if frame_rate_hz is None and not is_features:
        raise MotionFormatError(
            "expected the frame rate of the joints, found none: pass frame_rate_hz=... (--frame-rate-hz), or save an "
            ".npz with 'joints' and 'frame_rate_hz'"
        )
    if is_keypoints and not is_joints:
        clip = clip_from_keypoints(values, frame_rate_hz=frame_rate_hz, skeleton=skeleton, source=source)
        return clip.replace(format=f"array of {clip.format}")
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not finite.all():
        raise MotionFormatError(
            f"expected finite values, found NaN or infinity in {int((~finite).sum())} of {len(values)} frames, "
            f"first in frame {int(np.argmin(finite)) + 1}"
        )
    if float(np.abs(values).max(initial=0)) > _MAX_NUMBER:
        raise MotionFormatError(f"expected numbers within {_MAX_NUMBER:g}, found larger ones: damaged?")
    if is_features or frame_rate_hz is None:
        return _clip_from_features(values, frame_rate_hz, source)
    return _clip_from_joints(values, frame_rate_hz, source)


def read_array(path: Path, *, frame_rate_hz: float | None = None, skeleton: str | None = None) -> MotionClip:
    """Read a .npy or .npz file; pickled objects are refused.

    An .npz holds the motion under ``joints_m``, ``joints``, ``keypoints`` or ``motion``, else as its first array, and
    may hold its rate under ``frame_rate_hz`` or ``fps`` and the order of keypoints under ``skeleton``. What is passed
    here wins over what the file says.

    Raises:
        MotionFormatError: not such a file, truncated, or no motion in it (see ``clip_from_array``).
    """
    if path.stat().st_size == 0:
        raise MotionFormatError(f"{path}: expected a NumPy array, found an empty file")
    try:
        if not is_archive(path):
            return clip_from_array(read_npy(path), frame_rate_hz=frame_rate_hz, skeleton=skeleton, source=str(path))
        with zipfile.ZipFile(path) as archive:
            arrays = Archive(archive)
            rate = arrays.number(_RATE_KEYS) if frame_rate_hz is None else frame_rate_hz
            array = arrays.array(_motion_name(arrays))
            if skeleton is None:
                skeleton = next(iter(arrays.texts("skeleton")), None)
            if is_own := arrays.find(_OWN_KEYS) is not None:
                filled, warnings = arrays.texts("joints_filled"), arrays.texts("warnings")
                is_recovered = bool(arrays.number(("path_recovered",)))
        if not is_own:
            return clip_from_array(array, frame_rate_hz=rate, skeleton=skeleton, source=str(path))
        if array.dtype.kind != "f" or not np.abs(array).max(initial=0.0) <= _MAX_NUMBER:
            raise MotionFormatError(
                f"expected joints as finite numbers within {_MAX_NUMBER:g}, found {array.dtype} with others: damaged?"
            )
        if rate is None:
            raise MotionFormatError("expected frame_rate_hz beside the joints, found none: pass frame_rate_hz=...")
        # Written by this package: nothing is to be found out or changed.
        return MotionClip(
            array.astype(np.float32),
            rate,
            source=str(path),
            joints_filled=tuple(name for name in JOINT_NAMES if name in filled),
            warnings=warnings,
            path_recovered=is_recovered,
            format="array of 22 joints",
        )
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error
    except READ_ERRORS as error:
        detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise MotionFormatError(
            f"{path}: expected a complete NumPy array file without pickled objects, found: {detail}"
        ) from error


def _motion_name(arrays: Archive) -> str:
    name = arrays.find(_MOTION_KEYS)
    if name is None:
        name = next((name for name in arrays.members if name not in (*_RATE_KEYS, "skeleton")), None)
    if name is None:
        shown = ", ".join(ascii(name)[1:-1][:40] for name in list(arrays.members)[:8])
        raise MotionFormatError(f"expected an array named 'joints' or 'motion', found {shown or 'nothing'}")
    return name


def _clip_from_features(features: Floats, frame_rate_hz: float | None, source: str) -> MotionClip:
    if frame_rate_hz is not None and abs(frame_rate_hz - REFERENCE_RATE_HZ) > 1e-6:
        raise MotionFormatError(
            f"expected {REFERENCE_RATE_HZ:g} Hz, the rate HumanML3D features are defined at, found {frame_rate_hz:g}"
        )
    joints = features_to_joints(features)
    height = orientation.standing_height(_body_parts(joints))
    # Normalised features have a spread of one: joints then lie all over the place.
    if not 0.9 <= height <= 2.4:
        raise MotionFormatError(
            f"expected HumanML3D features in metres, not normalised, found a body {height:.3g} m tall: multiply by Std "
            "and add Mean first"
        )
    return MotionClip(joints.astype(np.float32), REFERENCE_RATE_HZ, source=source, format="array of HumanML3D features")


def _body_parts(joints: Floats) -> dict[str, Floats]:
    return {part: joints[:, JOINT_INDEX[part]] for part in _PARTS} | {
        f"{side}_toe_base": joints[:, JOINT_INDEX[f"{side}_foot"]] for side in ("left", "right")
    }


def _clip_from_joints(values: Floats, frame_rate_hz: float, source: str) -> MotionClip:
    joints = values.astype(np.float64)
    parts = _body_parts(joints)
    size, unit = orientation.metres_per_unit(orientation.standing_height(parts))
    matrix, up_axis = orientation.upright_matrix(parts)
    warnings = []
    if unit != "m":
        warnings.append(f"The joints are in {unit}, told from the size of the body; they were converted to metres.")
    if up_axis != "Y":
        warnings.append(f"The joints have {up_axis} up; they were turned Y up.")
    if unit != "m" or up_axis != "Y":
        joints = joints @ (size * matrix).T
    if orientation.is_mirrored(_body_parts(joints)):
        joints = joints * [-1.0, 1.0, 1.0]
        warnings.append(
            "Left and right contradict the direction of feet and knees: the axes were taken as left-handed and "
            "mirrored."
        )
    clip = MotionClip(
        joints.astype(np.float32),
        frame_rate_hz,
        source=source,
        warnings=tuple(warnings),
        format="array of 22 joints",
    )
    if is_root_relative(clip):
        clip = recover_path(clip)
    return _on_floor(clip)


def _on_floor(clip: MotionClip) -> MotionClip:
    """The clip itself, or, where its floor is not at 0 (joints relative to the hips), put there."""
    scale = leg_length(clip.joints_m) / anatomy.LEG_LENGTH_M
    lift = scale * anatomy.TOE_BASE_HEIGHT_M - stance_height(clip.joints_m)
    if abs(lift) <= _FLOOR_TOLERANCE_M:
        return clip
    told = (
        f"The feet stand {abs(lift):.2f} m {'below' if lift > 0 else 'above'} height 0; the body was put on the floor."
    )
    joints = clip.joints_m + np.array([0.0, lift, 0.0], dtype=np.float32)
    return clip.replace(joints_m=joints, warnings=(*clip.warnings, told))
