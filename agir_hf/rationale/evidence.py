"""The measured block of a prompt: one line a measure, always in the same order, with what code can settle about it.

A comparison is a fact of the measurement, not a matter of judgement, so it stands in the evidence: how a value relates
to its norm, how one side relates to the other, and which of the rated aspects are reduced. A model reads and weighs
them.
"""

from __future__ import annotations

from .aspects import aspects_with
from .bins import BINS, EQUAL_WITHIN, relation_to_norm, same_sides, word_for
from .measures import GROUPS, MEASURES, Measure, Parameters, printed, printed_number
from .norms import NORMS

NOT_MEASURED = "not measured"
UNCERTAIN = "uncertain"


def evidence_block(parameters: Parameters) -> str:
    """One line a measure, such as ``"left arm swing 12 degrees, less, below"``, and a last line on the rated aspects.

    After the value stand, where they apply: the relation to the other side (less, more, equal); the relation to the
    norm (below, within, above) or the word for the value; "uncertain" for a value of low confidence. A missing measure
    keeps its line ("turn duration not measured"): every measure then stands at the same place, and a model need not
    notice an absence.
    """
    lines = [_line(parameters, measure) for measure in MEASURES]
    reduced, preserved = aspects_with(parameters, "reduced"), aspects_with(parameters, "preserved")
    lines.append(f"reduced {len(reduced)} of {len(reduced) + len(preserved)}: {', '.join(reduced) or 'none'}")
    return "\n".join(lines)


def _line(parameters: Parameters, measure: Measure) -> str:
    value, number = printed(parameters, measure), printed_number(parameters, measure)
    if value is None or number is None:
        return f"{measure.phrase} {NOT_MEASURED}"
    marks = [_side_mark(parameters, measure, number), _mark(measure, number)]
    if measure.name in parameters.low_confidence:
        marks.append(UNCERTAIN)
    return ", ".join([f"{measure.phrase} {value}", *(mark for mark in marks if mark)])


def _mark(measure: Measure, number: float) -> str | None:
    if measure.group in NORMS:
        return relation_to_norm(measure.group, number)
    return word_for(measure.group, number) if measure.group in BINS else None


def _side_mark(parameters: Parameters, measure: Measure, number: float) -> str | None:
    if measure.side is None or measure.group not in EQUAL_WITHIN:
        return None
    other = next(m for m in GROUPS[measure.group] if m.side not in (None, measure.side))
    opposite = printed_number(parameters, other)
    if opposite is None:
        return None
    if same_sides(measure.group, number, opposite):
        return "equal"
    return "less" if number < opposite else "more"
