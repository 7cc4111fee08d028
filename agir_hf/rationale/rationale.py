"""Rationales for stage 2: observation, comparison with norms, relation to what the gait item rates.

A rationale is a function of the measurements only. It never states a score or a word that equals one, because the
score's probabilities are read from the label after it.
"""

from __future__ import annotations

import random

from .aspects import aspects_with
from .bins import relation_to_norm, stands_out, word_for
from .measures import BY_NAME, GROUPS, Parameters, printed_number, with_unit
from .norms import NORMS, POPULATION
from .phrases import COUNT_WORDS, PACE, listed, quoted_name, sentence_start, sided_sentence

MAX_WORDS = 170

_COMPARED = ("walking_speed", "stride_length", "foot_strike_angle", "turn_duration", "arm_swing")
_CALLED = {
    "walking_speed": "walking speed",
    "stride_length": "stride length",
    "foot_strike_angle": "foot-strike angle",
    "turn_duration": "turn duration",
    "arm_swing": "arm swing",
}


def _number(parameters: Parameters, name: str) -> float | None:
    return printed_number(parameters, BY_NAME[name])


def _pace(parameters: Parameters, rng: random.Random, numbers: bool) -> str | None:
    speed, stride = _number(parameters, "walking_speed_mps"), _number(parameters, "stride_length_m")
    if speed is None and stride is None:
        return None
    speed_text = quoted_name(parameters, "walking_speed_mps")
    stride_text = quoted_name(parameters, "stride_length_m")
    if numbers:
        if stride is None:
            return rng.choice((f"The person walks at {speed_text}.", f"Walking speed is {speed_text}."))
        if speed is None:
            return f"Stride length is {stride_text}."
        return rng.choice(
            (
                f"The person walks at {speed_text} with a stride length of {stride_text}.",
                f"Walking speed is {speed_text} and stride length {stride_text}.",
                f"The person walks at {speed_text}, taking strides of {stride_text}.",
            )
        )
    strides = "" if stride is None else f"{word_for('stride_length', stride)} strides"
    if speed is None:
        return f"The person takes {strides}."
    pace = PACE[word_for("walking_speed", speed)]
    if not strides:
        return f"The person walks {pace}."
    return rng.choice((f"The person walks {pace} with {strides}.", f"The person walks {pace}, taking {strides}."))


def _turn(parameters: Parameters, rng: random.Random, numbers: bool) -> str | None:
    turn = _number(parameters, "turn_duration_180_s")
    if turn is None:
        return None
    if numbers:
        text = quoted_name(parameters, "turn_duration_180_s")
        return rng.choice((f"A half turn takes {text}.", f"Turning around takes {text}.", f"Turn duration is {text}."))
    word = {"usual": "usual", "slow": "long", "very slow": "very long"}[word_for("turn_duration", turn)]
    return rng.choice((f"The time for a half turn is {word}.", f"Turn duration is {word}."))


