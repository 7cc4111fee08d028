"""Analytic descriptions for stage 1: how the person moves, in words and numbers, and never a score."""

from __future__ import annotations

import random

from .bins import word_for
from .measures import BY_NAME, Parameters, printed_number
from .phrases import PACE, quoted_name, sentence_start, sided_sentence


def _pace(parameters: Parameters, rng: random.Random) -> str | None:
    speed = printed_number(parameters, BY_NAME["walking_speed_mps"])
    cadence = quoted_name(parameters, "cadence_spm")
    stride = quoted_name(parameters, "stride_length_m")
    if speed is None:
        parts = [f"a cadence of {cadence}"] if cadence else []
        parts += [f"a stride length of {stride}"] if stride else []
        return f"The person walks with {' and '.join(parts)}." if parts else None
    word = word_for("walking_speed", speed)
    text = quoted_name(parameters, "walking_speed_mps")
    start = rng.choice(
        (
            f"The person walks {PACE[word]} ({text})",
            f"The person walks at {text}, a {word} pace",
            f"Walking speed is {text}, a {word} pace",
        )
    )
    if cadence and stride:
        tail = rng.choice(
            (
                f", with a cadence of {cadence} and a stride length of {stride}",
                f", with strides of {stride} at a cadence of {cadence}",
            )
        )
    elif cadence:
        tail = f", with a cadence of {cadence}"
    else:
        tail = f", with a stride length of {stride}" if stride else ""
    return f"{start}{tail}."


def _turn(parameters: Parameters, rng: random.Random) -> str | None:
    turn = quoted_name(parameters, "turn_duration_180_s")
    if turn is None:
        return None
    return rng.choice((f"A half turn takes {turn}.", f"Turning around takes {turn}.", f"Turn duration is {turn}."))


def _body(parameters: Parameters, rng: random.Random) -> str | None:
    width = quoted_name(parameters, "step_width_m")
    trunk = quoted_name(parameters, "trunk_flexion_deg")
    parts = [f"step width is {width}"] if width else []
    parts += [f"trunk flexion is {trunk}"] if trunk else []
    rng.shuffle(parts)
    return sentence_start(" and ".join(parts)) + "." if parts else None


def describe(parameters: Parameters, rng: random.Random) -> str:
    """Two to five sentences of movement words and numbers; wording and order vary with ``rng``.

    Pace comes first, and arm swing and turning are always told where measured, so that a motion can be learned from the
    text.
    """
    if not parameters.quality.walking:
        return "The person does not walk in this recording. No gait cycle could be followed."
    pace = _pace(parameters, rng) or "The person walks."
    arms = sided_sentence(parameters, "arm_swing", rng, numbers=True)
    turn = _turn(parameters, rng)
    others = [
        sentence
        for sentence in (
            sided_sentence(parameters, "foot_clearance", rng, numbers=True),
            sided_sentence(parameters, "foot_strike_angle", rng, numbers=True),
            sided_sentence(parameters, "step_length", rng, numbers=True),
            _body(parameters, rng),
        )
        if sentence is not None
    ]
    told = [sentence for sentence in (arms, turn) if sentence is not None]
    rng.shuffle(others)
    told += others[: 4 - len(told)]
    rng.shuffle(told)
    sentences = [pace, *told]
    if len(sentences) == 1:
        sentences.append("Little else could be measured.")
    return " ".join(sentences)
