"""Two visits of one person side by side: what is higher or lower by more than measurement noise.

Noise has three parts. The spread of the strides gives the standard error of each visit's value. The instrument: the
same walk recorded twice does not read quite the same. And from one walk to the next the same person walks a little
differently, more than the strides within one walk tell: in simulated pairs of walks of one person, whose pace differs
by 5 percent from walk to walk, limits without this part called nine of ten speeds changed. The last two parts are one
standard deviation a parameter, of the difference between two recordings (``comparison_noise.csv``).

A difference says higher or lower, never what that means for the person. Differences between days, shoes and
laboratories are not in the noise.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from ..clip import MotionClip
from .measure import measure_gait
from .per_stride import StrideSamples, StrideValue, gait_evidence, stride_samples
from .results import PARAMETER_NAMES, GaitParameters
from .signals import SIDES, leg_length_m

NOISE_FILE = Path(__file__).with_name("comparison_noise.csv")
MIN_STRIDES = 3
CONFIDENCE = 0.95
MAX_LEG_DIFFERENCE = 0.05
# A left and a right stride share half of their time: n of them hold n/2 that are independent.
OVERLAPPING: frozenset[str] = frozenset(
    {
        "walking_speed_mps",
        "stride_length_m",
        "stride_time_s",
        "double_support_percent",
        "trunk_flexion_deg",
        "arm_swing_left_deg",
        "arm_swing_right_deg",
    }
)
# A walk drifts: strides in a row resemble each other. With fewer strides a side that cannot be told.
MIN_STRIDES_FOR_DRIFT = 5
MAX_DRIFT = 0.6

Verdict = Literal[
    "higher",
    "lower",
    "no change beyond measurement noise",
    "not enough strides to tell",
    "no noise estimate",
    "not measured",
]


@dataclass(frozen=True)
class NoiseFloor:
    """Standard deviations of the difference between two recordings of one person, beside the spread of strides.

    Attributes:
        instrument: the same walk, recorded twice. Simulated walks sampled at 50, 60, 100 and 120 Hz with 3 mm of sensor
            noise (40 people), rounded up.
        walk_to_walk: two walks in one session, without the spread of strides. "Clinical pairs" in ``basis``: two walks
            each of 18 people with neurological, muscle or joint disorders and healthy ones (recordings of
            Rueangsirarak et al., IEEE TNSRE 2018), measured with this package.
        basis: where the numbers come from.
    """

    instrument: float
    walk_to_walk: float
    basis: str

    @property
    def total(self) -> float:
        return math.hypot(self.instrument, self.walk_to_walk)


@cache
def noise_floors() -> Mapping[str, NoiseFloor]:
    """The floor of every parameter that has a standard error, by name."""
    with NOISE_FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["parameter"]: NoiseFloor(float(row["instrument"]), float(row["walk_to_walk"]), row["basis"])
            for row in csv.DictReader(file)
        }


@dataclass(frozen=True)
class Visit:
    """One measured walk.

    Attributes:
        source: where the clip came from.
        parameters: its gait parameters.
        strides: what single strides and steps contribute to them.
        leg_length_m: hip to knee to ankle, median over time, mean of both sides.
    """

    source: str
    parameters: GaitParameters
    strides: StrideSamples
    leg_length_m: float


@dataclass(frozen=True)
class Change:
    """One parameter on two visits.

    Attributes:
        first, second: the values, None where not measured.
        change: second minus first.
        standard_error: of the change, from the strides of both visits; None where no stride has a value.
        noise_floor: standard deviation of the change from instrument and walk-to-walk variation.
        limit: a larger change is beyond measurement noise; of changes by noise alone, 95 percent are smaller.
        strides: strides or steps behind each value.
        verdict: see ``Verdict``.
        reason: why there is no verdict, None where there is one.
    """

    first: float | None
    second: float | None
    change: float | None
    standard_error: float | None
    noise_floor: float | None
    limit: float | None
    strides: tuple[int, int] | None
    verdict: Verdict
    reason: str | None


@dataclass(frozen=True)
class GaitComparison:
    """All parameters on two visits, by name, and what a reader should know about the comparison."""

    first: Visit
    second: Visit
    changes: Mapping[str, Change]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; numbers rounded to what they are good for."""
        return {
            "first": _visit_dict(self.first),
            "second": _visit_dict(self.second),
            "confidence": CONFIDENCE,
            "changes": {name: _change_dict(name, self.changes[name]) for name in PARAMETER_NAMES},
            "warnings": list(self.warnings),
        }


def measure_visit(clip: MotionClip) -> Visit:
    """Measure one clip for a comparison."""
    return Visit(clip.source, measure_gait(clip), stride_samples(gait_evidence(clip)), leg_length_m(clip.joints_m))


