"""Results as a short clinical note in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..rationale.bins import BINS
from ..rationale.measures import BY_NAME, as_printed, with_unit
from ..rationale.norms import NORMS

NEAR_TIE = 0.1  # between the two most probable scores
WIDTH = 100
WHAT_IT_IS_NOT = (
    "For Parkinson's disease only; not the MDS-UPDRS, not a diagnosis, not a medical device. A low score does not mean "
    "a normal walk: what counts is speed, stride length, foot lift, heel strike, arm swing and turning."
)
USUAL = (
    "mean and 1.5 standard deviations of healthy older adults at their own speed, where published. About one healthy "
    "person in seven is outside of any one range, and most are outside of some; faster walkers take more steps a "
    "minute and support themselves less on both feet."
)

# (label, unit, names): one name, or the left and the right one. Printed with the decimals that texts print them with.
ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Walking speed", "m/s", ("walking_speed_mps",)),
    ("Cadence", "steps/min", ("cadence_spm",)),
    ("Stride length", "m", ("stride_length_m",)),
    ("Stride time", "s", ("stride_time_s",)),
    ("Step length", "m", ("step_length_left_m", "step_length_right_m")),
    ("Step length asymmetry", "%", ("step_length_asymmetry_percent",)),
    ("Step width", "m", ("step_width_m",)),
    ("Double support", "% of stride", ("double_support_percent",)),
    ("Swing", "% of stride", ("swing_percent",)),
    ("Stride time variability", "%", ("stride_time_cv_percent",)),
    ("Arm swing", "degrees", ("arm_swing_left_deg", "arm_swing_right_deg")),
    ("Arm swing asymmetry", "%", ("arm_swing_asymmetry_percent",)),
    ("Trunk flexion", "degrees", ("trunk_flexion_deg",)),
    ("Foot clearance", "cm", ("foot_clearance_left_m", "foot_clearance_right_m")),
    ("Foot strike angle", "degrees", ("foot_strike_angle_left_deg", "foot_strike_angle_right_deg")),
    ("Turn, scaled to 180 degrees", "s", ("turn_duration_180_s",)),
    ("Freezing episodes", "", ("freezing_episodes",)),
)
_LABELS = tuple(name for _, _, names in ROWS for name in names)


_STAYS_TOGETHER = "\u00a0"  # a number and its unit at the end of a line


def _wrap(text: str, indent: str = "  ") -> str:
    filled = textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return filled.replace(_STAYS_TOGETHER, " ")


def shown_values(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Every value of `ROWS` in its unit there, rounded to what is printed."""
    shown: dict[str, float | None] = {}
    for name in _LABELS:
        value, measure = values.get(name), BY_NAME[name]
        shown[name] = None if value is None else as_printed(measure, value)
    return shown


def share_text(share: float) -> str:
    """A probability in percent; small ones are small, not nothing."""
    return "<1 %" if 0.0 < share < 0.005 else f"{100 * share:.0f} %"


def tie_text(shares: Mapping[str, float]) -> str:
    """That the two most probable scores are about equally likely; empty where they are not."""
    ranked = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    if len(ranked) < 2 or shares[ranked[0]] - shares[ranked[1]] >= NEAR_TIE:
        return ""
    return f"Scores {min(ranked)} and {max(ranked)} are about equally likely."


def estimate_text(result: Mapping[str, Any]) -> str:
    """Whose estimate a score is, and what is known of its probabilities."""
    told = f"An estimate by {result['model']}, trained on {result['trained_on']} people"
    if result["trained_on"] != "simulated":
        return f"{told}."
    return f"{told}: how often its percentages are right for real people is unknown."


def checked_text(checked: Mapping[str, Any]) -> str:
    """How much of a rationale repeats what was measured, and that this is all it says."""
    return (
        f"{checked['supported']} of {checked['claims']} statements in this rationale repeat what was measured; that "
        "says nothing about the score."
    )


def number_text(value: float | None, decimals: int) -> str:
    if value is None:
        return "-"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _table(result: Mapping[str, Any]) -> list[str]:
    """The parameters beside the usual range of healthy older adults, then what is to be read with care and what has no
    value, each with why where the result says."""
    values = shown_values(result["gait_parameters"])
    reasons, cautions = result.get("null_reasons") or {}, result.get("low_confidence") or {}
    cautions = {name: cautions[name] for name in _LABELS if name in cautions}
    lines = []
    for label, unit, names in ROWS:
        shown = [number_text(values[name], BY_NAME[name].decimals) for name in names]
        if all(s == "-" for s in shown):
            continue
        text = shown[0] if len(shown) == 1 else f"left {shown[0]}, right {shown[1]}"
        sure = [(name, None if name in cautions else values[name]) for name in names]
        lines.append(f"  {label:<28} {with_unit(text, unit):<26} {_usual(sure)}".rstrip())
    if any("usual " in line for line in lines):
        lines.append(_wrap(f"Usual: {USUAL}"))
    lines.append("")
    missing = [name for name in _LABELS if values.get(name) is None]
    if cautions:
        lines.append(_wrap("Read with care: " + _by_reason(cautions) + "."))
    if missing:
        lines.append(_wrap("Not measurable here: " + _by_reason({n: reasons.get(n, "") for n in missing}) + "."))
    return lines


