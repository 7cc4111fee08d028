"""Smooth curves and small rotations, vectorised over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


def smoothstep(x: Array | float) -> Array:
    """0 before 0, 1 after 1, and between them a rise with no jump in velocity or acceleration (minimum jerk)."""
    u = np.clip(x, 0.0, 1.0)
    return np.asarray(u * u * u * (10.0 + u * (6.0 * u - 15.0)), dtype=np.float64)


def bump(x: Array | float) -> Array:
    """1 at 0.5 and 0 outside (0, 1), smooth."""
    u = np.clip(x, 0.0, 1.0)
    return np.asarray((4.0 * u * (1.0 - u)) ** 2, dtype=np.float64)


def hermite(t: Array, knots: Array, values: Array, slopes: Array) -> Array:
    """Cubic Hermite curve through ``values`` with ``slopes``; constant outside the knots.

    Args:
        t: any shape.
        knots: (K,) strictly increasing.
        values, slopes: (K,).
    """
    index = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, len(knots) - 2)
    start = knots[index]
    width = knots[index + 1] - start
    u = np.clip((t - start) / width, 0.0, 1.0)
    v0, v1 = values[index], values[index + 1]
    m0, m1 = slopes[index] * width, slopes[index + 1] * width
    result = v0 + u * (m0 + u * (3 * (v1 - v0) - 2 * m0 - m1 + u * (2 * (v0 - v1) + m0 + m1)))
    return np.asarray(result, dtype=np.float64)


def monotone_slopes(knots: Array, values: Array) -> Array:
    """Slopes that keep a Hermite curve from overshooting (Fritsch and Carlson 1980)."""
    width = np.diff(knots)
    secant = np.diff(values) / width
    slopes = np.zeros_like(values)
    if len(values) == 2:
        slopes[:] = secant[0]
        return slopes
    left, right = secant[:-1], secant[1:]
    w1, w2 = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    same = left * right > 0
    safe_left, safe_right = np.where(same, left, 1.0), np.where(same, right, 1.0)
    slopes[1:-1] = np.where(same, (w1 + w2) / (w1 / safe_left + w2 / safe_right), 0.0)
    slopes[0], slopes[-1] = secant[0], secant[-1]
    return slopes


def through(t: Array, knots: Array, values: Array) -> Array:
    """Monotone smooth curve through the points (no overshoot); constant outside."""
    return hermite(t, knots, values, monotone_slopes(knots, values))


def gaussian_smooth(values: Array, sigma_samples: float) -> Array:
    """Gaussian smoothing along the first axis, ends held."""
    reach = max(int(np.ceil(3.5 * sigma_samples)), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_samples) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.full(reach, values[0]), values, np.full(reach, values[-1])])
    return np.asarray(np.convolve(padded, kernel, mode="valid"), dtype=np.float64)


def slow_noise(rng: np.random.Generator, t: Array, period_s: float, start_s: float, end_s: float) -> Array:
    """A smooth random curve of unit variance with new random knots every ``period_s``.

    The knots depend on ``start_s``, ``end_s`` and the generator only, so the same curve comes out at every frame rate.
    """
    knots = np.arange(start_s, end_s + 2 * period_s, period_s)
    return through(t, knots, rng.standard_normal(len(knots)))


def rotate(yaw: Array | float, flexion: Array | float, lean: Array | float, vector: Array) -> Array:
    """Turn a body-frame vector (left, up, forward) into world axes.

    Args:
        yaw: radians about +Y, positive turns to the left.
        flexion: radians, positive tips the top forward.
        lean: radians, positive lifts the left side (tips the top to the right).
        vector: (3,) or (..., 3).

    Returns:
        (..., 3) in X, Y, Z.
    """
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    cos_l, sin_l = np.cos(lean), np.sin(lean)
    x, y = x * cos_l - y * sin_l, x * sin_l + y * cos_l
    cos_f, sin_f = np.cos(flexion), np.sin(flexion)
    y, z = y * cos_f - z * sin_f, y * sin_f + z * cos_f
    cos_y, sin_y = np.cos(yaw), np.sin(yaw)
    return np.stack(np.broadcast_arrays(x * cos_y + z * sin_y, y, -x * sin_y + z * cos_y), axis=-1)


def forward(yaw: Array | float) -> Array:
    """(..., 2) unit vector (X, Z) of a heading."""
    return np.stack([np.sin(yaw), np.cos(yaw)], axis=-1)


def leftward(yaw: Array | float) -> Array:
    """(..., 2) unit vector (X, Z) to the left of a heading."""
    return np.stack([np.cos(yaw), -np.sin(yaw)], axis=-1)
