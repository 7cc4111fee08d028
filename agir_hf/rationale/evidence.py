"""The measured block of a prompt: one line a measure, always in the same order, then what code can settle about them.

A comparison is a fact of the measurement, not a matter of judgement, so it stands in the evidence in the words that a
rationale uses for it: which side is less, what lies outside the usual range of its norm, which of the rated aspects
are reduced. A model reads and weighs them. Translating "less" to "shorter" and joining two sides to one statement was
what a small model got wrong most often.
"""

from __future__ import annotations

from .aspects import aspects_with
from .bins import relation_to_norm, same_sides
from .measures import GROUPS, MEASURES, Measure, Parameters, printed, printed_number
from .phrases import MORE_OR_LESS
from .relations import foot_lift, is_uneven, norm_relations

NOT_MEASURED = "not measured"
UNCERTAIN = "uncertain"


def evidence_block(parameters: Parameters) -> str:
    """One line a measure, such as ``"left arm swing 12 degrees, less"``, and seven lines that sum them up.

    After the value stand, where they apply: the relation to the other side (``less``, ``more``, ``equal``); for
    cadence, which is context, the relation to its norm; for asymmetries ``even`` or ``uneven``; ``uncertain`` for a
    value of low confidence. A missing measure keeps its line ("turn duration not measured") and an empty list is
    ``none``: everything then stands at the same place, and a model need not notice an absence.
    """
    lines = [_line(parameters, measure) for measure in MEASURES]
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
    marks = [_side_mark(parameters, measure, number), _mark(parameters, measure, number)]
    if measure.name in parameters.low_confidence:
        marks.append(UNCERTAIN)
    return ", ".join([f"{measure.phrase} {value}", *(mark for mark in marks if mark)])


def _mark(parameters: Parameters, measure: Measure, number: float) -> str | None:
    if measure.group == "cadence":
        return relation_to_norm("cadence", number)
    group, suffix, _ = measure.group.partition("_asymmetry")
    if suffix:
        return "uneven" if is_uneven(parameters, group) else "even"
    return None


def _side_mark(parameters: Parameters, measure: Measure, number: float) -> str | None:
    if measure.side is None or measure.group not in MORE_OR_LESS:
        return None
    other = next(m for m in GROUPS[measure.group] if m.side not in (None, measure.side))
    opposite = printed_number(parameters, other)
    if opposite is None:
        return None
    if same_sides(measure.group, number, opposite):
        return "equal"
    less, more = MORE_OR_LESS[measure.group]
    return less if number < opposite else more
