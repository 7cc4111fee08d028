"""How each gait parameter is printed: its phrase, unit and decimals, the same in evidence, descriptions and rationales.

Texts are compared, binned and checked on the printed number, so that what a reader sees decides what is true.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ..gait.results import rounded

Side = Literal["left", "right"]


class Quality(Protocol):
    """The part of ``agir_hf.gait.GaitQuality`` that texts use."""

    @property
    def walking(self) -> bool: ...
    @property
    def strides(self) -> int: ...
    @property
    def steady_strides(self) -> int: ...


class Parameters(Protocol):
    """The part of ``agir_hf.gait.GaitParameters`` that texts use, so that saved values can stand in for it."""

    @property
    def values(self) -> Mapping[str, float | None]: ...
    @property
    def low_confidence(self) -> Mapping[str, str]: ...
    @property
    def quality(self) -> Quality: ...


@dataclass(frozen=True)
class Measure:
    """How one parameter is written.

    Attributes:
        name: the parameter's name in ``GaitParameters.values``.
        group: the measure without its side, such as ``"arm_swing"``.
        phrase: how the evidence block calls it.
        unit: the printed unit; empty for counts.
        decimals: digits after the point.
        scale: printed number over the parameter's value (100 where metres are printed as centimetres).
        side: for measures of one side.
    """

    name: str
    group: str
    phrase: str
    unit: str
    decimals: int
    scale: float = 1.0
    side: Side | None = None


# In the order of the evidence block: what the gait item rates, then context, then what is reported apart.
# Clearance is printed in centimetres with one decimal: at two decimals of a metre it would have one useful digit.
MEASURES: tuple[Measure, ...] = (
    Measure("walking_speed_mps", "walking_speed", "walking speed", "m/s", 2),
    Measure("stride_length_m", "stride_length", "stride length", "m", 2),
    Measure("step_length_left_m", "step_length", "left step length", "m", 2, side="left"),
    Measure("step_length_right_m", "step_length", "right step length", "m", 2, side="right"),
    Measure("step_length_asymmetry_percent", "step_length_asymmetry", "step length asymmetry", "percent", 0),
    Measure("foot_clearance_left_m", "foot_clearance", "left foot clearance", "cm", 1, 100.0, "left"),
    Measure("foot_clearance_right_m", "foot_clearance", "right foot clearance", "cm", 1, 100.0, "right"),
    Measure("foot_strike_angle_left_deg", "foot_strike_angle", "left foot-strike angle", "degrees", 0, side="left"),
    Measure("foot_strike_angle_right_deg", "foot_strike_angle", "right foot-strike angle", "degrees", 0, side="right"),
    Measure("turn_duration_180_s", "turn_duration", "turn duration", "s", 1),
    Measure("arm_swing_left_deg", "arm_swing", "left arm swing", "degrees", 0, side="left"),
    Measure("arm_swing_right_deg", "arm_swing", "right arm swing", "degrees", 0, side="right"),
    Measure("arm_swing_asymmetry_percent", "arm_swing_asymmetry", "arm swing asymmetry", "percent", 0),
    Measure("cadence_spm", "cadence", "cadence", "steps/min", 0),
    Measure("stride_time_s", "stride_time", "stride time", "s", 2),
    Measure("step_width_m", "step_width", "step width", "m", 2),
    Measure("double_support_percent", "double_support", "double support", "percent", 1),
    Measure("swing_percent", "swing", "swing phase", "percent", 1),
    Measure("stride_time_cv_percent", "stride_time_cv", "stride time variability", "percent", 1),
    Measure("trunk_flexion_deg", "trunk_flexion", "trunk flexion", "degrees", 0),
    Measure("freezing_episodes", "freezing", "freezing episodes", "", 0),
)
BY_NAME: dict[str, Measure] = {measure.name: measure for measure in MEASURES}
"""How each gait parameter is printed, by its name."""
GROUPS: dict[str, tuple[Measure, ...]] = {}
"""The parameters of each measure, which are two where it has sides."""
for _measure in MEASURES:
    GROUPS[_measure.group] = (*GROUPS.get(_measure.group, ()), _measure)
SIDED_GROUPS: frozenset[str] = frozenset(measure.group for measure in MEASURES if measure.side)


def measure_of(group: str, side: Side | None = None) -> Measure:
    """The measure of a group, of one side where the group has sides."""
    for measure in GROUPS[group]:
        if measure.side == side:
            return measure
    raise KeyError(f"{group} has no measure for side {side}")


def as_printed(measure: Measure, value: float) -> float:
    """A value of a parameter as the number that is printed, in the printed unit; never -0."""
    return float(f"{float(value) * measure.scale:.{measure.decimals}f}") + 0.0


def digits(parameters: Parameters, measure: Measure) -> str | None:
    """The number as printed, without its unit; None where it was not measured.

    It is printed from the value as handed out, so that a reader of the JSON who rounds again finds the same number.
    """
    value = parameters.values.get(measure.name)
    if value is None or not math.isfinite(value):
        return None
    return f"{as_printed(measure, rounded(measure.name, value) or 0.0):.{measure.decimals}f}"


def printed_number(parameters: Parameters, measure: Measure) -> float | None:
    """The printed number, in the printed unit."""
    text = digits(parameters, measure)
    return None if text is None else float(text)


def with_unit(number: str, unit: str) -> str:
    """``"12 degrees"``, ``"1 degree"``, ``"0.78 m/s"``."""
    if not unit:
        return number
    if unit == "degrees" and number in ("1", "-1"):
        return f"{number} degree"
    return f"{number} {unit}"


def printed(parameters: Parameters, measure: Measure) -> str | None:
    """Number and unit as printed; None where it was not measured."""
    number = digits(parameters, measure)
    return None if number is None else with_unit(number, measure.unit)
