"""Numbers to words: versioned bins on the printed numbers.

Where a norm exists, the bin called usual is the norm's usual range, so that words and comparisons never disagree. The
limits that no publication gives are fitted on the training subjects of a dataset, stand in ``bins.json`` with what they
were fitted on, and are fitted anew by ``python -m dataset_builder bins``. One version serves all datasets and models,
so that a word means the same everywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..package_data import read_data
from .measures import GROUPS
from .norms import NORMS

Place = Literal["very_low", "low", "high", "very_high"]
PLACES: tuple[Place, ...] = ("very_low", "low", "high", "very_high")
FITTED: Final = "fitted"
Limit = float | Literal["fitted"] | None


@dataclass(frozen=True)
class Scale:
    """The words of one measure and where each begins, before fitted limits are filled in.

    Attributes:
        words: from the smallest numbers to the largest.
        usual: which words mean that nothing stands out on the impaired side.
        very_low, low: numbers below them get the word before; None where there is no such word.
        high, very_high: numbers above them get the word after.
        basis: what the limits that are not fitted lean on.
    """

    words: tuple[str, ...]
    usual: frozenset[str]
    very_low: Limit = None
    low: Limit = None
    high: Limit = None
    very_high: Limit = None
    basis: str = ""

    def limit(self, place: Place) -> Limit:
        """The limit at a place."""
        found: Limit = getattr(self, place)
        return found


_RANGE = "usual range of the norm"
_STEP = 1e-9  # guards the limits that are exact decimals


def _norm_scale(
    group: str, words: tuple[str, ...], usual: tuple[str, ...], *, very_low: Limit = None, very_high: Limit = None
) -> Scale:
    norm = NORMS[group]
    return Scale(words, frozenset(usual), very_low, norm.usual_low, norm.usual_high, very_high, _RANGE)


SCALES: dict[str, Scale] = {
    # Below 0.60 m/s lies the slowest class of Studenski et al. 2003.
    "walking_speed": _norm_scale(
        "walking_speed", ("very slow", "slow", "usual", "brisk"), ("usual", "brisk"), very_low=0.60
    ),
    "stride_length": _norm_scale(
        "stride_length", ("very short", "short", "usual", "long"), ("usual", "long"), very_low=FITTED
    ),
    "step_length": Scale(
        ("very short", "short", "usual", "long"),
        frozenset({"usual", "long"}),
        FITTED,
        0.58,
        0.75,
        basis="half of the usual range of stride length",
    ),
    "foot_clearance": Scale(("very low", "low", "usual"), frozenset({"usual"}), FITTED, FITTED),
    # What is flat is a matter of geometry, not of what people do: within 5 degrees (our choice).
    "foot_strike_angle": _norm_scale(
        "foot_strike_angle", ("flat", "low", "usual", "steep"), ("usual", "steep"), very_low=5.0
    ),
    "turn_duration": _norm_scale("turn_duration", ("usual", "slow", "very slow"), ("usual",), very_high=FITTED),
    "arm_swing": _norm_scale(
        "arm_swing", ("very small", "small", "usual", "large"), ("usual", "large"), very_low=FITTED
    ),
    "cadence": _norm_scale("cadence", ("low", "usual", "high"), ("usual",)),
    "stride_time": Scale(
        ("short", "usual", "long"),
        frozenset({"usual"}),
        low=0.95,
        high=1.22,
        basis="mean +- 1.5 SD of healthy older adults (1.08 +- 0.09 s, Frenkel-Toledo et al. 2005)",
    ),
    "step_width": Scale(("narrow", "usual", "wide"), frozenset({"usual"}), low=FITTED, high=FITTED),
    "double_support": _norm_scale("double_support", ("short", "usual", "long"), ("usual",)),
    "swing": _norm_scale("swing", ("short", "usual", "long"), ("usual",)),
    "stride_time_cv": Scale(("steady", "variable"), frozenset({"steady"}), high=FITTED),
    "trunk_flexion": Scale(("upright", "stooped", "bent"), frozenset({"upright"}), high=FITTED, very_high=FITTED),
    "step_length_asymmetry": Scale(("even", "uneven"), frozenset({"even"}), high=FITTED),
    "arm_swing_asymmetry": Scale(("even", "uneven"), frozenset({"even"}), high=FITTED),
}


@dataclass(frozen=True)
class Bins:
    """The words of one measure, from the smallest numbers to the largest.

    Attributes:
        limits: increasing, in the printed unit; ``words[i]`` holds for numbers below ``limits[i]`` and at or above
            ``limits[i - 1]``.
        words: one more than limits.
        usual: which words mean that nothing stands out; empty where the measure is not judged.
    """

    limits: tuple[float, ...]
    words: tuple[str, ...]
    usual: frozenset[str]

    def word(self, number: float) -> str:
        """The word for a printed number."""
        return self.words[sum(number >= limit for limit in self.limits)]


def bins_of(fitted: dict[str, dict[str, float]]) -> dict[str, Bins]:
    """The bins of every measure with these fitted limits: measure -> place -> printed number."""
    found = {}
    for group, scale in SCALES.items():
        limits = []
        for place in PLACES:
            limit = scale.limit(place)
            if limit is None:
                continue
            number = fitted[group][place] if limit == FITTED else float(limit)
            # A printed upper limit itself still gets the word below it.
            above = 0.5 * 10.0 ** -GROUPS[group][0].decimals if place in ("high", "very_high") else 0.0
            limits.append(number + above)
        found[group] = Bins(tuple(limits), scale.words, scale.usual)
    return found


def _packaged() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_data("rationale/bins.json"))
    return found


_FILE = _packaged()
BINS_VERSION: str = _FILE["version"]
BINS: dict[str, Bins] = bins_of(_FILE["limits"])

# Left and right are called about equal when their printed numbers differ by no more than this, in the printed unit:
# our choice, about the error of the measurement.
EQUAL_WITHIN: dict[str, float] = {
    "step_length": 0.03,
    "foot_clearance": 0.5,
    "foot_strike_angle": 3.0,
    "arm_swing": 4.0,
}


def word_for(group: str, number: float) -> str:
    """The word for a printed number of a measure.

    Args:
        group: as in ``measures.GROUPS``; must be one of ``BINS``.
        number: in the printed unit, rounded as printed.
    """
    return BINS[group].word(number)


def stands_out(group: str, number: float) -> bool:
    """Whether the printed number lies in a bin that is not usual on the impaired side."""
    bins = BINS[group]
    return bins.word(number) not in bins.usual


def same_sides(group: str, left: float, right: float) -> bool:
    """Whether printed numbers of the two sides count as about equal."""
    return abs(left - right) <= EQUAL_WITHIN[group] + _STEP


def relation_to_norm(group: str, number: float) -> str:
    """``"below"``, ``"within"`` or ``"above"`` the usual range of the norm of a measure."""
    norm = NORMS[group]
    if norm.usual_low is not None and number < norm.usual_low - _STEP:
        return "below"
    if norm.usual_high is not None and number > norm.usual_high + _STEP:
        return "above"
    return "within"
