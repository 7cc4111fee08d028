"""Numbers to words: versioned bins on the printed numbers.

Where a norm exists, the bin called usual is the norm's usual range, so that words and comparisons never disagree. The
other limits are our choices, with what they lean on beside them; none was fitted to any diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

from .norms import NORMS

BINS_VERSION = "1"


@dataclass(frozen=True)
class Bins:
    """The words of one measure, from the smallest numbers to the largest.

    Attributes:
        limits: increasing, in the printed unit; ``words[i]`` holds for numbers below ``limits[i]`` and at or above
            ``limits[i - 1]``.
        words: one more than limits.
        usual: which words mean that nothing stands out; empty where the measure is not judged.
        basis: what the limits lean on.
    """

    limits: tuple[float, ...]
    words: tuple[str, ...]
    usual: frozenset[str]
    basis: str

    def word(self, number: float) -> str:
        """The word for a printed number."""
        return self.words[sum(number >= limit for limit in self.limits)]


def _above(limit: float, decimals: int) -> float:
    """The bin limit that keeps a printed ``limit`` itself in the lower bin."""
    return limit + 0.5 * 10.0**-decimals


_RANGE = "usual range of the norm"
_STEP = 1e-9  # guards the limits that are exact decimals

BINS: dict[str, Bins] = {
    "walking_speed": Bins(
        (0.60, 0.97, _above(1.51, 2)),
        ("very slow", "slow", "usual", "brisk"),
        frozenset({"usual", "brisk"}),
        f"{_RANGE}; below 0.60 m/s is the slowest class of Studenski et al. 2003",
    ),
    "stride_length": Bins(
        (0.80, 1.17, _above(1.49, 2)),
        ("very short", "short", "usual", "long"),
        frozenset({"usual", "long"}),
        f"{_RANGE}; 0.80 m is our choice (about 60 percent of the mean)",
    ),
    "step_length": Bins(
        (0.40, 0.58, _above(0.75, 2)),
        ("very short", "short", "usual", "long"),
        frozenset({"usual", "long"}),
        "half of the stride length limits",
    ),
    "foot_clearance": Bins(
        (3.0, 5.0),
        ("very low", "low", "usual"),
        frozenset({"usual"}),
        "our choice: no published norm has this definition (highest toe base in swing)",
    ),
    "foot_strike_angle": Bins(
        (5.0, 17.0, _above(29.0, 0)),
        ("flat", "low", "usual", "steep"),
        frozenset({"usual", "steep"}),
        f"{_RANGE}; below 5 degrees the foot lands all but flat (our choice)",
    ),
    "turn_duration": Bins(
        (_above(2.8, 1), _above(4.0, 1)),
        ("usual", "slow", "very slow"),
        frozenset({"usual"}),
        f"{_RANGE}; 4.0 s is our choice (nearly twice the mean)",
    ),
    "arm_swing": Bins(
        (13.0, 26.0, _above(59.0, 0)),
        ("very small", "small", "usual", "large"),
        frozenset({"usual", "large"}),
        f"{_RANGE}; 13 degrees is half of its lower limit",
    ),
    "cadence": Bins((107.0, _above(120.0, 0)), ("low", "usual", "high"), frozenset({"usual"}), _RANGE),
    "stride_time": Bins(
        (0.95, _above(1.22, 2)),
        ("short", "usual", "long"),
        frozenset({"usual"}),
        "mean +- 1.5 SD of healthy older adults (1.08 +- 0.09 s, Frenkel-Toledo et al. 2005)",
    ),
    "step_width": Bins((0.06, 0.18), ("narrow", "usual", "wide"), frozenset({"usual"}), "our choice"),
    "double_support": Bins((23.4, _above(35.4, 1)), ("short", "usual", "long"), frozenset({"usual"}), _RANGE),
    "swing": Bins((32.3, _above(38.3, 1)), ("short", "usual", "long"), frozenset({"usual"}), _RANGE),
    "stride_time_cv": Bins(
        (3.0,),
        ("steady", "variable"),
        frozenset({"steady"}),
        "our choice: clearly above the 1.9 percent of healthy older adults (Frenkel-Toledo et al. 2005)",
    ),
    "trunk_flexion": Bins((10.0, 20.0), ("upright", "stooped", "bent"), frozenset({"upright"}), "our choice"),
    "step_length_asymmetry": Bins((10.0,), ("even", "uneven"), frozenset({"even"}), "our choice"),
    "arm_swing_asymmetry": Bins((20.0,), ("even", "uneven"), frozenset({"even"}), "our choice"),
}

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
