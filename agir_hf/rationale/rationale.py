"""Rationales for stage 2: observation, comparison with norms, relation to what the gait item rates.

A rationale is a function of the measurements only. It never states a score or a word that equals one, because the
score's probabilities are read from the label after it.
"""

from __future__ import annotations

import random

from .aspects import aspects_with
from .bins import relation_to_norm, word_for
from .measures import BY_NAME, Parameters, printed_number
from .norms import POPULATION
from .phrases import COUNT_WORDS, PACE, listed, quoted_name, sentence_start, shown_word, sided_sentence
from .relations import foot_lift, is_uneven, norm_group, norm_mean, norm_relations

MAX_WORDS = 170
MAX_CONTEXT = 2  # sentences; one more where numbers are left out


def _number(parameters: Parameters, name: str) -> float | None:
    return printed_number(parameters, BY_NAME[name])


def _pace(parameters: Parameters, rng: random.Random, numbers: bool) -> str | None:
    speed, stride = _number(parameters, "walking_speed_mps"), _number(parameters, "stride_length_m")
    if numbers:
        speed_text = quoted_name(parameters, "walking_speed_mps")
        stride_text = quoted_name(parameters, "stride_length_m")
        if speed is None:
            return None if stride is None else f"Stride length is {stride_text}."
        if stride is None:
            return rng.choice((f"The person walks at {speed_text}.", f"Walking speed is {speed_text}."))
        return rng.choice(
            (
                f"The person walks at {speed_text} with a stride length of {stride_text}.",
                f"Walking speed is {speed_text} and stride length {stride_text}.",
                f"The person walks at {speed_text}, taking strides of {stride_text}.",
            )
        )
    word = "" if stride is None else word_for("stride_length", stride)
    strides = "strides of usual length" if word == "usual" else f"{word} strides"
    if speed is None:
        return f"The person takes {strides}." if word else None
    pace = PACE[word_for("walking_speed", speed)]
    if not word:
        return f"The person walks {pace}."
    return rng.choice((f"The person walks {pace} with {strides}.", f"The person walks {pace}, taking {strides}."))


def _turn(parameters: Parameters, rng: random.Random, numbers: bool) -> str | None:
    turn = _number(parameters, "turn_duration_180_s")
    if turn is None:
        return None
    if numbers:
        text = quoted_name(parameters, "turn_duration_180_s")
        return rng.choice((f"A half turn takes {text}.", f"Turning around takes {text}.", f"Turn duration is {text}."))
    word = word_for("turn_duration", turn)
    if word == "usual":
        return rng.choice(("Turning around takes no longer than usual.", "Turning is not slow."))
    return rng.choice((f"Turning is {word}.", f"Turning around is {word}."))


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


def _with_means(names: tuple[str, ...], numbers: bool) -> str:
    return listed([f"{name} (mean {norm_mean(norm_group(name))})" if numbers else name for name in names])


