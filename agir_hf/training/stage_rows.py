"""Prompt and completion rows of every stage, from the walks of a split.

Texts that come from templates are worded anew for every row, from the stored measurements; texts of a chat model are
used as they are. Half of the walks are shown in a mirror: motion, measurements and words with left and right swapped.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from ..rationale import (
    SCORE_PREFIX,
    StoredParameters,
    describe,
    evidence_block,
    render_prompt,
    write_rationale,
)
from .data import Walk
from .mixed_measurements import mixed_measurements

Row = dict[str, str]

# What the prompt of an assessment shows. Most have both; the rest keep the model able to work from either alone.
ASSESS_MODES = {"both": 0.6, "evidence": 0.25, "motion": 0.15}
ASSESS_ROWS_PER_WALK = 2
# Posture and freezing, which the item does not rate, are taken from another walk that often.
APART_SHARE = 0.5
APART = ("trunk_flexion_deg", "freezing_episodes")
QUOTED_LINES = 6
# Rows of mixed measurements in stage 2, as a share of its own: what the warm-up taught is not to be lost.
TOLD_SHARE = 0.15
# So are rows of stage 1, where there was one: the model goes on describing motion and making it.
DESCRIBED_SHARE = 0.15
_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """A walk as one row shows it: as it is, or in a mirror."""

    walk: Walk
    measured: StoredParameters
    motion: str
    mirrored: bool

    def text(self, own: str, make: Callable[[StoredParameters], str]) -> str:
        """The walk's own text, or a new wording where it comes from templates."""
        if self.walk.templated:
            return make(self.measured)
        return swapped_sides(own) if self.mirrored else own


def swapped_sides(text: str) -> str:
    """The text with left and right swapped."""

    def other(match: re.Match[str]) -> str:
        found = match.group()
        word = "right" if found.lower() == "left" else "left"
        return word.upper() if found.isupper() else word.capitalize() if found[0].isupper() else word

    return _SIDES.sub(other, text)


def show(walk: Walk, motion_text: Callable[[NDArray[Any]], str], *, mirrored: bool) -> Shown:
    """The walk in a row; its codes must be known."""
    codes = walk.mirrored_codes if mirrored else walk.motion_codes
    measured = walk.measured.mirrored() if mirrored else walk.measured
    return Shown(walk, measured, "" if codes is None else motion_text(codes), mirrored)


def quote_rows(walks: Sequence[Walk], *, seed: int) -> list[Row]:
    """Warm-up: evidence lines of different clips, to be repeated in another order; one row a clip."""
    rng = random.Random(seed)
    by_measure = list(zip(*(walk.evidence.splitlines() for walk in walks), strict=True))
    made = []
    for _ in walks:
        lines = [rng.choice(lines) for lines in rng.sample(by_measure, QUOTED_LINES)]
        shown = "\n".join(lines)
        rng.shuffle(lines)
        made.append({"prompt": render_prompt("quote", evidence=shown), "completion": "\n".join(lines)})
    return made


def told_rows(walks: Sequence[Walk], count: int, *, seed: int) -> list[Row]:
    """Rationales of mixed measurements; they are nobody's, so there is no score to give."""
    rng = random.Random(seed + 1)
    made = []
    for _ in range(count):
        measured = mixed_measurements([walk.measured for walk in walks], rng)
        made.append(
            {
                "prompt": render_prompt("tell", evidence=evidence_block(measured)),
                "completion": write_rationale(measured, rng),
            }
        )
    return made


def describe_rows(
    walks: Sequence[Walk], motion_text: Callable[[NDArray[Any]], str], *, seed: int, vary: bool = True
) -> list[Row]:
    """Stage 1: two rows a clip, one in each direction; without ``vary`` none of them in a mirror."""
    rng = random.Random(seed)
    made = []
    for walk in walks:
        for towards_motion in (False, True):
            shown = show(walk, motion_text, mirrored=vary and rng.random() < 0.5)
            text = shown.text(walk.description, lambda measured: describe(measured, rng))
            if towards_motion:
                prompt = render_prompt("description_to_motion", description=text)
                made.append({"prompt": prompt, "completion": shown.motion})
            else:
                prompt = render_prompt("motion_to_description", motion=shown.motion)
                made.append({"prompt": prompt, "completion": text})
    rng.shuffle(made)
    return made


def assess_prompt(motion: str, evidence: str, mode: str) -> str:
    """The assessment prompt in one of ``ASSESS_MODES``."""
    return render_prompt(
        "assess",
        motion=None if mode == "evidence" else motion,
        evidence=None if mode == "motion" else evidence,
    )


def assess_rows(
    walks: Sequence[Walk],
    motion_text: Callable[[NDArray[Any]], str],
    *,
    seed: int,
    vary: bool = True,
    described: bool = False,
) -> list[Row]:
    """Stage 2: rows of every walk with a score, what the prompt shows drawn at random; told mixtures come on top.

    Args:
        vary: mirror walks and exchange posture and freezing; without it each walk is shown as it is, once.
        described: some rows of stage 1 come on top, too.
    """
    rng = random.Random(seed)
    made: list[Row] = []
    for walk in walks:
        if walk.score is None:
            continue
        for _ in range(ASSESS_ROWS_PER_WALK if vary else 1):
            mode = rng.choices(list(ASSESS_MODES), list(ASSESS_MODES.values()))[0]
            shown = show(walk, motion_text, mirrored=vary and rng.random() < 0.5)
            # What belongs to the motion stays with it: only where numbers are read may they be another's.
            if vary and walk.templated and mode != "motion" and rng.random() < APART_SHARE:
                shown = replace(shown, measured=_apart_from(shown.measured, rng.choice(walks).measured))
            numbers = mode != "motion"
            evidence = evidence_block(shown.measured)

            def word(measured: StoredParameters, numbers: bool = numbers) -> str:
                return write_rationale(measured, rng, numbers=numbers)

            text = shown.text(walk.rationale, word)
            made.append(
                {
                    "prompt": assess_prompt(shown.motion, evidence, mode),
                    "completion": f"{text}{SCORE_PREFIX}{walk.score}",
                }
            )
    if vary:
        own = len(made)
        made += told_rows(walks, round(TOLD_SHARE * own), seed=seed + 1)
        if described:
            some = rng.sample(list(walks), min(round(DESCRIBED_SHARE * own / 2), len(walks)))
            made += describe_rows(some, motion_text, seed=seed + 2)
    rng.shuffle(made)
    return made


def _apart_from(measured: StoredParameters, other: StoredParameters) -> StoredParameters:
    """The measurements with posture and freezing of another walk: what is not rated must not move the score."""
    return replace(
        measured,
        values={**measured.values, **{name: other.values[name] for name in APART}},
        reasons={
            **{name: reason for name, reason in measured.reasons.items() if name not in APART},
            **{name: other.reasons[name] for name in APART if name in other.reasons},
        },
        low_confidence={
            **{name: note for name, note in measured.low_confidence.items() if name not in APART},
            **{name: other.low_confidence[name] for name in APART if name in other.low_confidence},
        },
    )
