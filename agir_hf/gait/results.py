"""What measuring gives back: every value with its reason or its caveat, the gait events, and how good the clip was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..clip import PARAMETER_NAMES, GaitEvent

# Decimals shown: below what one frame or one millimetre of sensor noise can change.
_DECIMALS = {"m": 3, "s": 3, "mps": 3, "spm": 1, "percent": 1, "deg": 1}


@dataclass(frozen=True)
class GaitQuality:
    """How much walking the clip holds.

    Attributes:
        walking: whether the person walks in this clip.
        strides: strides with both foot strikes in the clip, left and right together.
        steady_strides: those of them that are straight and neither start nor stop.
        native_rate_hz: frame rate of the recording.
        joints_filled: joints the source did not have.
        not_walking_reason: in plain words, None when ``walking``.
    """

    walking: bool
    strides: int
    steady_strides: int
    native_rate_hz: float
    joints_filled: tuple[str, ...]
    not_walking_reason: str | None


@dataclass(frozen=True)
class GaitParameters:
    """The gait parameters of one clip.

    Attributes:
        values: all of ``PARAMETER_NAMES``; None where the clip holds no evidence, never 0 for that.
        reasons: for each value that is None, why.
        low_confidence: for each value that is to be read with care, why.
        events: foot strikes and foot offs in time order, seconds after the first frame.
        quality: how much walking there is.
        warnings: the clip's own warnings and those of measuring, one sentence each.
    """

    values: Mapping[str, float | None]
    reasons: Mapping[str, str]
    low_confidence: Mapping[str, str]
    events: tuple[GaitEvent, ...]
    quality: GaitQuality
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """JSON-ready: values (``gait_parameters``), their reasons and cautions, events, quality and warnings."""
        return {
            "gait_parameters": {name: rounded(name, self.values[name]) for name in PARAMETER_NAMES},
            "null_reasons": dict(self.reasons),
            "low_confidence": dict(self.low_confidence),
            "events": [{"kind": e.kind, "side": e.side, "time_s": round(e.time_s, 3)} for e in self.events],
            "quality": {
                "walking": self.quality.walking,
                "strides": self.quality.strides,
                "steady_strides": self.quality.steady_strides,
                "native_rate_hz": round(self.quality.native_rate_hz, 3),
                "joints_filled": list(self.quality.joints_filled),
            },
            "warnings": list(self.warnings),
        }


def rounded(name: str, value: float | None) -> float | int | None:
    """A parameter as it is handed out (JSON, texts), which prints it with fewer decimals still or as it is."""
    if value is None:
        return None
    if name == "freezing_episodes":
        return int(value)
    return round(float(value), _DECIMALS[name.rsplit("_", 1)[1]])