def _comparison(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    """What lies outside and inside the usual range of its norm, and foot lift, which has none."""
    relations = norm_relations(parameters)
    outside: list[str] = []
    for relation in ("below", "above"):
        names = relations[relation]
        if names:
            limit = "it" if outside else "the usual range"
            verb = "is" if len(names) == 1 else "are"
            outside.append(f"{_with_means(names, numbers)} {verb} {relation} {limit}")
    start = rng.choice((f"Compared with {POPULATION},", f"Against {POPULATION},", f"Set against {POPULATION},"))
    inside = relations["within"]
    told = []
    if outside:
        told.append(f"{start} {', and '.join(outside)}.")
    if inside:
        within = f"{listed(inside)} {'is' if len(inside) == 1 else 'are'} within the usual range"
        told.append(f"{sentence_start(within)}." if outside else f"{start} {within}.")
    lift = foot_lift(parameters)
    if lift is not None:
        told.append(
            rng.choice(
                (
                    f"No published norm fits foot lift, which here is {lift}.",
                    f"Foot lift has no matching published norm; here it is {lift}.",
                )
            )
        )
    return told


def _asymmetry(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    """Side differences that stand out, not where both sides were just called about equal."""
    names = []
    for group, name in (("arm_swing", "arm swing"), ("step_length", "step length")):
        if is_uneven(parameters, group):
            names.append(f"{name} ({quoted_name(parameters, f'{group}_asymmetry_percent')})" if numbers else name)
    if not names:
        return []
    return [rng.choice((f"Left and right differ clearly in {listed(names)}.", f"Asymmetry shows in {listed(names)}."))]


def _context(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    """Sentences on what the item does not rate, for a reader's orientation."""
    told = []
    cadence = _number(parameters, "cadence_spm")
    if cadence is not None:
        value = f" {quoted_name(parameters, 'cadence_spm')}," if numbers else ""
        told.append(f"Cadence is{value} {relation_to_norm('cadence', cadence)} the usual range.")
    support = _number(parameters, "double_support_percent")
    if support is not None:
        told.append(
            f"Double support takes {quoted_name(parameters, 'double_support_percent')} of the stride."
            if numbers
            else f"Double support is {shown_word('double_support', support)}."
        )
    width = _number(parameters, "step_width_m")
    if width is not None:
        text = quoted_name(parameters, "step_width_m") if numbers else shown_word("step_width", width)
        told.append(f"Step width is {text}.")
    variation = _number(parameters, "stride_time_cv_percent")
    if variation is not None:
        told.append(
            f"Stride time varies by {quoted_name(parameters, 'stride_time_cv_percent')}."
            if numbers
            else f"Stride timing is {word_for('stride_time_cv', variation)}."
        )
    rng.shuffle(told)
    return told


def _apart(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    """Posture and freezing, which belong to other items."""
    trunk, freezing = _number(parameters, "trunk_flexion_deg"), _number(parameters, "freezing_episodes")
    parts = []
    if trunk is not None:
        word = word_for("trunk_flexion", trunk)
        text = f"trunk flexion of {quoted_name(parameters, 'trunk_flexion_deg')}"
        parts.append(text if numbers else f"{'an' if word == 'upright' else 'a'} {word} trunk")
    if freezing is not None:
        count = "no" if freezing == 0 else (f"{freezing:.0f}" if numbers else "some")
        parts.append(f"{count} freezing {'episode' if count == '1' else 'episodes'}")
    if not parts:
        return []
    text = " and ".join(parts)
    return [rng.choice((f"Noted apart and not counted: {text}.", f"Not counted here: {text}."))]


def _summary(parameters: Parameters, rng: random.Random, numbers: bool) -> list[str]:
    """What could not be measured, then how many of the rated aspects are reduced and which."""
    reduced = aspects_with(parameters, "reduced")
    preserved = aspects_with(parameters, "preserved")
    missing = aspects_with(parameters, "not measured")
    measured = len(reduced) + len(preserved)
    if not measured:
        return ["None of the aspects that the gait item rates could be measured."]
    told = [f"{sentence_start(listed(missing))} could not be measured."] if missing else []
    if measured == 1:
        status = "reduced" if reduced else "preserved"
        told.append(f"The only rated aspect measured, {listed(reduced or preserved)}, is {status}.")
        return told
    total = str(measured) if numbers else COUNT_WORDS[measured]
    count = str(len(reduced)) if numbers else COUNT_WORDS[len(reduced)]
    if not reduced or not preserved:
        count = "all" if reduced else "none"
    names = f": {listed(reduced)}" if reduced else ""
    verb = "is" if len(reduced) < 2 else "are"
    rest = ""
    if reduced and preserved:
        others = listed(preserved) if len(preserved) < 3 else "the others"
        rest = f"; {others} {'is' if len(preserved) == 1 else 'are'} preserved"
    told.append(
        rng.choice(
            (
                f"Of the {total} rated aspects measured, {count} {verb} reduced{names}{rest}.",
                f"Of the {total} gait-item aspects measured, {count} {verb} reduced{names}{rest}.",
                f"In sum, {count} of the {total} rated aspects measured {verb} reduced{names}{rest}.",
            )
        )
    )
    return told


def _words(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def write_rationale(parameters: Parameters, rng: random.Random, *, numbers: bool = True) -> str:
    """A rationale of one paragraph, without score and without a word that equals one.

    Args:
        parameters: the measurements; nothing else decides what is said.
        rng: decides wording and order.
        numbers: False tells the same in words only, for the mode that sees the motion alone.

    What the item does not rate is told as far as ``MAX_WORDS`` leaves room.
    """
    steady = parameters.quality.walking and parameters.quality.steady_strides > 0
    opening = [] if steady else ["No steady straight walking was found, so this is to be read with care."]
    told = [*opening, *_observations(parameters, rng, numbers), *_comparison(parameters, rng, numbers)]
    asymmetry = _asymmetry(parameters, rng, numbers) if steady else []
    context = _context(parameters, rng, numbers)[: MAX_CONTEXT + (not numbers)] if steady else []
    apart = _apart(parameters, rng, numbers)
    summary = _summary(parameters, rng, numbers)
    if _words(told) + _words(apart) + _words(summary) > MAX_WORDS:
        apart = []
    ending = [*apart, *summary]
    room = MAX_WORDS - _words(told) - _words(ending)
    for sentence in (*asymmetry, *context):
        length = _words([sentence])
        if length <= room:
            told.append(sentence)
            room -= length
    return " ".join([*told, *ending])