def compare_gait(
    first: Visit | MotionClip, second: Visit | MotionClip, *, floors: Mapping[str, float] | None = None
) -> GaitComparison:
    """Compare two visits of one person.

    A change is beyond measurement noise where it exceeds q sqrt(SE_1^2 + SE_2^2 + floor^2), with q the 97.5 percent
    quantile of Student's t at the Welch-Satterthwaite degrees of freedom (1.96 with many strides; the floor counts as
    known exactly). Welch, Biometrika 1947;34:28-35.

    Args:
        first: the earlier visit, or its clip, which is then measured.
        second: the later one, likewise.
        floors: standard deviation of the difference between two recordings, by parameter, in its unit, where your
            laboratory knows its own; ``noise_floors`` for all that are not given.

    Returns:
        A verdict for each of ``PARAMETER_NAMES``. About 1 in 20 values that did not change exceeds its limit.
    """
    one = measure_visit(first) if isinstance(first, MotionClip) else first
    two = measure_visit(second) if isinstance(second, MotionClip) else second
    totals = {name: floor.total for name, floor in noise_floors().items()} | dict(floors or {})
    changes = {name: _change(name, one, two, totals.get(name)) for name in PARAMETER_NAMES}
    return GaitComparison(one, two, changes, _warnings(one, two))


@dataclass(frozen=True)
class _Spread:
    """Standard error of a mean, its degrees of freedom, and how many values it comes from."""

    standard_error: float
    freedom: float
    count: int


def _change(name: str, first: Visit, second: Visit, floor: float | None) -> Change:
    values = first.parameters.values[name], second.parameters.values[name]
    if values[0] is None or values[1] is None:
        missing = [
            f"{which} visit: {visit.parameters.reasons.get(name, 'no evidence')}"
            for which, visit, value in zip(("first", "second"), (first, second), values, strict=True)
            if value is None
        ]
        return Change(*values, None, None, None, None, None, "not measured", "; ".join(missing))
    change = values[1] - values[0]
    counts = _count(name, first), _count(name, second)
    if counts[0] is None or counts[1] is None or floor is None:
        return Change(
            *values, change, None, None, None, None, "no noise estimate", "no single stride has a value of its own"
        )
    strides = (counts[0], counts[1])
    spreads = _spread(name, first), _spread(name, second)
    if spreads[0] is None or spreads[1] is None:
        reason = f"from {strides[0]} and {strides[1]} strides or steps; {MIN_STRIDES} are needed on each visit"
        return Change(*values, change, None, floor, None, strides, "not enough strides to tell", reason)
    error = math.hypot(spreads[0].standard_error, spreads[1].standard_error)
    noise = math.hypot(error, floor)
    limit = _quantile(noise, (spreads[0], spreads[1])) * noise
    verdict: Verdict = "no change beyond measurement noise"
    if abs(change) > limit:
        verdict = "higher" if change > 0.0 else "lower"
    return Change(*values, change, error, floor, limit, strides, verdict, None)


def _count(name: str, visit: Visit) -> int | None:
    """Strides or steps behind a value, of the side that has fewer where it compares sides; None where none could be."""
    if name.endswith("_asymmetry_percent"):
        sides = [visit.strides[_side_name(name, side)] or () for side in SIDES]
        return min(len(values) for values in sides)
    values = visit.strides["stride_time_s" if name == "stride_time_cv_percent" else name]
    return None if values is None else len(values)


def _spread(name: str, visit: Visit) -> _Spread | None:
    """How well the strides of a visit tell a parameter; None with fewer than ``MIN_STRIDES``."""
    if name.endswith("_asymmetry_percent"):
        return _spread_of_asymmetry(name, visit)
    if name == "stride_time_cv_percent":
        times = _spread_of_mean(visit.strides["stride_time_s"] or (), overlapping=True)
        value = visit.parameters.values[name]
        if times is None or value is None:
            return None
        # Normal theory: variance of a coefficient of variation c is c^2 (1 / (2 (n - 1)) + c^2 / n).
        freedom = 0.5 * times.count - 1.0
        error = value * math.sqrt(0.5 / freedom + (0.01 * value) ** 2 / (0.5 * times.count))
        return _Spread(error, freedom, times.count)
    return _spread_of_mean(visit.strides[name] or (), overlapping=name in OVERLAPPING)


def _spread_of_mean(values: Sequence[StrideValue], *, overlapping: bool) -> _Spread | None:
    """Standard error of the mean of strides: their spread about their own side's mean, over independent strides.

    A lasting difference between left and right is no noise. Strides in a row that resemble each other count for fewer:
    n (1 - r) / (1 + r) with r the correlation of a stride with the next of the same side.
    """
    sides = [np.array([item.value for item in values if item.side == side]) for side in SIDES]
    residuals = [own - own.mean() for own in sides if len(own)]
    count = sum(len(own) for own in residuals)
    freedom = count - len(residuals)
    if count < MIN_STRIDES or freedom < 1:
        return None
    square_sum = float(sum((own**2).sum() for own in residuals))
    independent = 0.5 * count if overlapping else float(count)
    if count / len(residuals) >= MIN_STRIDES_FOR_DRIFT and square_sum > 0.0:
        lagged = float(sum((own[1:] * own[:-1]).sum() for own in residuals))
        drift = min(max(lagged / square_sum, 0.0), MAX_DRIFT)
        independent *= (1.0 - drift) / (1.0 + drift)
    error = math.sqrt(square_sum / freedom / independent)
    return _Spread(error, max(freedom * independent / count, 1.0), count)


