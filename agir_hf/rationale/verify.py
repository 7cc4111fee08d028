"""Claims against measurements: each comes back supported, or as the kind of fault it is."""

from __future__ import annotations

from dataclasses import dataclass

from .aspects import aspects_with
from .bins import BINS, relation_to_norm, same_sides
from .claims import NumberClaim
from .lexicon import DIMENSIONS
from .measures import GROUPS, Measure, Parameters, printed, printed_number
from .norms import NORMS
from .statements import Mention, WordClaim


@dataclass(frozen=True)
class Fault:
    """Why a claim is not supported: its kind, what the text says, what was measured."""

    kind: str
    stated: str
    measured: str


# Values may have been rounded once before (three decimals of a metre, one of a degree) and again in the text.
_ROUNDED_BEFORE = {"speed": 0.0005, "length": 0.0005, "time": 0.0005, "cadence": 0.05, "angle": 0.05, "percent": 0.05}
_RELATIVE = 0.05  # coarser rounding in a text may not be off by more than this


def _measures(group: str, side: str | None) -> list[Measure]:
    return [m for m in GROUPS.get(group, ()) if side not in ("left", "right") or m.side in (None, side)]


def shown(parameters: Parameters, group: str, side: str | None = None) -> str:
    """What was measured, in words for a reader."""
    parts = []
    for measure in _measures(group, side):
        parts.append(f"{measure.phrase} {printed(parameters, measure) or 'not measured'}")
    return ", ".join(parts)


def _matches(claim: NumberClaim, measure: Measure, value: float) -> bool:
    """Whether the stated number is this value, rounded to the decimals it was stated with."""
    dimension, base = DIMENSIONS[measure.group]
    actual = value * measure.scale * base
    factor = claim.number.factor if claim.number.dimension is not None else base
    stated = claim.number.value * factor
    coarse = 0.5 * 10.0**-claim.number.decimals * factor
    fine = 0.5 * 10.0**-measure.decimals * base
    allowed = coarse if coarse <= fine * 1.001 else max(fine, min(coarse, _RELATIVE * abs(actual)))
    return abs(stated - actual) <= allowed * (1 + 1e-9) + _ROUNDED_BEFORE.get(dimension, 0.0) * 1.001


def _value(parameters: Parameters, measure: Measure) -> float | None:
    return parameters.values.get(measure.name) if printed_number(parameters, measure) is not None else None


def _is_difference(claim: NumberClaim, parameters: Parameters) -> bool:
    """Whether the number is the difference of the printed sides, or of the value from the norm."""
    numbers = [n for m in GROUPS[claim.group] if (n := printed_number(parameters, m)) is not None]
    unit_scale = DIMENSIONS[claim.group][1]
    stated = claim.number.value * (claim.number.factor / unit_scale if claim.number.dimension is not None else 1.0)
    fine = 10.0 ** -GROUPS[claim.group][0].decimals
    expected = [abs(numbers[0] - numbers[1])] if len(numbers) == 2 else []
    if claim.group in NORMS and claim.sure_norm:
        expected += [abs(number - NORMS[claim.group].mean) for number in numbers]
    return any(abs(stated - value) <= fine * 1.001 for value in expected)


def _check_norm(claim: NumberClaim, parameters: Parameters) -> Fault | None:
    stated = claim.number.text
    norm = NORMS.get(claim.group)
    if norm is None:
        missing = f"no norm for {GROUPS[claim.group][0].phrase}" if claim.group else "no measure named"
        return Fault("norm", stated, missing)
    dimension, base = DIMENSIONS[claim.group]
    if claim.number.dimension not in (None, dimension):
        return Fault("unit", stated, f"norm {norm.mean_text} {GROUPS[claim.group][0].unit}")
    value = claim.number.value * (claim.number.factor / base if claim.number.dimension is not None else 1.0)
    known = [norm.mean, norm.sd, norm.usual_low, norm.usual_high]
    rounding = 0.5 * 10.0**-claim.number.decimals + 1e-9
    if any(n is not None and abs(value - n) <= min(rounding, _RELATIVE * abs(n)) for n in known):
        return None
    if not claim.sure_norm and _check_value(claim, parameters) is None:
        return None
    return Fault("norm", stated, f"norm {norm.mean_text} {GROUPS[claim.group][0].unit}")


