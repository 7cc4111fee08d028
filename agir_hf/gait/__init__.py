"""Clips to gait events and gait parameters: numpy only, each value with its definition, its caveat or the reason why not."""

from .measure import measure_gait
from .results import PARAMETER_NAMES, GaitParameters, GaitQuality

__all__ = ["PARAMETER_NAMES", "GaitParameters", "GaitQuality", "measure_gait"]
