"""Sentences about one measure or one pair of sides, shared by descriptions and rationales."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .bins import same_sides, word_for
from .measures import BY_NAME, Measure, Parameters, Side, measure_of, printed, printed_number

COUNT_WORDS = ("none", "one", "two", "three", "four", "five", "six")

# Verb phrases that follow "walks".
PACE = {"very slow": "very slowly", "slow": "slowly", "usual": "at a usual pace", "brisk": "briskly"}


# How the smaller number of two sides is called, in evidence and wherever a text gives numbers.
LESS: dict[str, str] = {
    "arm_swing": "less",
    "step_length": "shorter",
    "foot_clearance": "less",
    "foot_strike_angle": "smaller",
}


@dataclass(frozen=True)
class SidedWords:
    """How one measure of two sides is told. ``{this}`` and ``{that}`` are sides, ``{a}`` and ``{b}`` their numbers.

    The side comes before its number: a small model asked afterwards whose number it has just written is often wrong.
    """

    differ: tuple[str, ...]  # templates; ``{word}`` is of ``LESS``
    equal: tuple[str, ...]
    single: tuple[str, ...]
    differ_words: tuple[tuple[str, str], ...]  # template and its word for the smaller side
    equal_words: tuple[str, ...]
    single_words: tuple[str, ...]


SIDED: dict[str, SidedWords] = {
    "arm_swing": SidedWords(
        differ=(
            "The {this} arm swings {a}, {word} than the {that} ({b}).",
            "On the {this}, arm swing is {a}, {word} than on the {that} ({b}).",
            "The {this} arm swings {word} than the {that}, {a} against {b}.",
        ),
        equal=(
            "The arms swing about equally (left {left}, right {right}).",
            "Arm swing is about equal, {left} left and {right} right.",
        ),
        single=("The {this} arm swings {a}; the {that} could not be measured.",),
        differ_words=(
            ("The {this} arm swings {word} than the {that}.", "less"),
            ("On the {this}, arm swing is {word} than on the {that}.", "smaller"),
        ),
        equal_words=("The arms swing about equally.", "Arm swing is about equal on the two sides."),
        single_words=("The {this} arm swing is {bin}; the {that} could not be measured.",),
    ),
    "step_length": SidedWords(
        differ=(
            "The {this} step is {a} long, {word} than the {that} ({b}).",
            "On the {this}, step length is {a}, {word} than on the {that} ({b}).",
            "The {this} step is {word} than the {that}, {a} against {b}.",
        ),
        equal=(
            "The steps are about equally long (left {left}, right {right}).",
            "Step length is about equal, {left} left and {right} right.",
        ),
        single=("The {this} step is {a} long; the {that} could not be measured.",),
        differ_words=(
            ("The {this} step is {word} than the {that}.", "shorter"),
            ("Steps on the {this} are {word} than on the {that}.", "shorter"),
        ),
        equal_words=("The steps are about equally long.", "Step length is about equal on the two sides."),
        single_words=("The {this} step is {bin}; the {that} could not be measured.",),
    ),
    "foot_clearance": SidedWords(
        differ=(
            "The {this} foot lifts {a}, {word} than the {that} ({b}).",
            "On the {this}, foot clearance is {a}, {word} than on the {that} ({b}).",
            "In swing the {this} foot rises {a}, {word} than the {that} ({b}).",
        ),
        equal=(
            "The feet lift about equally (left {left}, right {right}).",
            "Foot clearance is about equal, {left} left and {right} right.",
        ),
        single=("The {this} foot lifts {a}; the {that} could not be measured.",),
        differ_words=(
            ("The {this} foot lifts {word} than the {that}.", "less"),
            ("On the {this}, foot clearance is {word} than on the {that}.", "lower"),
        ),
        equal_words=("The feet lift about equally.", "Foot clearance is about equal on the two sides."),
        single_words=("The {this} foot clearance is {bin}; the {that} could not be measured.",),
    ),
    "foot_strike_angle": SidedWords(
        differ=(
            "The {this} foot-strike angle is {a}, {word} than the {that} ({b}).",
            "On the {this}, the foot-strike angle is {a}, {word} than on the {that} ({b}).",
        ),
        equal=(
            "The feet strike at about equal angles (left {left}, right {right}).",
            "The foot-strike angle is about equal, {left} left and {right} right.",
        ),
        single=("The {this} foot strikes at {a}; the {that} could not be measured.",),
        differ_words=(
            ("The {this} foot-strike angle is {word} than the {that}.", "smaller"),
            ("On the {this}, the foot-strike angle is {word} than on the {that}.", "smaller"),
        ),
        equal_words=(
            "The feet strike at about equal angles.",
            "The foot-strike angle is about equal on the two sides.",
        ),
        single_words=("The {this} foot-strike angle is {bin}; the {that} could not be measured.",),
    ),
}


def shown_word(group: str, number: float) -> str:
    """The bin's word as a text says it of a measure."""
    word = word_for(group, number)
    return "unremarkable" if word == "usual" else word


def listed(items: Sequence[str]) -> str:
    """``"a"``, ``"a and b"``, ``"a, b and c"``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def sentence_start(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def quoted(parameters: Parameters, measure: Measure) -> str | None:
    """The printed value, ``about`` before it where its confidence is low; None where it was not measured."""
    value = printed(parameters, measure)
    if value is None:
        return None
    return f"about {value}" if measure.name in parameters.low_confidence else value


def quoted_name(parameters: Parameters, name: str) -> str | None:
    """``quoted`` by parameter name."""
    return quoted(parameters, BY_NAME[name])


def sided_sentence(parameters: Parameters, group: str, rng: random.Random, *, numbers: bool) -> str | None:
    """One sentence on both sides of a measure; None where neither side was measured."""
    words = SIDED[group]
    number = {side: printed_number(parameters, measure_of(group, side)) for side in ("left", "right")}
    value = {side: quoted(parameters, measure_of(group, side)) for side in ("left", "right")}
    left, right = number["left"], number["right"]
    if left is None and right is None:
        return None
    this: Side
    that: Side
    if left is None or right is None:
        this, that, known = ("left", "right", left) if left is not None else ("right", "left", right or 0.0)
        template = rng.choice(words.single if numbers else words.single_words)
        return template.format(this=this, that=that, a=value[this], bin=shown_word(group, known))
    if same_sides(group, left, right):
        return rng.choice(words.equal if numbers else words.equal_words).format(**value)
    # The smaller side comes first: it is what stands out, and the evidence names it.
    this, that = ("left", "right") if left < right else ("right", "left")
    if numbers:
        template, word = rng.choice(words.differ), LESS[group]
    else:
        template, word = rng.choice(words.differ_words)
    return template.format(this=this, that=that, a=value[this], b=value[that], word=word)
