"""Measurements as a dataset stores them: all that texts are made from and checked against, with nothing but a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..gait import PARAMETER_NAMES, GaitParameters
from ..gait.results import rounded


@dataclass(frozen=True)
class StoredQuality:
    """The part of ``GaitQuality`` that texts use."""

    walking: bool
    strides: int
    steady_strides: int


@dataclass(frozen=True)
class StoredParameters:
    """What the texts of one walk are made from.

    Attributes:
        values: all of ``PARAMETER_NAMES``, rounded as they are handed out; None without evidence.
        reasons: why a value is None.
        low_confidence: why a value is to be read with care.
        quality: how much walking there is.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]
    low_confidence: Mapping[str, str]
    quality: StoredQuality

    @classmethod
    def from_measured(cls, measured: GaitParameters) -> StoredParameters:
        """What is stored of a measured clip: values as they are handed out, and what texts ask of the rest."""
        values = {
            name: None if (value := rounded(name, measured.values[name])) is None else float(value)
            for name in PARAMETER_NAMES
        }
        quality = measured.quality
        return cls(
            values,
            dict(measured.reasons),
            dict(measured.low_confidence),
            StoredQuality(quality.walking, quality.strides, quality.steady_strides),
        )

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> StoredParameters:
        """From a row of the rationale dataset: its columns ``gait_parameters`` and ``quality``."""
        stored, quality = row["gait_parameters"], row["quality"]
        return cls(
            {name: stored[name]["value"] for name in PARAMETER_NAMES},
            {name: reason for name in PARAMETER_NAMES if (reason := stored[name]["reason"])},
            {name: note for name in PARAMETER_NAMES if (note := stored[name]["low_confidence"])},
            StoredQuality(quality["walking"], quality["strides"], quality["steady_strides"]),
        )

    def mirrored(self) -> StoredParameters:
        """Those of the same walk in a mirror: left and right swapped."""
        return replace(
            self,
            values={name: self.values[_other_side(name)] for name in self.values},
            reasons={_other_side(name): reason for name, reason in self.reasons.items()},
            low_confidence={_other_side(name): note for name, note in self.low_confidence.items()},
        )


def _other_side(name: str) -> str:
    """``"arm_swing_left_deg"`` -> ``"arm_swing_right_deg"``; a name without a side stays."""
    return name.replace("_left_", "_@_").replace("_right_", "_left_").replace("_@_", "_right_")
