"""Rotation matrices about one axis, for hierarchies of joints (BVH, ASF/AMC)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def axis_rotation(axis: int, angle_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 3, 3) rotations about the axis 0, 1 or 2 by (T,) angles in radians, right-handed."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(angle_rad), 3, 3))
    matrix[:, axis, axis] = 1.0
    matrix[:, one, one] = matrix[:, two, two] = cosine
    matrix[:, one, two] = -sine
    matrix[:, two, one] = sine
    return matrix
