"""Clips to gait events and gait parameters, each value with its definition and its caveat or the reason for none."""

from .cycles import CURVES, GaitCycles, SideCycles, gait_cycles
from .measure import measure_gait
from .normal_cycles import NormalCycle, normal_cycles
from .plausibility import implausible, plausibility_limits
from .results import PARAMETER_NAMES, GaitParameters, GaitQuality

__all__ = [
    "CURVES",
    "PARAMETER_NAMES",
    "GaitCycles",
    "GaitParameters",
    "GaitQuality",
    "NormalCycle",
    "SideCycles",
    "gait_cycles",
    "implausible",
    "measure_gait",
    "normal_cycles",
    "plausibility_limits",
]
