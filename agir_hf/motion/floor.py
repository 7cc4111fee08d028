"""Where the floor is under a clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT_INDEX

Floats = NDArray[np.floating]

_STANCE_QUANTILE = 0.25
_MAX_DIFFERENCE = 0.05
_LEFT_LEG = [JOINT_INDEX[name] for name in ("left_hip", "left_knee", "left_ankle")]
_RIGHT_LEG = [JOINT_INDEX[name] for name in ("right_hip", "right_knee", "right_ankle")]
_TOES = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


def leg_length(joints_m: Floats) -> float:
    """Hip to knee to ankle in metres, mean of both sides, median over time, of (T, 22, 3) joints."""
    bones = [np.linalg.norm(np.diff(joints_m[:, leg], axis=1), axis=-1).sum(axis=1) for leg in (_LEFT_LEG, _RIGHT_LEG)]
    return float(np.median((bones[0] + bones[1]) / 2.0))


def stance_height(joints_m: Floats) -> float:
    """Height in metres at which the toe bases of (T, 22, 3) joints stand on the floor.

    Each foot's stance height is a low quantile over the clip, so that no single frame decides. The answer is the mean
    of both, or the lower one where they differ by more than a retargeted skeleton explains (standing on one leg).
    """
    left, right = (float(np.quantile(joints_m[:, toe, 1], _STANCE_QUANTILE)) for toe in _TOES)
    if abs(left - right) > _MAX_DIFFERENCE * leg_length(joints_m):
        return min(left, right)
    return (left + right) / 2.0
