"""The measured block of a prompt: one line a measure, always in the same order."""

from __future__ import annotations

from .measures import MEASURES, Parameters, printed

NOT_MEASURED = "not measured"
UNCERTAIN = " (uncertain)"


def evidence_block(parameters: Parameters) -> str:
    """One line a measure, such as ``"walking speed 0.78 m/s"``.

    A missing measure keeps its line ("turn duration not measured"): every measure then stands at the same place, and a
    model need not notice an absence. Values of low confidence end in "(uncertain)".
    """
    lines = []
    for measure in MEASURES:
        value = printed(parameters, measure)
        mark = UNCERTAIN if value is not None and measure.name in parameters.low_confidence else ""
        lines.append(f"{measure.phrase} {value or NOT_MEASURED}{mark}")
    return "\n".join(lines)
