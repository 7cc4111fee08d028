"""The measured block of a prompt: one line a measure, always in the same order, then what code can settle about them.

A comparison is a fact of the measurement, not a matter of judgement, so it stands in the evidence in the words that a
rationale uses for it: which side is smaller, what lies outside the usual range of its norm, which of the rated aspects
are reduced. A model reads and weighs them. Finding the smaller of two sides among the lines of all measures was what a
small model got wrong most often, so a line of its own names it.
"""

from __future__ import annotations

from .aspects import ASPECTS, aspects_with
from .bins import relation_to_norm, word_for
from .measures import MEASURES, Measure, Parameters, printed, printed_number
from .relations import SIDED_NAMES, foot_lift, is_uneven, norm_relations, smaller_side

NOT_MEASURED = "not measured"
UNCERTAIN = "uncertain"
# Measures whose word stands beside the number: what the item rates.
_IN_WORDS = frozenset({"step_length", *(aspect.group for aspect in ASPECTS)})


def evidence_block(parameters: Parameters) -> str:
    """One line a measure, such as ``"left arm swing 12 degrees, very small"``, and eleven lines that sum them up.

    After the value stand, where they apply: its word, for what the item rates; for
    cadence, which is context, the relation to its norm; for asymmetries ``even`` or ``uneven``; ``uncertain`` for a
    value of low confidence. A missing measure keeps its line ("turn duration not measured") and an empty list is
    ``none``: everything then stands at the same place, and a model need not notice an absence.
    """
    lines = [_line(parameters, measure) for measure in MEASURES]
    lines += [
        f"smaller {name}: {smaller_side(parameters, group) or NOT_MEASURED}" for group, name in SIDED_NAMES.items()
    ]
    lines += [f"{relation} usual: {_listed(names)}" for relation, names in norm_relations(parameters).items()]
    lines.append(f"foot lift: {foot_lift(parameters) or NOT_MEASURED}")
    reduced, preserved = aspects_with(parameters, "reduced"), aspects_with(parameters, "preserved")
    lines.append(f"reduced {len(reduced)} of {len(reduced) + len(preserved)}: {_listed(reduced)}")
    lines.append(f"preserved: {_listed(preserved)}")
    lines.append(f"{NOT_MEASURED}: {_listed(aspects_with(parameters, 'not measured'))}")
    return "\n".join(lines)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _line(parameters: Parameters, measure: Measure) -> str:
    value, number = printed(parameters, measure), printed_number(parameters, measure)
    if value is None or number is None:
        return f"{measure.phrase} {NOT_MEASURED}"
    marks = [_mark(parameters, measure, number)]
    if measure.name in parameters.low_confidence:
        marks.append(UNCERTAIN)
    return ", ".join([f"{measure.phrase} {value}", *(mark for mark in marks if mark)])


def _mark(parameters: Parameters, measure: Measure, number: float) -> str | None:
    if measure.group in _IN_WORDS:
        return word_for(measure.group, number)
    if measure.group == "cadence":
        return relation_to_norm("cadence", number)
    group, suffix, _ = measure.group.partition("_asymmetry")
    if suffix:
        return "uneven" if is_uneven(parameters, group) else "even"
    return None
