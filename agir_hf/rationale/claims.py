"""What a sentence claims with numbers (values, norms, counts), and how each number finds its measure and side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .lexer import Token
from .lexicon import ASYMMETRIES, DIMENSIONS, INFERRED
from .measures import SIDED_GROUPS

Role = Literal["measured", "norm", "difference", "reduced", "preserved", "total", "strides", "definition"]
Sides = Literal["left", "right", "both"]


@dataclass(frozen=True)
class NumberClaim:
    """A number and what it is said to be.

    Attributes:
        number: the token, with unit where one was stated.
        role: what the number counts or measures.
        group: its measure; empty where none was found.
        side: left, right, both, or None where the sentence leaves it open.
        fits: whether unit and measure go together.
    sure_norm: the sentence names healthy people or a norm, not just a mean.
        difference: the sentence speaks of a difference, so the number may be one.
    """

    number: Token
    role: Role
    group: str = ""
    side: Sides | None = None
    fits: bool = True
    sure_norm: bool = False
    difference: bool = False


@dataclass(frozen=True)
class ScoreClaim:
    """A statement of the gait score, as a number or as the word of one."""

    text: str
    score: int


_SCORE_WORDS = {"normal": 0, "healthy": 0, "unimpaired": 0, "slight": 1, "mild": 2, "moderate": 3, "severe": 4}
_SCORE_NUMBER = re.compile(
    r"\b(?:gait\s+)?(?:scores?|scored|rating|rated|rates|graded?|label|class|(?:mds[- ]?)?updrs)"
    r"(?:\s+(?:gait|item|score|of|is|as|at|a|an|the|to|be|would|level|severity|grade|=|\d\.\d+)|\s*[:=(])*"
    r"\s*(\d)(?![\d.]*\d|\s*(?:of|out|rated|aspects|m\b|s\b|cm\b|degrees|percent|%|steps))",
    re.IGNORECASE,
)
_SCORE_WORD = re.compile(
    r"\b(normal|healthy|unimpaired|slight|mild|moderate|severe)(?:ly)?\s+"
    r"(?:(?:parkinsonian|impaired|overall|gait)\s+)*"
    r"(?:gait\b(?!\s+(?:speed|velocity|pace|cycle))|impairment|impaired|parkinsonism|disability|severity|disturbance)",
    re.IGNORECASE,
)
_GAIT_IS = re.compile(
    r"\b(?:gait|severity|impairment|walking overall)\s+(?:is|appears|looks|seems)\s+(?:overall\s+|clearly\s+)?"
    r"(normal|healthy|unimpaired|slight|mild|moderate|severe)(?:ly)?\b",
    re.IGNORECASE,
)
# Names of the scale and its items, and its range, claim nothing about the person.
_SCALE = re.compile(
    r"\bitems?\s+3\.1[0134](?:\s+(?:and|or)\s+3\.1[0134])?|\b3\.1[013]\b(?=\s*\()|\bpart\s+(?:iii|3)\b|"
    r"\b(?:scale|range)\s+(?:of|from)\s+0\s*(?:to|-)\s*[34]|\b0\s*(?:to|-)\s*[34]\s+(?:scale|range)|\bout of 4\b",
    re.IGNORECASE,
)


def take_scores(sentence: str) -> tuple[list[ScoreClaim], str]:
    """Statements of a score, and the sentence without them and without names of the scale."""
    rest = _SCALE.sub(" ", sentence)
    claims = []
    for match in _SCORE_NUMBER.finditer(rest):
        claims.append(ScoreClaim(match.group().strip(), int(match.group(1))))
    rest = _SCORE_NUMBER.sub(" , ", rest)
    for pattern in (_SCORE_WORD, _GAIT_IS):
        for match in pattern.finditer(rest):
            claims.append(ScoreClaim(match.group().strip(), _SCORE_WORDS[match.group(1).lower()]))
        rest = pattern.sub(" , ", rest)
    return claims, rest


_FILLERS = frozenset("of is the a an about around at in for among from seen to their walk on was his her value".split())
_TO_NORM = _FILLERS | {"who", "with", "being", "=", "average"}


def _kinds(tokens: Sequence[Token]) -> set[str]:
    return {token.kind for token in tokens}


def _norm_marker(tokens: Sequence[Token], at: int) -> Literal["sure", "weak"] | None:
    """Whether a norm word stands so close to the number that the number is the norm."""
    if at >= 2 and tokens[at - 1].kind == "than" and tokens[at - 2].kind == "number":
        return "sure" if any(token.kind in ("norm", "range") for token in tokens) else None  # "98 against 113.8"
    if at + 2 < len(tokens) and tokens[at + 1].kind == "than" and tokens[at + 2].kind == "number":
        return None
    for step in range(1, 7):
        if at - step < 0:
            break
        token = tokens[at - step]
        if token.kind in ("norm", "range", "weak_norm"):
            return "weak" if token.kind == "weak_norm" else "sure"
        filler = token.kind in ("measure", "open", "colon") or (token.kind == "word" and token.text in _TO_NORM)
        who = token.kind == "comma" and at - step + 1 < len(tokens) and tokens[at - step + 1].text == "who"
        if not (filler or who):
            break
    for step in range(1, 6):
        if at + step >= len(tokens):
            break
        token = tokens[at + step]
        if token.kind in ("norm", "range"):
            return "sure"
        if token.kind == "weak_norm" and step == 1:
            return "weak"
        if not (token.kind == "word" and token.text in _FILLERS):
            break
    return None


def _counts(tokens: Sequence[Token]) -> dict[int, NumberClaim]:
    """Numbers that count rated aspects, by token index, with ``none`` and ``all`` as numbers."""
    if not any(token.kind in ("count_noun", "rest") for token in tokens):
        return {}
    claims: dict[int, NumberClaim] = {}
    total: float | None = None
    chosen: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind in ("none", "all"):
            chosen.append(at)
        if token.text == "only" and "count_noun" in _kinds(tokens[at + 1 : at + 3]) and tokens[at - 1].text == "the":
            claims[at] = NumberClaim(Token("number", "only", value=1.0), "total")
        if token.kind != "number" or token.dimension is not None:
            continue
        before = [t.text for t in tokens[max(0, at - 2) : at]]
        after = _kinds(tokens[at + 1 : at + 4])
        said = any(t.predicate is not None for t in tokens[at + 1 :])
        if "of" in before or "all" in before or ("count_noun" in after and not said):
            total = token.value
            claims[at] = NumberClaim(token, "total")
        elif "count_noun" in after or said:
            chosen.append(at)
    for at in chosen:
        said_of = [t.predicate.kind for t in tokens[at + 1 :] if t.predicate is not None]
        if not said_of:
            if tokens[at].kind == "none" and any(t.kind == "could" for t in tokens):
                claims[at] = NumberClaim(Token("number", "none", value=0.0), "total")
            continue
        role: Role = "preserved" if said_of[0] == "usual" else "reduced"
        token = tokens[at]
        if token.kind == "number":
            claims[at] = NumberClaim(token, role)
        elif token.kind == "none":
            claims[at] = NumberClaim(Token("number", "none", value=0.0), role)
        elif total is not None or "number" in _kinds(tokens[at + 1 : at + 4]):
            value = total if total is not None else next(t.value for t in tokens[at + 1 : at + 4] if t.kind == "number")
            claims[at] = NumberClaim(Token("number", "all", value=value), role)
    return claims


def _fitting(token: Token, number: Token, uneven: bool) -> str | None:
    """The measure a mention gives a number, None where the unit does not fit it."""
    if token.kind != "measure":
        return None
    if number.dimension == "percent" and uneven and token.group in ASYMMETRIES:
        return ASYMMETRIES[token.group]
    if number.dimension is None or DIMENSIONS[token.group][0] == number.dimension:
        return token.group
    base = next((group for group, name in ASYMMETRIES.items() if name == token.group), None)
    if base is not None and DIMENSIONS[base][0] == number.dimension:
        return base  # "the step length difference is 0.05 m"
    return None


def _following_mention(tokens: Sequence[Token], at: int) -> tuple[Token, bool] | None:
    """A mention right after the number, and whether ``of`` joins them: "12 degrees of left arm swing"."""
    joined = False
    for token in tokens[at + 1 : at + 5]:
        if token.kind in ("measure", "unmeasured"):
            return token, joined
        if token.kind == "word" and token.text in ("of", "in", "for"):
            joined = joined or token.text == "of"
        elif token.kind not in ("left", "right", "both") and token.text not in ("the", "total"):
            return None
    return None


class _Finder:
    """Gives each number of one sentence its measure and side, from left to right."""

    def __init__(self, tokens: Sequence[Token], numbers: Sequence[int], topic: str) -> None:
        self.tokens = tokens
        self.numbers = numbers
        self.topic = topic  # the measure the last number or sentence was about
        self.uneven = any(
            token.kind == "difference"
            or token.group in ASYMMETRIES.values()
            or (token.predicate is not None and token.predicate.kind == "uneven")
            for token in tokens
        )
        self.measured_before = -1  # token index of the last measured number
        self.used_side = -1  # token index of a side that belongs to an earlier number
        self.waiting: Sides | None = None  # second side of "left and right swing 12 and 31 degrees"

    def group(self, place: int) -> tuple[str, bool]:
        """Measure and whether the unit fits it; an empty name where nothing is found."""
        at = self.numbers[place]
        number = self.tokens[at]
        start = self.numbers[place - 1] + 1 if place else 0
        end = self.numbers[place + 1] if place + 1 < len(self.numbers) else len(self.tokens)
        mentions = [t for t in self.tokens[start:at] if t.kind in ("measure", "unmeasured")]
        following = _following_mention(self.tokens[:end], at)
        if following is not None:
            token, joined = following
            if token.kind == "unmeasured":
                return "", True
            fitting = _fitting(token, number, self.uneven)
            if fitting and (joined or not any(_fitting(t, number, self.uneven) for t in mentions)):
                return fitting, True
        if mentions and mentions[-1].kind == "unmeasured":
            return "", True
        for token in reversed(mentions):
            fitting = _fitting(token, number, self.uneven)
            if fitting:
                return fitting, True
        named = [token for token in mentions if token.kind == "measure"]
        if named and not all(token.hint for token in named):
            return next(token.group for token in reversed(named) if not token.hint), False
        return self._without_name(number, named, self.tokens[at + 1 :])

    def _without_name(self, number: Token, hints: list[Token], after: Sequence[Token]) -> tuple[str, bool]:
        carried = Token("measure", "", group=self.topic) if self.topic else None
        if carried is not None and not hints and _fitting(carried, number, self.uneven):
            return self.topic, True
        if not hints:
            for token in after:
                fitting = _fitting(token, number, self.uneven)
                if fitting:
                    return fitting, True
        if number.dimension in INFERRED:
            return INFERRED[number.dimension], True
        if carried is not None and _fitting(carried, number, self.uneven):
            return self.topic, True
        if hints:
            return ("", True) if hints[-1].group == "walking_speed" else (hints[-1].group, False)
        return self.topic, False

    def side(self, place: int) -> Sides | None:
        """The side a measured number is said to be of."""
        at = self.numbers[place]
        before = range(self.measured_before + 1, at)
        after = self._side_after(at)
        self.measured_before = at
        if after is not None:
            self.used_side = after
            self.waiting = None
            return self.tokens[after].kind  # type: ignore[return-value]
        found = [i for i in before if self.tokens[i].kind in ("left", "right") and i > self.used_side]
        if found:
            kinds = [self.tokens[i].kind for i in found]
            self.used_side = found[-1]
            if len(set(kinds)) == 1:
                return kinds[0]  # type: ignore[return-value]
            if self.tokens[at - 1].kind in ("open", "left", "right"):
                return kinds[-1]  # type: ignore[return-value]
            if place + 1 < len(self.numbers):
                self.waiting = kinds[1]  # type: ignore[assignment]
                return kinds[0]  # type: ignore[return-value]
            return None
        if self.waiting is not None:
            side, self.waiting = self.waiting, None
            return side
        return "both" if any(self.tokens[i].kind == "both" for i in before) else None

    def _side_after(self, at: int) -> int | None:
        for i in range(at + 1, min(at + 6, len(self.tokens))):
            token = self.tokens[i]
            if token.kind in ("left", "right", "both"):
                return i
            if token.kind != "open" and token.text not in ("on", "at", "for", "in", "the", "his", "her", "their", "of"):
                return None
        return None


def number_claims(tokens: Sequence[Token], topic: str) -> tuple[list[NumberClaim], str]:
    """The claims of all numbers of a sentence, and the measure it ends on.

    Args:
        tokens: of one sentence.
        topic: the measure the sentence before ended on; empty for none.
    """
    counts = _counts(tokens)
    claims = list(counts.values())
    numbers = [at for at, token in enumerate(tokens) if token.kind == "number" and at not in counts]
    finder = _Finder(tokens, numbers, topic)
    sure_norms = any(token.kind in ("norm", "range") for token in tokens)
    turning = any(token.group == "turn_duration" for token in tokens)
    last_role: Role = "measured"
    for place, at in enumerate(numbers):
        number = tokens[at]
        if number.value == 180 and number.dimension in (None, "angle") and turning:
            claims.append(NumberClaim(number, "definition"))
            continue
        nearby = tokens[at + 1 : at + 3]
        if (
            number.dimension is None
            and nearby
            and (nearby[0].kind == "strides" or nearby[0].text in ("strides", "steps"))
        ):
            claims.append(NumberClaim(number, "strides"))
            continue
        marker = _norm_marker(tokens, at)
        between = tokens[numbers[place - 1] + 1 : at] if place else ()
        if marker is None and last_role == "norm" and all(t.text in ("to", "and", "±", "(", "+", "-") for t in between):
            marker = "sure"
        group, fits = finder.group(place)
        finder.topic = group or finder.topic
        if marker is not None:
            last_role = "norm"
            sure = marker == "sure" or sure_norms
            claims.append(NumberClaim(number, "norm", group, fits=fits, sure_norm=sure))
            continue
        last_role = "measured"
        side = finder.side(place) if group in SIDED_GROUPS or not group else None
        said = nearby[0].predicate if nearby else None
        if said is not None and said.needs_object and group:
            claims.append(NumberClaim(number, "difference", group, None, fits, sure_norms))  # "19 degrees less than"
            continue
        claims.append(NumberClaim(number, "measured", group, side, fits, sure_norms, difference=finder.uneven))
    return claims, finder.topic