def _side_name(asymmetry: str, side: str) -> str:
    return {
        "step_length_asymmetry_percent": f"step_length_{side}_m",
        "arm_swing_asymmetry_percent": f"arm_swing_{side}_deg",
    }[asymmetry]


def _spread_of_asymmetry(name: str, visit: Visit) -> _Spread | None:
    """By propagation: 100 (1 - s / l) with s and l the smaller and the larger side."""
    found = []
    for side in SIDES:
        own = _side_name(name, side)
        spread = _spread_of_mean(visit.strides[own] or (), overlapping=own in OVERLAPPING)
        value = visit.parameters.values[own]
        if spread is None or value is None:
            return None
        found.append((value, spread))
    (small, of_small), (large, of_large) = sorted(found, key=lambda item: item[0])
    if large <= 0.0:
        return None
    parts = [
        (100.0 / large * of_small.standard_error, of_small.freedom),
        (100.0 * small / large**2 * of_large.standard_error, of_large.freedom),
    ]
    variance = sum(error**2 for error, _ in parts)
    fourth = sum(error**4 / freedom for error, freedom in parts)
    freedom = variance**2 / fourth if fourth > 0.0 else of_small.freedom
    return _Spread(math.sqrt(variance), freedom, min(of_small.count, of_large.count))


def _quantile(noise: float, spreads: tuple[_Spread, _Spread]) -> float:
    """Student's t quantile of a two-sided limit for noise of which the spreads are known from few strides."""
    # Imported here: measuring needs no scipy.
    from scipy.special import ndtri, stdtrit

    upper = 0.5 * (1.0 + CONFIDENCE)
    uncertain = sum(spread.standard_error**4 / spread.freedom for spread in spreads)
    freedom = noise**4 / uncertain if uncertain > 0.0 else math.inf
    return float(ndtri(upper) if freedom > 1e6 else stdtrit(freedom, upper))


def _warnings(first: Visit, second: Visit) -> tuple[str, ...]:
    found = []
    rates = first.parameters.quality.native_rate_hz, second.parameters.quality.native_rate_hz
    if abs(rates[0] - rates[1]) > 0.01 * max(rates):
        found.append(
            f"The visits were recorded at {rates[0]:g} and {rates[1]:g} frames a second: shares of the stride, which "
            "hang on single frames, compare less well."
        )
    filled = set(first.parameters.quality.joints_filled), set(second.parameters.quality.joints_filled)
    if filled[0] != filled[1]:
        names = ", ".join(sorted(filled[0] ^ filled[1]))
        found.append(f"On one visit only, these joints were filled in, not recorded: {names}.")
    legs = first.leg_length_m, second.leg_length_m
    if abs(legs[0] - legs[1]) > MAX_LEG_DIFFERENCE * max(legs):
        found.append(
            f"The legs are {legs[0]:.2f} and {legs[1]:.2f} m long: check that both recordings show the same person at "
            "the same scale."
        )
    for which, visit in (("First", first), ("Second", second)):
        found += [f"{which} visit: {warning}" for warning in visit.parameters.warnings]
    return tuple(found)


# Decimals of values and of what is derived from their spread.
_DECIMALS = {"m": 3, "s": 3, "mps": 3, "spm": 1, "percent": 1, "deg": 1, "episodes": 0}


def _rounded(name: str, value: float | None, more: int = 0) -> float | int | None:
    if value is None:
        return None
    decimals = _DECIMALS[name.rsplit("_", 1)[1]] + more
    return round(float(value), decimals) + 0.0 if decimals else round(value)


def _change_dict(name: str, change: Change) -> dict[str, object]:
    return {
        "first": _rounded(name, change.first),
        "second": _rounded(name, change.second),
        "change": _rounded(name, change.change),
        "standard_error": _rounded(name, change.standard_error, 1),
        "noise_floor": _rounded(name, change.noise_floor, 1),
        "limit": _rounded(name, change.limit, 1),
        "strides": None if change.strides is None else list(change.strides),
        "verdict": change.verdict,
        "reason": change.reason,
    }


def _visit_dict(visit: Visit) -> dict[str, object]:
    quality = visit.parameters.quality
    return {
        "source": visit.source,
        "walking": quality.walking,
        "strides": quality.strides,
        "steady_strides": quality.steady_strides,
        "native_rate_hz": round(quality.native_rate_hz, 3),
        "leg_length_m": round(visit.leg_length_m, 3),
        "low_confidence": dict(visit.parameters.low_confidence),
    }
