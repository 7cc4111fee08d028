"""Units, up axis and handedness of a recording, told from the body itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import MotionFormatError
from . import anatomy

Floats = NDArray[np.floating]

# Units that files are written in, metres each. The last one is 1 inch / 0.45, the unit of the CMU recordings.
_CMU = "CMU units (5.64 cm)"
_UNITS_M: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inches": 0.0254, _CMU: 0.0254 / 0.45}
_HEIGHT_RANGE_M = (0.9, 2.4)
_CMU_HEIGHT_RANGE_M = (1.4, 2.1)  # adults walked there; smaller is a person in metres at ten times the size
_TYPICAL_HEIGHT_M = 1.65
_AXIS_NAMES = ("X", "Y", "Z")


def standing_height(points: Mapping[str, Floats]) -> float:
    """Standing height that the leg and trunk lengths belong to, in the units of ``points`` (median over time).

    Leg and trunk are told apart because some skeletons lack shoulders: then the legs alone decide.
    """
    legs = [
        np.linalg.norm(points[f"{side}_{upper}"] - points[f"{side}_{lower}"], axis=-1)
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    length = float(np.median(sum(legs) / 2.0))
    fraction = anatomy.LEG_LENGTH_M / anatomy.HEIGHT_M
    if "left_shoulder" in points and "right_shoulder" in points:
        trunk = (points["left_shoulder"] + points["right_shoulder"] - points["left_hip"] - points["right_hip"]) / 2.0
        length += float(np.median(np.linalg.norm(trunk, axis=-1)))
        fraction += anatomy.TRUNK_LENGTH_M / anatomy.HEIGHT_M
    return length / fraction


def metres_per_unit(height: float) -> tuple[float, str]:
    """Size in metres and name of the unit in which a person is ``height`` units tall.

    Raises:
        MotionFormatError: in no known unit is that the height of a person.
    """
    if not (np.isfinite(height) and height > 1e-9):
        raise MotionFormatError("expected a body with legs of some length, found all its joints in one place")
    name = min(_UNITS_M, key=lambda unit: abs(np.log(height * _UNITS_M[unit] / _TYPICAL_HEIGHT_M)))
    size = _UNITS_M[name]
    lowest, highest = _CMU_HEIGHT_RANGE_M if name == _CMU else _HEIGHT_RANGE_M
    if not lowest <= height * size <= highest:
        raise MotionFormatError(
            f"expected a person 1.0 to 2.2 m tall in metres, centimetres, millimetres or inches, found a body about "
            f"{height:.4g} units tall: rescale the recording"
        )
    return size, name


def upright_matrix(points: Mapping[str, Floats]) -> tuple[NDArray[np.float64], str]:
    """Rotation (3, 3) that turns the recording Y up, and the name of its own up axis (such as ``Z`` or ``-Y``).

    Up is the axis along which shoulders (or the head) lie above the hips and these above the ankles, over all frames.

    Raises:
        MotionFormatError: the body is not upright along any axis.
    """
    hips = (points["left_hip"] + points["right_hip"]) / 2.0
    ankles = (points["left_ankle"] + points["right_ankle"]) / 2.0
    rise = (hips - ankles).mean(axis=0)
    if "left_shoulder" in points and "right_shoulder" in points:
        rise = rise + ((points["left_shoulder"] + points["right_shoulder"]) / 2.0 - hips).mean(axis=0)
    elif "head" in points:
        rise = rise + (points["head"] - hips).mean(axis=0)
    axis = int(np.argmax(np.abs(rise)))
    if abs(rise[axis]) < 0.75 * np.linalg.norm(rise):
        raise MotionFormatError(
            "expected a person upright along one axis (shoulders above hips above ankles), found none: is this person "
            "lying, or are the axes tilted?"
        )
    sign = 1.0 if rise[axis] > 0 else -1.0
    matrix = np.zeros((3, 3))
    # Rows: new X, Y, Z. The two horizontal axes follow in cyclic order, which keeps the hand of the axes.
    matrix[1, axis] = sign
    if axis == 1:
        matrix[0, 0] = 1.0
        matrix[2, 2] = sign
    elif axis == 2:
        matrix[0, 0] = 1.0
        matrix[2, 1] = -sign
    else:
        matrix[2, 2] = 1.0
        matrix[0, 1] = -sign
    return matrix, ("" if sign > 0 else "-") + _AXIS_NAMES[axis]


def is_mirrored(points: Mapping[str, Floats]) -> bool:
    """Whether left and right contradict the direction of feet and knees, in a Y-up recording.

    With left at +X a person faces +Z. Where most evidence says the toes point, and the knees bend, the other way, the
    axes are left-handed.
    """
    across = points["left_hip"] - points["right_hip"]
    facing = np.stack([-across[:, 2], np.zeros(len(across)), across[:, 0]], axis=-1)
    facing /= np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), 1e-9)
    evidence = 0.0
    for side in ("left", "right"):
        hip, knee, ankle = (points[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        evidence += float(((2.0 * knee - hip - ankle) * facing).sum(axis=-1).mean())
        toe = points.get(f"{side}_toe_base", points.get(f"{side}_toe_tip"))
        if toe is not None:
            evidence += 2.0 * float(((toe - ankle) * facing).sum(axis=-1).mean())
    return evidence < 0.0