def word_beside(name: str, value: float | None) -> str:
    """The word for a printed value outside of its usual range; empty inside, and where no range was published.

    On the side that is no impairment, such as a brisk walk, it is "above" or "below".
    """
    norm, bins = NORMS.get(BY_NAME[name].group), BINS.get(BY_NAME[name].group)
    if value is None or norm is None or norm.usual_high is None:
        return ""
    word = bins.word(value) if bins is not None else ""
    if word and bins is not None and word not in bins.usual:
        return word
    if value > norm.usual_high:
        return "above"
    return "below" if norm.usual_low is not None and value < norm.usual_low else ""


def _usual(values: Sequence[tuple[str, float | None]]) -> str:
    """``"short; usual 1.17 to 1.49"``: the word where a value stands out, and the range; empty without a norm."""
    group = BY_NAME[values[0][0]].group
    norm = NORMS.get(group)
    if norm is None or norm.usual_high is None:
        return ""
    decimals = BY_NAME[values[0][0]].decimals
    usual = f"up to {norm.usual_high:.{decimals}f}"
    if norm.usual_low is not None:
        usual = f"{norm.usual_low:.{decimals}f} to {norm.usual_high:.{decimals}f}"
    words = {BY_NAME[name].side: word for name, value in values if (word := word_beside(name, value))}
    if len(words) == 2 and len(set(words.values())) == 1:
        told = f"both {words['left']}"
    else:
        told = ", ".join(f"{side} {word}" if side else word for side, word in words.items())
    return f"{told}; usual {usual}" if told else f"usual {usual}"


def _by_reason(reasons: Mapping[str, str]) -> str:
    """Labels that share a reason together, the reason after them; a label once where both its sides are meant."""
    groups: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        groups.setdefault(reason, []).append(name)
    told = []
    for reason, names in groups.items():
        labels = []
        for label, _, own in ROWS:
            meant = [name for name in own if name in names]
            side = "" if len(meant) in (0, len(own)) else "left " if "_left_" in meant[0] else "right "
            labels += [side + label.lower()] if meant else []
        told.append(", ".join(labels) + (f" ({reason})" if reason else ""))
    return "; ".join(told)


def beside_the_table(warnings: Sequence[str]) -> list[str]:
    """Warnings without those that a table of the parameters says in its own place."""
    return [warning for warning in warnings if not warning.startswith("Read with care: ")]


def _notes(warnings: Sequence[str]) -> list[str]:
    return [_wrap(f"Note: {warning}") for warning in warnings]


def measures_note(result: Mapping[str, Any]) -> str:
    """The note for one line of ``agir measure``.

    Args:
        result: the JSON object of that line.
    """
    quality = result["quality"]
    lines = [
        str(result["source"]),
        _wrap(
            f"{quality['strides']} strides ({quality['steady_strides']} steady and straight) at "
            f"{quality['native_rate_hz']:g} frames a second."
            + ("" if quality["walking"] else " This was not recognised as walking.")
        ),
        *_table(result),
        *_notes(result["warnings"]),
    ]
    return "\n".join(lines) + "\n"


def assessment_note(result: Mapping[str, Any]) -> str:
    """The note for one result of the ``gait-assessment`` pipeline.

    Args:
        result: ``GaitAssessment.to_dict()``.
    """
    lines = [str(result["source"])]
    if result["abstained"]:
        lines.append(_wrap(f"No gait score: {result['abstain_reason']}"))
    else:
        shares = result["probabilities"]
        ranked = ", ".join(f"{label}: {share_text(share)}" for label, share in shares.items())
        ranked = ranked.replace(" %", f"{_STAYS_TOGETHER}%").replace(": ", f":{_STAYS_TOGETHER}")
        worst = max(shares)
        scale = f"0 normal to {worst}; mean by probability {result['expected_score']:.2f}"
        lines.append(_wrap(f"Estimated gait score {result['score']} ({scale}; {ranked})"))
        if tie := tie_text(shares):
            lines.append(_wrap(tie))
        lines.append(_wrap(f"{estimate_text(result)} {WHAT_IT_IS_NOT}"))
        lines.append("")
        lines += [_wrap(part) for part in result["rationale"].splitlines() if part.strip()]
        checked = result["grounding"]
        lines.append("")
        lines.append(_wrap(checked_text(checked)))
        for claim in checked["unsupported"]:
            lines.append(_wrap(f"Taken out: {claim['text']} It says {claim['stated']}; measured: {claim['measured']}."))
    lines.append("")
    lines += _table(result)
    lines += _notes(beside_the_table(result["warnings"]) if result.get("low_confidence") else result["warnings"])
    return "\n".join(lines) + "\n"
