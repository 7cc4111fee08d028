"""Results as a short clinical note in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..rationale.bins import BINS
from ..rationale.measures import BY_NAME
from ..rationale.norms import NORMS

NEAR_TIE = 0.1  # between the two most probable scores
WIDTH = 100

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


def _wrap(text: str, indent: str = "  ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)


def shown_values(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Every value of `ROWS` in its unit there, rounded to what is printed."""
    shown: dict[str, float | None] = {}
    for name in _LABELS:
        value, measure = values.get(name), BY_NAME[name]
        shown[name] = None if value is None else float(round(value * measure.scale, measure.decimals)) + 0.0
    return shown


def number_text(value: float | None, decimals: int) -> str:
    if value is None:
        return "-"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _table(result: Mapping[str, Any]) -> list[str]:
    """The parameters beside the usual range of healthy older adults, then what is to be read with care and what has no
    value, each with why where the result says."""
    values = shown_values(result["gait_parameters"])
    lines = []
    for label, unit, names in ROWS:
        shown = [number_text(values[name], BY_NAME[name].decimals) for name in names]
        if all(s == "-" for s in shown):
            continue
        text = shown[0] if len(shown) == 1 else f"left {shown[0]}, right {shown[1]}"
        lines.append(f"  {label:<28} {f'{text} {unit}':<26} {_usual([(n, values[n]) for n in names])}".rstrip())
    if any("usual " in line for line in lines):
        lines.append(_wrap("Usual: mean and 1.5 standard deviations of healthy older adults, where one is published."))
    lines.append("")
    missing = [name for name in _LABELS if values.get(name) is None]
    reasons, cautions = result.get("null_reasons") or {}, result.get("low_confidence") or {}
    cautions = {name: cautions[name] for name in _LABELS if name in cautions}
    if cautions:
        lines.append(_wrap("Read with care: " + _by_reason(cautions) + "."))
    if missing:
        lines.append(_wrap("Not measurable here: " + _by_reason({n: reasons.get(n, "") for n in missing}) + "."))
    return lines


def _usual(values: Sequence[tuple[str, float | None]]) -> str:
    """``"short; usual 1.17 to 1.49"``: the word where a value stands out, and the range; empty without a norm."""
    group = BY_NAME[values[0][0]].group
    norm, bins = NORMS.get(group), BINS.get(group)
    if norm is None or norm.usual_high is None:
        return ""
    decimals = BY_NAME[values[0][0]].decimals
    usual = f"up to {norm.usual_high:.{decimals}f}"
    if norm.usual_low is not None:
        usual = f"{norm.usual_low:.{decimals}f} to {norm.usual_high:.{decimals}f}"
    words = []
    for name, value in values:
        if value is None:
            continue
        word = bins.word(value) if bins is not None else ""
        if bins is None or word in bins.usual:  # a brisk walk stands out to no harm, but is above the range
            low = norm.usual_low
            word = "above" if value > norm.usual_high else "below" if low is not None and value < low else ""
        if word:
            words.append(word if len(values) == 1 else f"{BY_NAME[name].side} {word}")
    if len(words) == 2 and len({word.split(" ", 1)[1] for word in words}) == 1:
        words = ["both " + words[0].split(" ", 1)[1]]
    return "; ".join([", ".join(words)] * bool(words) + [f"usual {usual}"])


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


def _notes(warnings: list[str]) -> list[str]:
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
    origin = f"{result['model']}, trained on {result['trained_on']} people"
    if result["abstained"]:
        lines.append(_wrap(f"No gait score: {result['abstain_reason']}"))
    else:
        ranked = ", ".join(f"{label}: {100 * p:.0f} %" for label, p in result["probabilities"].items())
        expected = f"0 is normal; expected {result['expected_score']:.2f}"
        lines.append(_wrap(f"Estimated gait score {result['score']} ({expected}; {ranked})"))
        first, second = sorted(result["probabilities"], key=result["probabilities"].__getitem__, reverse=True)[:2]
        if result["probabilities"][first] - result["probabilities"][second] < NEAR_TIE:
            lines.append(_wrap(f"Scores {min(first, second)} and {max(first, second)} are about equally likely."))
        lines.append(
            _wrap(
                f"An estimate by {origin}, for Parkinson's disease: not the MDS-UPDRS, not a diagnosis, not a medical "
                "device."
            )
        )
        lines.append("")
        lines += [_wrap(part) for part in result["rationale"].splitlines() if part.strip()]
        checked = result["grounding"]
        lines.append("")
        lines.append(
            _wrap(f"{checked['supported']} of {checked['claims']} statements in this rationale match the measurements.")
        )
        for claim in checked["unsupported"]:
            lines.append(
                _wrap(
                    f"Taken out, as it says {claim['stated']} where {claim['measured']} was measured: {claim['text']}"
                )
            )
    lines.append("")
    lines += _table(result)
    # What the table says in its own place is not said again.
    told = bool(result.get("low_confidence"))
    lines += _notes([note for note in result["warnings"] if not (told and note.startswith("Read with care: "))])
    return "\n".join(lines) + "\n"
