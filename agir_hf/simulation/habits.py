"""Small personal habits of movement, repeated in every stride: what makes curves of people differ from sine waves.

Recorded joint curves carry left-right differences (the first harmonic of what should repeat twice a stride) and
higher harmonics, different from person to person. Without them every walker moves like clockwork.
"""

from __future__ import annotations

import numpy as np

from .curves import Array
from .people import Person

# Root mean square amplitude over people: a constant, then harmonics 1 to 5 of the stride. Degrees; metres for
# ``pelvis_ahead_m``. Sized on the spread of mean curves of unimpaired walkers in laboratory and acted recordings.
_SIZES: dict[str, tuple[float, ...]] = {
    "pelvis_yaw_deg": (0.0, 0.0, 0.50, 0.75, 0.30, 0.45),
    "pelvis_obliquity_deg": (0.8, 0.0, 0.30, 0.30, 0.15, 0.10),
    "chest_yaw_deg": (0.0, 0.0, 0.60, 0.75, 0.30, 0.40),
    "chest_flexion_deg": (0.0, 0.75, 0.30, 0.28, 0.35, 0.20),
    "chest_lean_deg": (0.0, 0.0, 0.25, 0.35, 0.15, 0.18),
    "pelvis_ahead_m": (0.0, 0.0040, 0.0024, 0.0018, 0.0014, 0.0008),
    "head_pitch_deg": (0.0, 1.3, 0.9, 0.4, 0.2, 0.15),
    "arm_left_deg": (0.0, 0.0, 0.5, 0.50, 0.25, 0.15),
    "arm_right_deg": (0.0, 0.0, 0.5, 0.50, 0.25, 0.15),
    "elbow_left_deg": (0.0, 1.2, 1.4, 0.9, 0.45, 0.30),
    "elbow_right_deg": (0.0, 1.2, 1.4, 0.9, 0.45, 0.30),
    "arm_out_left_deg": (0.0, 0.9, 0.5, 0.40, 0.20, 0.10),
    "arm_out_right_deg": (0.0, 0.9, 0.5, 0.40, 0.20, 0.10),
}


def habit(person: Person, name: str, phase_rad: Array, effort: Array) -> Array:
    """The personal part of a curve over the stride.

    Args:
        name: one of ``_SIZES``, which gives the unit.
        phase_rad: (T,) phase of the stride.
        effort: (T,) share of the person's own speed; only the constant stays in standing.
    """
    sizes = _SIZES[name]
    rng = np.random.default_rng((person.seed, 0x4AB, list(_SIZES).index(name)))
    draws = np.clip(rng.standard_normal((len(sizes), 2)), -2.2, 2.2) * np.sqrt(0.5)
    moving = np.zeros_like(phase_rad)
    for harmonic, size in enumerate(sizes[1:], start=1):
        cos, sin = size * draws[harmonic]
        moving = moving + cos * np.cos(harmonic * phase_rad) + sin * np.sin(harmonic * phase_rad)
    return np.asarray(sizes[0] * np.sqrt(2.0) * draws[0, 0] + effort * moving, dtype=np.float64)