def _check_value(claim: NumberClaim, parameters: Parameters) -> Fault | None:
    stated = claim.number.text
    if not claim.group:
        return Fault("invented", stated, "no such measure")
    found = {m: v for m in GROUPS[claim.group] if (v := _value(parameters, m)) is not None}
    if not claim.fits:
        return Fault("unit", stated, shown(parameters, claim.group, claim.side))
    if not found:
        return Fault("invented", stated, shown(parameters, claim.group))
    named = _measures(claim.group, claim.side)
    if claim.side == "both":
        supported = len(found) == len(named) and all(_matches(claim, m, v) for m, v in found.items())
    else:
        supported = any(m in named and _matches(claim, m, v) for m, v in found.items())
    if not supported and claim.side is None and len(found) == 2:
        supported = _matches(claim, named[0], sum(found.values()) / 2)
    if supported:
        return None
    measured = shown(parameters, claim.group, claim.side)
    digits = {f"{abs(n):g}" for m in named if (n := printed_number(parameters, m)) is not None}
    if claim.number.dimension is not None and f"{abs(claim.number.value):g}" in digits:
        _, base = DIMENSIONS[claim.group]
        if claim.number.factor != base:
            return Fault("unit", stated, measured)
    if not any(m in named for m in found):
        return Fault("invented", stated, measured)
    if claim.side in ("left", "right") and any(m not in named and _matches(claim, m, v) for m, v in found.items()):
        return Fault("side", stated, shown(parameters, claim.group))
    if claim.difference and _is_difference(claim, parameters):
        return None
    return Fault("number", stated, measured)


def _check_difference(claim: NumberClaim, parameters: Parameters) -> Fault | None:
    measured = shown(parameters, claim.group)
    if not claim.fits:
        return Fault("unit", claim.number.text, measured)
    if _is_difference(claim, parameters):
        return None
    return Fault("number", claim.number.text, measured)


def _check_count(claim: NumberClaim, parameters: Parameters) -> Fault | None:
    reduced, preserved = len(aspects_with(parameters, "reduced")), len(aspects_with(parameters, "preserved"))
    expected = {"reduced": (reduced,), "preserved": (preserved,), "total": (reduced + preserved,)}[claim.role]
    if int(claim.number.value) in expected:
        return None
    return Fault("count", claim.number.text, f"{reduced} of {reduced + preserved} measured aspects reduced")


def check_number(claim: NumberClaim, parameters: Parameters) -> Fault | None:
    """None where the number is supported."""
    if claim.role == "definition":
        return None
    if claim.role == "strides":
        known = (parameters.quality.strides, parameters.quality.steady_strides)
        return None if claim.number.value in known else Fault("number", claim.number.text, f"{known[0]} strides")
    if claim.role in ("reduced", "preserved", "total"):
        return _check_count(claim, parameters)
    if claim.role == "difference":
        return _check_difference(claim, parameters)
    return _check_norm(claim, parameters) if claim.role == "norm" else _check_value(claim, parameters)


def _kind_on(kind: str, target: Mention) -> str:
    """``slow`` and ``fast`` as low or high numbers of this measure, inverted where the mention is."""
    if kind in ("slow", "fast"):
        longer = target.group in ("turn_duration", "stride_time") and not target.inverted
        kind = "high" if (kind == "slow") == longer else "low"
        return kind if not target.inverted else {"low": "high", "high": "low"}[kind]
    if target.inverted and kind in ("low", "high"):
        return "high" if kind == "low" else "low"
    return kind


def _class_of(group: str, number: float) -> tuple[str, bool]:
    """``low``, ``usual`` or ``high`` by the bins, and whether the bin is the outermost of two on that side."""
    bins = BINS[group]
    place = bins.words.index(bins.word(number))
    neutral = next(i for i, word in enumerate(bins.words) if word in ("usual", "steady", "upright", "even"))
    if place == neutral:
        return "usual", False
    if place < neutral:
        return "low", neutral > 1 and place == 0
    return "high", len(bins.words) - neutral > 2 and place == len(bins.words) - 1


