"""Clips to gait events and gait parameters, each value with its definition and its caveat or the reason for none."""

from .measure import measure_gait
from .plausibility import implausible, plausibility_limits
from .results import PARAMETER_NAMES, GaitParameters, GaitQuality

__all__ = ["PARAMETER_NAMES", "GaitParameters", "GaitQuality", "implausible", "measure_gait", "plausibility_limits"]
