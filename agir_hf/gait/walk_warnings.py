"""What a reader of the measures should know about the walk and its recording."""

from __future__ import annotations

import numpy as np

from ..clip import MotionClip
from .events import FootContacts
from .parameters import Evidence
from .signals import SIDES, leg_length_m

# Hip to ankle over body height: 0.530 - 0.039 (Winter, Biomechanics and Motor Control of Human Movement, ch. 4).
LEG_OF_HEIGHT = 0.491
SMALL_LEG_M = 0.72  # of somebody of 1.47 m
SLOPE_M = 0.035  # over the whole way; 80 simulated people on a level floor: up to 0.018


def walk_warnings(clip: MotionClip, evidence: Evidence) -> list[str]:
    """Sentences about the person's size, the floor and the strides; empty where there is nothing particular."""
    return [*_small(clip), *_slope(evidence.contacts), *_strides(evidence)]


def _small(clip: MotionClip) -> list[str]:
    """That the person is small, where published ranges are of adults."""
    leg_m = leg_length_m(clip.joints_m)
    if leg_m >= SMALL_LEG_M:
        return []
    return [
        f"The legs are {leg_m:.2f} m long from hip to ankle, as in people of about {leg_m / LEG_OF_HEIGHT:.1f} m: a "
        "child, a short adult, or a file whose scale is not real. Usual ranges are those of adults."
    ]


def _slope(contacts: FootContacts) -> list[str]:
    """That the feet stand higher and higher along the way: a floor that the recording has not level."""
    placed = [
        (hold.ankle_m, side == "left")
        for side in SIDES
        for hold in contacts.footholds[side]
        if np.isfinite(hold.ankle_m).all()
    ]
    if len(placed) < 5:
        return []
    at_m, left = np.array([place for place, _ in placed]), np.array([side for _, side in placed])
    around = at_m[:, [0, 2]] - at_m[:, [0, 2]].mean(axis=0)
    along = around @ np.linalg.svd(around, full_matrices=False)[2][0]
    # Each foot has a height of its own: ankles of people and of skeletons differ.
    unknowns = np.stack([along, left, ~left], axis=1).astype(np.float64)
    solution = np.linalg.lstsq(unknowns, at_m[:, 1], rcond=None)[0]
    rise_m, apart_m = abs(solution[0]) * np.ptp(along), float(np.std(at_m[:, 1] - unknowns @ solution))
    if rise_m < SLOPE_M or apart_m > 0.25 * rise_m:
        return []
    return [
        f"The feet stand {100.0 * rise_m:.0f} cm higher at one end of the {np.ptp(along):.1f} m walked than at the "
        "other: the floor of the recording is not level, so that the drawn person sinks or floats."
    ]


def _strides(evidence: Evidence) -> list[str]:
    """That values are missing, or which strides they come from."""
    found = []
    strides = evidence.strides
    steady = sum(1 for stride in strides if stride.steady)
    if not strides:
        found.append("The clip holds no complete stride: most values are missing.")
    elif steady == 0:
        found.append("The clip holds no steady straight stride: values are means over all strides, turns included.")
    elif steady < len(strides):
        found.append(
            f"{steady} of {len(strides)} strides are straight and steady; the values come from these, "
            "not from turns, starts, stops and halts."
        )
    return found
