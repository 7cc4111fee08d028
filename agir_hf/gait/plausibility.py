"""Limits outside which a value is more likely an error of recording than a walk: flagged, never dropped."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIMITS_FILE = Path(__file__).with_name("plausibility.csv")


@dataclass(frozen=True)
class Limits:
    """Inclusive limits of one parameter, in its own unit, and where they come from."""

    lower: float
    upper: float
    source: str


@cache
def plausibility_limits() -> Mapping[str, Limits]:
    """The limits of every parameter by name."""
    with LIMITS_FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["parameter"]: Limits(float(row["lower"]), float(row["upper"]), row["source"])
            for row in csv.DictReader(file)
        }


def implausible(values: Mapping[str, float | None]) -> dict[str, str]:
    """For each value outside its limits, a note that names them."""
    found = {}
    for name, limits in plausibility_limits().items():
        value = values[name]
        if value is not None and not limits.lower <= value <= limits.upper:
            found[name] = f"outside the plausible range {limits.lower:g} to {limits.upper:g}"
    return found


def implausible_sentences(values: Mapping[str, float | None]) -> list[str]:
    """The same as sentences for the warnings."""
    return [
        f"{name} = {values[name]:.3g} is {note}: check the recording." for name, note in implausible(values).items()
    ]