def _observations(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    feet = [
        sided_sentence(parameters, group, rng, numbers=numbers)
        for group in ("step_length", "foot_clearance", "foot_strike_angle")
    ]
    rest = [_turn(parameters, rng, numbers), sided_sentence(parameters, "arm_swing", rng, numbers=numbers)]
    if rng.random() < 0.5:
        rest.reverse()
    found = [_pace(parameters, rng, numbers), *feet, *rest]
    return [sentence for sentence in found if sentence is not None]


def _relations(parameters: Parameters, numbers: bool) -> dict[str, list[str]]:
    """For each relation the measures that have it, each with the norm's mean at its first mention."""
    relations: dict[str, list[str]] = {"below": [], "above": [], "within": []}
    for group in _COMPARED:
        norm = NORMS[group]
        measures = [(m, n) for m in GROUPS[group] if (n := printed_number(parameters, m)) is not None]
        if not measures:
            continue
        mean = f" (mean {with_unit(norm.mean_text, measures[0][0].unit)})" if numbers else ""
        found = {relation_to_norm(group, number) for _, number in measures}
        if len(found) == 1:
            relations[found.pop()].append(f"{_CALLED[group]}{mean}")
            continue
        for index, (measure, number) in enumerate(measures):
            relations[relation_to_norm(group, number)].append(
                f"{measure.side} {_CALLED[group]}{mean if index == 0 else ''}"
            )
    return relations


def _comparison(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    relations = _relations(parameters, numbers)
    outside = []
    for relation in ("below", "above"):
        names = relations[relation]
        if names:
            outside.append(f"{listed(names)} {'is' if len(names) == 1 else 'are'} {relation} the usual range")
    start = rng.choice((f"Compared with {POPULATION},", f"Against {POPULATION},", f"Measured against {POPULATION},"))
    inside = relations["within"]
    verb = "is" if len(inside) == 1 else "are"
    told = []
    if outside:
        told.append(f"{start} {', and '.join(outside)}.")
    if inside:
        within = f"{listed(inside)} {verb} within the usual range"
        told.append(f"{sentence_start(within)}." if outside else f"{start} {within}.")
    lift = [n for m in GROUPS["foot_clearance"] if (n := printed_number(parameters, m)) is not None]
    if lift:
        low = "low" if any(stands_out("foot_clearance", number) for number in lift) else "not low"
        told.append(
            rng.choice(
                (
                    f"No published norm fits foot lift, which is {low} here.",
                    f"Foot lift has no matching published norm; here it is {low}.",
                )
            )
        )
    return told


def _context(parameters: Parameters, numbers: bool) -> list[str]:
    """Sentences on what the item does not rate, for a reader's orientation."""
    told = []
    cadence = _number(parameters, "cadence_spm")
    if cadence is not None:
        relation = relation_to_norm("cadence", cadence)
        text = f"is {quoted_name(parameters, 'cadence_spm')}, " if numbers else "is "
        mean = f" (mean {with_unit(NORMS['cadence'].mean_text, 'steps/min')})" if numbers else ""
        told.append(f"As context, cadence {text}{relation} the usual range{mean}.")
    support = _number(parameters, "double_support_percent")
    if support is not None:
        word = word_for("double_support", support)
        text = quoted_name(parameters, "double_support_percent")
        told.append(f"Double support takes {text} of the stride." if numbers else f"Double support is {word}.")
    width = _number(parameters, "step_width_m")
    if width is not None:
        text = quoted_name(parameters, "step_width_m") if numbers else word_for("step_width", width)
        told.append(f"Step width is {text}.")
    variation = _number(parameters, "stride_time_cv_percent")
    if variation is not None:
        text = quoted_name(parameters, "stride_time_cv_percent")
        told.append(
            f"Stride time varies by {text}."
            if numbers
            else f"Stride time is {word_for('stride_time_cv', variation)} from stride to stride."
        )
    return told


def _apart(parameters: Parameters, rng: random.Random, numbers: bool) -> str | None:
    """Posture and freezing, which belong to other items."""
    trunk, freezing = _number(parameters, "trunk_flexion_deg"), _number(parameters, "freezing_episodes")
    parts = []
    if trunk is not None:
        text = quoted_name(parameters, "trunk_flexion_deg")
        parts.append(f"trunk flexion of {text}" if numbers else f"the {word_for('trunk_flexion', trunk)} trunk")
    if freezing is not None:
        count = f"{freezing:.0f}" if numbers and freezing else ("no" if not freezing else "some")
        parts.append(f"{count} freezing {'episode' if count == '1' else 'episodes'}")
    if not parts:
        return None
    text = " and ".join(parts)
    return rng.choice((f"Noted apart and not counted: {text}.", f"Not counted here: {text}."))


def _summary(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    reduced = aspects_with(parameters, "reduced")
    preserved = aspects_with(parameters, "preserved")
    missing = aspects_with(parameters, "not measured")
    measured = len(reduced) + len(preserved)
    told = []
    if missing and measured:
        told.append(f"{sentence_start(listed(missing))} could not be measured in this recording.")
    if not measured:
        return ["None of the aspects that the gait item rates could be measured in this recording."]
    if preserved:
        verb = "is" if len(preserved) == 1 else "are"
        start = rng.choice(("Of what the gait item rates,", "Among the aspects that the gait item rates,"))
        told.append(f"{start} {listed(preserved)} {verb} preserved.")
    total = str(measured) if numbers else COUNT_WORDS[measured]
    count = (str(len(reduced)) if numbers else COUNT_WORDS[len(reduced)]) if reduced else "none"
    names = f": {listed(reduced)}" if reduced else ""
    verb = "is" if len(reduced) < 2 else "are"
    if measured == 1:
        told.append(
            f"The only rated aspect that could be measured is {'reduced' if reduced else 'not reduced'}{names}."
        )
        return told
    told.append(
        rng.choice(
            (
                f"Of the {total} rated aspects that could be measured, {count} {verb} reduced{names}.",
                f"In sum, {count} of the {total} rated aspects that could be measured {verb} reduced{names}.",
            )
        )
    )
    return told


def _asymmetry(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    told = []
    for group, name in (("arm_swing_asymmetry", "arm swing"), ("step_length_asymmetry", "step length")):
        value = _number(parameters, f"{group}_percent")
        if value is None or word_for(group, value) == "even":
            continue
        text = f" ({quoted_name(parameters, f'{group}_percent')} asymmetry)" if numbers else ""
        told.append(f"The left-right difference in {name} stands out{text}.")
    return told


def write_rationale(parameters: Parameters, rng: random.Random, *, numbers: bool = True) -> str:
    """A rationale of one paragraph, without score and without a word that equals one.

    Args:
        parameters: the measurements; nothing else decides what is said.
        rng: decides wording and order.
        numbers: False tells the same in words only, for the mode that sees the motion alone.
    """
    opening = []
    if not parameters.quality.walking or parameters.quality.steady_strides < 1:
        opening.append("No steady straight strides were found, so what follows is to be read with care.")
    body = _observations(parameters, rng, numbers)
    sections = [opening, body, _comparison(parameters, rng, numbers), _asymmetry(parameters, rng, numbers)]
    context = _context(parameters, numbers)
    apart = _apart(parameters, rng, numbers)
    ending = ([apart] if apart else []) + _summary(parameters, rng, numbers)
    fixed = [sentence for section in sections for sentence in section]
    words = sum(len(sentence.split()) for sentence in (*fixed, *ending))
    kept = []
    for sentence in context:
        words += len(sentence.split())
        if words <= MAX_WORDS:
            kept.append(sentence)
    return " ".join([*fixed, *kept, *ending])
