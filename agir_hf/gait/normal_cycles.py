"""Curves of normal walking to lay measured ones beside: drawn through textbook angles of the phases.

The points in ``normal_cycles.csv`` are the angles of thigh, knee and ankle that textbooks give for the phases of
walking after the Rancho Los Amigos school (Perry and Burnfield, Gait Analysis, 2nd ed., ch. 3 to 6), rounded to 5
degrees; texts differ by as much (knee in loading response 15 to 20, ankle at foot off -15 to -20). Phases end where
that school puts them (12, 31, 50, 62, 75 and 87 percent); the percent of extremes within a phase and the curve between
the points are ours (monotone, so that it turns at the points and nowhere else). They are no mean of a measured group
and come without a spread, so that there is no band: nothing here says how far from a curve is unusual. Mean curves of
one laboratory's normal adults are 2 degrees (hip), 6 (knee) and 6 (ankle) away from them, root mean square, once foot
off is put at the same percent: two sources of what is normal, that far apart.

There is none for arm swing, trunk and pelvis: no published curve with their definition.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..package_data import read_data
from .signals import Array

SOURCE = "after Perry and Burnfield, Gait Analysis, 2nd ed., ch. 3 to 6: angles of the phases, rounded to 5 degrees"
FOOT_OFF_PERCENT = 62.0
PERCENT: Array = np.arange(101.0)


@dataclass(frozen=True)
class NormalCycle:
    """The curve of one angle in normal walking.

    Attributes:
        percent: (101,) of the stride, from foot strike to the next of the same foot.
        angle_deg: (101,).
        points: (K, 2) percent and degrees: what it was drawn through.
        foot_off_percent: where the foot leaves the floor.
        source: where these come from.
    """

    percent: Array
    angle_deg: Array
    points: Array
    foot_off_percent: float
    source: str


@cache
def normal_cycles() -> Mapping[str, NormalCycle]:
    """The curves of normal walking by the names of ``cycles.CURVES``; curves without a published one are left out."""
    from scipy.interpolate import PchipInterpolator

    points: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(read_data("gait/normal_cycles.csv").splitlines()):
        points.setdefault(row["curve"], []).append((float(row["percent"]), float(row["angle_deg"])))
    found = {}
    for name, pairs in points.items():
        known = np.array(pairs)
        # A cycle before and one after: the end of a stride goes on as its beginning.
        around = np.concatenate([known + np.array([shift, 0.0]) for shift in (-100.0, 0.0, 100.0)])
        angles = np.asarray(PchipInterpolator(around[:, 0], around[:, 1])(PERCENT), dtype=np.float64)
        found[name] = NormalCycle(PERCENT, angles, known, FOOT_OFF_PERCENT, SOURCE)
    return found