def _holds(group: str, kind: str, claim: WordClaim, number: float) -> bool:
    """Whether one printed number is what a statement without sides says."""
    if claim.against == "norm" and kind in ("low", "high"):
        mean = NORMS[group].mean
        return number < mean if kind == "low" else number > mean
    if claim.against:
        relation = {"low": "below", "high": "above"}.get(kind, "within")
        outside = relation_to_norm(group, number) != "within"
        return outside if kind == "out" else relation_to_norm(group, number) == relation
    found, outermost = _class_of(group, number)
    if kind == "out":
        return BINS[group].word(number) not in BINS[group].usual
    if kind == "usual":
        return found == "usual" or BINS[group].word(number) in BINS[group].usual
    return found == kind and (outermost or not claim.strong)


def _check_sides(claim: WordClaim, kind: str, parameters: Parameters) -> Fault | None:
    group = claim.target.group
    numbers = {m.side: n for m in GROUPS[group] if (n := printed_number(parameters, m)) is not None}
    if len(numbers) < 2:
        return Fault("invented", claim.text, shown(parameters, group))
    left, right = numbers["left"], numbers["right"]
    if claim.against == "other side":
        this, that = (left, right) if claim.target.side == "left" else (right, left)
        true = {"low": this < that, "high": this > that}.get(kind, same_sides(group, left, right))
    else:
        largest = max(abs(left), abs(right))
        true = same_sides(group, left, right) or (largest > 0 and abs(left - right) <= 0.1 * largest)
        if kind == "uneven":
            true = not same_sides(group, left, right)
    return None if true != claim.negated else Fault("comparison", claim.text, shown(parameters, group))


def _check_missing(claim: WordClaim, parameters: Parameters) -> Fault | None:
    measures = _measures(claim.target.group, claim.target.side)
    if all(_value(parameters, m) is None for m in measures):
        return None
    return Fault("invented", claim.text, shown(parameters, claim.target.group, claim.target.side))


def check_words(claim: WordClaim, parameters: Parameters) -> Fault | None:
    """None where the statement is supported."""
    group = claim.target.group
    if claim.kind == "unmeasured":
        return Fault("invented", claim.text, "no such measure")
    if claim.kind == "list":
        reduced = len(aspects_with(parameters, "reduced"))
        return None if claim.count == reduced else Fault("count", f"{claim.count} listed", f"{reduced} reduced")
    if claim.kind in ("rest_usual", "rest_out"):
        preserved = len(aspects_with(parameters, "preserved"))
        true = (preserved > 0) == (claim.kind == "rest_usual")
        return None if true else Fault("comparison", claim.text, f"{preserved} measured aspects preserved")
    if claim.kind == "missing":
        return _check_missing(claim, parameters)
    if claim.kind == "no_norm":
        known = NORMS.get(group)
        return None if known is None else Fault("norm", claim.text, f"norm {known.mean_text}")
    measures = _measures(group, claim.target.side)
    numbers = [n for m in measures if (n := printed_number(parameters, m)) is not None]
    if not numbers:
        return Fault("invented", claim.text, shown(parameters, group, claim.target.side))
    if claim.kind in ("freezing_none", "freezing_some"):
        true = (numbers[0] == 0) == (claim.kind == "freezing_none")
        return None if true else Fault("number", claim.text, shown(parameters, group))
    kind = _kind_on(claim.kind, claim.target)
    if claim.against == "other side" or kind in ("even", "uneven"):
        return _check_sides(claim, kind, parameters)
    if claim.against and group not in NORMS:
        return Fault("norm", claim.text, f"no norm for {measures[0].phrase}")
    if group not in BINS:
        return Fault("comparison", claim.text, f"{shown(parameters, group)} (no bins)")
    results = [_holds(group, kind, claim, number) for number in numbers]
    # Against a norm, a measure named without a side stands for both of its sides.
    every = kind == "usual" or claim.target.side == "both" or (bool(claim.against) and not claim.negated)
    true = all(results) if every else any(results)
    if true != claim.negated:
        return None
    return Fault("comparison", claim.text, shown(parameters, group, claim.target.side))
