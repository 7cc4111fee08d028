"""Limits outside which a value is more likely an error of recording than a walk: flagged, never dropped."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..package_data import read_data

# Nine in ten simulated walks stay under 0.05.
MAX_MISMATCH = 0.15


@dataclass(frozen=True)
class Limits:
    """Inclusive limits of one parameter, in its own unit, and where they come from."""

    lower: float
    upper: float
    source: str


@cache
def plausibility_limits() -> Mapping[str, Limits]:
    """The limits of every parameter by name."""
    rows = csv.DictReader(read_data("gait/plausibility.csv").splitlines())
    return {row["parameter"]: Limits(float(row["lower"]), float(row["upper"]), row["source"]) for row in rows}


def implausible(values: Mapping[str, float | None]) -> dict[str, str]:
    """For each value outside its limits, a note that names them."""
    found: dict[str, str] = {}
    for name, limits in plausibility_limits().items():
        value = values[name]
        if value is not None and not limits.lower <= value <= limits.upper:
            found[name] = f"outside the plausible range {limits.lower:g} to {limits.upper:g}"
    return found


def inconsistent(values: Mapping[str, float | None]) -> dict[str, str]:
    """A note for measures that contradict each other by more than ``MAX_MISMATCH``: an event was missed or made up.

    A left and a right step make a stride; two steps are taken in a stride time.
    """

    def apart(one: float, other: float) -> bool:
        return abs(one - other) > MAX_MISMATCH * abs(other)

    found: dict[str, str] = {}
    left, right, stride = (values[f"{name}_m"] for name in ("step_length_left", "step_length_right", "stride_length"))
    if left is not None and right is not None and stride is not None and apart(left + right, stride):
        note = "left and right step do not add up to the stride: a foot strike may be missed"
        found |= dict.fromkeys(("step_length_left_m", "step_length_right_m", "step_length_asymmetry_percent"), note)
    cadence, stride_time = values["cadence_spm"], values["stride_time_s"]
    if cadence is not None and stride_time is not None and apart(cadence, 120.0 / stride_time):
        note = "cadence and stride time do not go together: a foot strike may be missed"
        found |= dict.fromkeys(("cadence_spm", "stride_time_s"), note)
    return found


def implausible_sentences(values: Mapping[str, float | None]) -> list[str]:
    """The same as sentences for the warnings."""
    return [
        f"{name} = {values[name]:.3g} is {note}: check the recording." for name, note in implausible(values).items()
    ]
