"""How the measurements relate to norms and to each other: settled here once, told in evidence and rationale alike."""

from __future__ import annotations

from .bins import relation_to_norm, same_sides, stands_out, word_for
from .measures import BY_NAME, GROUPS, Parameters, printed_number, with_unit
from .norms import NORMS

# What a rationale compares with a norm, and what texts call it.
COMPARED: dict[str, str] = {
    "walking_speed": "walking speed",
    "stride_length": "stride length",
    "foot_strike_angle": "foot-strike angle",
    "turn_duration": "turn duration",
    "arm_swing": "arm swing",
}
RELATIONS = ("below", "above", "within")


def norm_relations(parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """For each of ``RELATIONS`` the measures that have it, such as ``{"below": ("walking speed", "left arm swing")}``.

    Of a measure with one side outside the usual range, only that side is named.
    """
    found: dict[str, list[str]] = {relation: [] for relation in RELATIONS}
    for group, name in COMPARED.items():
        sides = [
            (measure.side, relation_to_norm(group, number))
            for measure in GROUPS[group]
            if (number := printed_number(parameters, measure)) is not None
        ]
        if len({relation for _, relation in sides}) == 1:
            found[sides[0][1]].append(name)
            continue
        for side, relation in sides:
            if relation != "within":
                found[relation].append(f"{side} {name}")
    return {relation: tuple(names) for relation, names in found.items()}


def norm_group(name: str) -> str:
    """The measure behind a name in `norm_relations`: ``"left arm swing"`` -> ``"arm_swing"``."""
    plain = name.removeprefix("left ").removeprefix("right ")
    return next(group for group, known in COMPARED.items() if known == plain)


def norm_mean(group: str) -> str:
    """The published mean as texts quote it, with its unit."""
    return with_unit(NORMS[group].mean_text, GROUPS[group][0].unit)


def foot_lift(parameters: Parameters) -> str | None:
    """``"low"``, ``"not low"`` or ``"low on the left"``, without a norm to lean on; None where it was not measured."""
    sides = {m.side: n for m in GROUPS["foot_clearance"] if (n := printed_number(parameters, m)) is not None}
    if not sides:
        return None
    low = [side for side, number in sides.items() if stands_out("foot_clearance", number)]
    if not low:
        return "not low"
    return "low" if len(low) == len(sides) else f"low on the {low[0]}"


def is_uneven(parameters: Parameters, group: str) -> bool:
    """Whether a measure's asymmetry stands out, and its sides are not about equal all the same (nearly still arms)."""
    value = printed_number(parameters, BY_NAME[f"{group}_asymmetry_percent"])
    sides = [number for measure in GROUPS[group] if (number := printed_number(parameters, measure)) is not None]
    if value is None or len(sides) < 2 or same_sides(group, *sides):
        return False
    return word_for(f"{group}_asymmetry", value) == "uneven"


# Measures of two sides that texts compare, and what the evidence calls them.
SIDED_NAMES: dict[str, str] = {
    "step_length": "step length",
    "foot_clearance": "foot clearance",
    "foot_strike_angle": "foot-strike angle",
    "arm_swing": "arm swing",
}


def smaller_side(parameters: Parameters, group: str) -> str | None:
    """``"left"``, ``"right"`` or ``"equal"``, by the printed numbers; None where a side was not measured."""
    sides = {m.side: n for m in GROUPS[group] if (n := printed_number(parameters, m)) is not None}
    if len(sides) < 2:
        return None
    left, right = sides["left"], sides["right"]
    if same_sides(group, left, right):
        return "equal"
    return "left" if left < right else "right"
