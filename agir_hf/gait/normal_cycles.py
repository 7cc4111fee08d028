"""Mean curves of normal walking with their spread between people, to lay measured ones beside.

The table in ``normal_cycles.csv`` is pooled from Senden et al., normative 3D gait data of healthy adults walking on an
instrumented treadmill (OSF, doi:10.17605/OSF.IO/T72CW, CC BY 4.0): people of 50 years and more at the speed of their
choice (group means 1.09 to 1.28 m/s), right leg, groups by sex and decade weighted equally; the standard deviation is
the mean variance within the groups plus the variance of their means. One group's ankle (women of 50 to 59) is left out:
in the source it repeats another's numbers. The figures were taken from an extract of that data, not from its own files.

Their hip is the thigh against the pelvis. Ours is the thigh against the vertical (``cycles``), so that 8 degrees, how
far the pelvis leans forwards in walking, are taken off; its spread still holds that of the pelvis and is rather wide.
Overground thigh angles of young adults (Fukuchi et al. 2018, PeerJ 6:e4640, CC BY 4.0) have the same mean then. Mean
curves of one laboratory's normal adults are 2 degrees (hip), 5 (knee) and 2 (ankle) away from these, root mean square,
once foot off is put at the same percent.

The usual range is the mean and 1.5 standard deviations to each side, as for the measures (``rationale.norms``). It is
drawn point by point: at any one percent about one in seven normal people is outside of it, and over a whole stride more
are somewhere. There is none for arm swing, trunk and pelvis: no published curve with their definition.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..package_data import read_data
from .signals import Array

SOURCE = "Senden et al., healthy adults of 50 years and more on a treadmill, doi:10.17605/OSF.IO/T72CW (CC BY 4.0)"
FOOT_OFF_PERCENT = 61.0
USUAL_SD = 1.5
PERCENT: Array = np.arange(101.0)


@dataclass(frozen=True)
class NormalCycle:
    """The curve of one angle in normal walking.

    Attributes:
        percent: (101,) of the stride, from foot strike to the next of the same foot.
        angle_deg: (101,) mean of the people.
        sd_deg: (101,) standard deviation between people.
        foot_off_percent: where the foot leaves the floor.
        source: where these come from.
    """

    percent: Array
    angle_deg: Array
    sd_deg: Array
    foot_off_percent: float
    source: str

    @property
    def usual_deg(self) -> tuple[Array, Array]:
        """Lower and upper limit of the usual range, each (101,): the mean and 1.5 standard deviations to each side."""
        return self.angle_deg - USUAL_SD * self.sd_deg, self.angle_deg + USUAL_SD * self.sd_deg


@cache
def normal_cycles() -> Mapping[str, NormalCycle]:
    """The curves of normal walking by the names of ``cycles.CURVES``; curves without a published one are left out."""
    from scipy.interpolate import CubicSpline

    rows = list(csv.DictReader(read_data("gait/normal_cycles.csv").splitlines()))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}

    def every_percent(name: str) -> Array:
        return np.asarray(CubicSpline(columns["percent"], columns[name], bc_type="periodic")(PERCENT))

    return {
        name: NormalCycle(
            PERCENT, every_percent(name), every_percent(name.replace("_deg", "_sd_deg")), FOOT_OFF_PERCENT, SOURCE
        )
        for name in columns
        if name.endswith("_deg") and not name.endswith("_sd_deg")
    }
