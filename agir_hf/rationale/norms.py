"""Published values of healthy older adults, only where the published definition matches ours.

Left out on purpose: both published arm swing asymmetries and the double support of the instrumented Timed Up and Go,
whose formulas differ from ours; and every measure without a source.
"""

from __future__ import annotations

from dataclasses import dataclass

POPULATION = "healthy older adults"


@dataclass(frozen=True)
class Norm:
    """A published mean of healthy older adults.

    Attributes:
        group: the measure it belongs to, as in ``measures.GROUPS``.
        mean: in the unit the measure is printed in.
        sd: published standard deviation, None where none was published or it cannot be read as one.
        mean_text: the mean as texts quote it.
        usual_low, usual_high: limits of the usual range, both included; printed numbers outside it are called below or
            above. Mean +- 1.5 SD, rounded to the printed decimals, where an SD exists; else our choice, see ``basis``.
        definition: what was measured.
        source: where it was published.
        basis: how the usual range was set.
    """

    group: str
    mean: float
    sd: float | None
    mean_text: str
    usual_low: float | None
    usual_high: float | None
    definition: str
    source: str
    basis: str


_FRENKEL = "Frenkel-Toledo et al. 2005, table 2 (controls of people with mild Parkinson's disease)"
_FRONT_NEUROL = "Front Neurol 2020;11:893, table 3 (controls of people with Parkinson's disease)"
_SPREAD = "mean +- 1.5 SD"

NORMS: dict[str, Norm] = {
    norm.group: norm
    for norm in (
        Norm("walking_speed", 1.24, 0.18, "1.24", 0.97, 1.51, "comfortable speed, m/s", _FRENKEL, _SPREAD),
        Norm("stride_length", 1.33, 0.11, "1.33", 1.17, 1.49, "comfortable speed, m", _FRENKEL, _SPREAD),
        Norm("cadence", 113.8, 4.3, "113.8", 107.0, 120.0, "steps per minute", "Pistacchi et al. 2017", _SPREAD),
        Norm("swing", 35.3, 2.0, "35.3", 32.3, 38.3, "swing phase, percent of the stride", _FRENKEL, _SPREAD),
        Norm(
            "double_support",
            29.4,
            None,
            "29.4",
            23.4,
            35.4,
            "initial and terminal double support, percent of the stride",
            f"derived as 100 - 2 x swing phase of {_FRENKEL}",
            "mean +- 1.5 x twice the SD of the swing phase it is derived from",
        ),
        Norm(
            "foot_strike_angle", 23.1, 4.0, "23.1", 17.0, 29.0, "foot pitch at strike, degrees", _FRONT_NEUROL, _SPREAD
        ),
        Norm(
            "turn_duration",
            2.2,
            None,
            "2.2",
            None,
            2.8,
            "time of a 180 degree turn, s",
            _FRONT_NEUROL,
            "our choice: above the 2.4 to 2.5 s of the published groups with Parkinson's disease",
        ),
        Norm(
            "arm_swing",
            42.3,
            None,
            "42.3",
            26.0,
            59.0,
            "range of motion of the arm in walking, degrees",
            "Zampieri et al. 2010, table 2 (controls of people with untreated Parkinson's disease)",
            "mean +- 1.5 SD, where SD = 11.1 is derived: the +- 3.2 printed there for 12 controls fits the reported "
            "p values only as a standard error",
        ),
    )
}
"""The norm of each measure that has one with our definition."""
