"""Arrays as motion: 22 joints in metres, or the 263 features of HumanML3D, in memory or in .npy and .npz files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import ArrayLike, NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from ..skeleton import JOINT_INDEX, NUM_JOINTS
from . import orientation
from .features import FEATURE_DIM, REFERENCE_RATE_HZ, features_to_joints

Floats = NDArray[np.floating]

_MOTION_KEYS = ("joints_m", "joints", "motion")
_RATE_KEYS = ("frame_rate_hz", "fps", "frame_rate", "framerate", "mocap_framerate")
_MAX_BYTES = 1024**3
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
    source: str = "array",
) -> MotionClip:
    """A clip from joints or features.

    Joints keep their places and lengths: (T, 22, 3) is taken to be in the order of ``skeleton.JOINT_NAMES``.
    Centimetres, millimetres, inches and another up axis are told from the body and converted, with a warning.

    Args:
        array: (T, 22, 3) joint positions, or (T, 263) HumanML3D features, not normalised.
        frame_rate_hz: frames per second. Needed for joints. HumanML3D features have 20 by definition: None or 20.
        source: what ``MotionClip.source`` shall say.

    Raises:
        MotionFormatError: another shape, no numbers, NaN or infinity, no frame rate for joints, no plausible body.
    """
    try:
        values = np.asarray(array)
    except ValueError:
        raise MotionFormatError("expected an array of numbers, found lists of different lengths") from None
    if values.dtype.kind not in "fiu":
        raise MotionFormatError(f"expected an array of numbers, found dtype {values.dtype}")
    is_features = values.ndim == 2 and values.shape[1] == FEATURE_DIM
    if not is_features and (values.ndim != 3 or values.shape[1:] != (NUM_JOINTS, 3)):
        raise MotionFormatError(
            f"expected joints of shape (T, {NUM_JOINTS}, 3) or HumanML3D features of shape (T, {FEATURE_DIM}), found "
            f"{values.shape}"
        )
    if len(values) < (1 if is_features else 2):
        raise MotionFormatError(f"expected at least 2 frames, found {len(values)}: there is no movement to read")
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if not finite.all():
        raise MotionFormatError(
            f"expected finite values, found NaN or infinity in {int((~finite).sum())} of {len(values)} frames, "
            f"first in frame {int(np.argmin(finite)) + 1}"
        )
    if is_features:
        return _clip_from_features(values, frame_rate_hz, source)
    if frame_rate_hz is None:
        raise MotionFormatError(
            "expected the frame rate of the joints, found none: pass frame_rate_hz=..., or save an .npz with "
            "'joints' and 'frame_rate_hz'"
        )
    return _clip_from_joints(values.astype(np.float64), frame_rate_hz, source)


def read_array(path: Path, *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read a .npy or .npz file; pickled objects are refused.

    An .npz holds the motion under ``joints_m``, ``joints`` or ``motion``, else as its first array, and may hold its
    rate under ``frame_rate_hz`` or ``fps``. A rate passed here wins over the one in the file.

    Raises:
        MotionFormatError: not such a file, truncated, or no motion in it (see ``clip_from_array``).
    """
    if path.stat().st_size == 0:
        raise MotionFormatError(f"{path}: expected a NumPy array, found an empty file")
    try:
        with open(path, "rb") as file:
            is_archive = file.read(2) == b"PK"
        if is_archive:
            array, stored_rate = _read_npz(path)
        else:
            array, stored_rate = _read_npy(path), None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError, SyntaxError) as error:
        if isinstance(error, MotionFormatError):
            raise
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MotionFormatError(
            f"{path}: expected a complete NumPy array file without pickled objects, found: {detail}"
        ) from error
    try:
        return clip_from_array(
            array, frame_rate_hz=stored_rate if frame_rate_hz is None else frame_rate_hz, source=str(path)
        )
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def _read_npy(path: Path) -> NDArray[np.generic]:
    with open(path, "rb") as file:
        _check_header(path, file)
    return np.load(path, allow_pickle=False, mmap_mode=None)


def _check_header(path: Path, file: object) -> None:
    """Refuse an array by its header, before memory is set aside for what it declares."""
    version = npy_format.read_magic(file)  # type: ignore[arg-type]
    reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, _, dtype = reader(file)  # type: ignore[arg-type]
    size = dtype.itemsize
    for length in shape:
        size *= int(length)
    if dtype.hasobject:
        raise MotionFormatError(f"{path}: expected numbers, found pickled objects, which are not read")
    if size > _MAX_BYTES:
        raise MotionFormatError(f"{path}: expected at most {_MAX_BYTES // 1024**3} GiB of motion, found shape {shape}")


def _read_npz(path: Path) -> tuple[NDArray[np.generic], float | None]:
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        motion_key = next((key for key in _MOTION_KEYS if key in names), None)
        for name in names:
            with archive.open(f"{name}.npy") as member:
                if name == motion_key or motion_key is None:
                    _check_header(path, member)
    with np.load(path, allow_pickle=False) as data:
        rate_key = next((key for key in _RATE_KEYS if key in names), None)
        rate = None
        if rate_key is not None:
            stored = np.asarray(data[rate_key])
            if stored.size != 1 or stored.dtype.kind not in "fiu":
                raise MotionFormatError(
                    f"{path}: expected one number as {rate_key}, found an array of shape {stored.shape}"
                )
            rate = float(stored.reshape(-1)[0])
        if motion_key is None:
            motion_key = next((name for name in names if name not in _RATE_KEYS), None)
        if motion_key is None:
            raise MotionFormatError(f"{path}: expected an array named 'joints' or 'motion', found {names or 'nothing'}")
        return np.asarray(data[motion_key]), rate


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
    return MotionClip(joints.astype(np.float32), REFERENCE_RATE_HZ, source=source)


def _body_parts(joints: Floats) -> dict[str, Floats]:
    return {part: joints[:, JOINT_INDEX[part]] for part in _PARTS} | {
        f"{side}_toe_base": joints[:, JOINT_INDEX[f"{side}_foot"]] for side in ("left", "right")
    }


def _clip_from_joints(joints: Floats, frame_rate_hz: float, source: str) -> MotionClip:
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
    return MotionClip(joints.astype(np.float32), frame_rate_hz, source=source, warnings=tuple(warnings))
