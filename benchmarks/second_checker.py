"""A second reading of rationales, by code that shares nothing with the package's own check.

    agir assess FILE... --format json > assess.jsonl
    agir measure FILE... --format json > measure.jsonl
    python benchmarks/second_checker.py assess.jsonl measure.jsonl            # --json for machines

A mistake in the package's check of its own rationales would hide itself; this script knows only the text, the measured
values and ``gait_norms.csv``. Per file (matched by ``source``) the rationale shown should hold no fault and each
sentence that the package took out one. Exit code 1 when a shown rationale holds an unsupported claim.

Decided: numbers to their printed decimals, left against right ("about equal": 10 percent or ``EQUAL_WITHIN``, ours),
norm means and SDs, the side of the mean, ``within`` as mean +- ``--within-sd`` SD, counts with lists, what is missing.
Where the usual range ends stands in no fact: no value called low may exceed one called usual in another file. What
nothing decides is ``unchecked``, what is not understood ``unclear``; neither is ever counted as supported.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

Word = re.Match[str]
Mentions = list["Mention"]
Rows = list[dict[str, Any]]
Norms = dict[str, dict[str, str]]  # rows of gait_norms.csv by measure
NORMS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "gait_norms.csv"
# fmt: off
# stem: (parameter, dimension, row of gait_norms.csv, words); {} takes the side, earlier rows win.
MEASURES: dict[str, tuple[str, str, str, str]] = {
    "unmeasured": ("", "", "", r"(?:hip|knee|ankle|pelvi[cs]|head|elbow|shoulder|wrist|hand|sway|tremor|rotation|"
                   r"balance|trunk rotation|rigidity|turn(?:ing)? velocity|peak velocity|jerk|push-off)\b(?: \w+)?"),
    "turn": ("turn_duration_180_s", "time", "turn_duration_180", r"turn(?:s|ing)?(?:[ -](?:speed|duration|time))?"),
    "stride_time_cv": ("stride_time_cv_percent", "percent", "stride_time_cv",
                       r"stride[- ]time (?:variab\w+|variation|cv)|stride[- ]to[- ]stride variab\w+|variability"),
    "stride_time": ("stride_time_s", "time", "stride_time", r"stride (?:time|duration)s?|strides? (?=takes?|lasts?)"),
    "walking_speed": ("walking_speed_mps", "speed", "walking_speed",
                      r"(?:walking |gait )?(?:speed|pace|velocity)|walk(?:s|ed|ing)? (?=at\b)"),
    "stride_length": ("stride_length_m", "length", "stride_length", r"stride (?:length|amplitude)s?|strides?"),
    "step_width": ("step_width_m", "length", "", r"step width|base of support|(?:walking )?base"),
    "cadence": ("cadence_spm", "rate", "cadence", r"cadence|step(?:ping)? (?:rate|frequency)"),
    "double_support": ("double_support_percent", "percent", "double_support", r"double[- ](?:limb )?support"),
    "swing": ("swing_percent", "percent", "swing_phase", r"swing (?:phase|time)|swing (?=takes|makes|lasts)"),
    "arm_swing": ("arm_swing_{}_deg", "angle", "arm_swing_range_of_motion",
                  r"arm[- ]swings?|arms? (?:swings?|moves?|range)|arms?|swings? of the arms?"),
    "foot_clearance": ("foot_clearance_{}_m", "length", "", r"(?:foot|feet|toes?)[- ](?:(?:is|are) )?"
                       r"(?:clearances?|lift(?:s|ed)?|rises?|clears?|raised)|clearances?|lift of the (?:foot|feet)"),
    "foot_strike": ("foot_strike_angle_{}_deg", "angle", "foot_strike_angle", r"foot[- ]strikes?(?: angles?)?|"
                    r"heel[- ]strikes?|(?:foot|feet|heels?) (?:strikes?|lands?)|strike angles?"),
    "trunk_flexion": ("trunk_flexion_deg", "angle", "", r"trunk(?: (?:flexion|lean))?|posture|forward lean"),
    "freezing": ("freezing_episodes", "count", "", r"freez\w+(?: episodes?)?|episodes? of freezing"),
    "step_length": ("step_length_{}_m", "length", "", r"step[- ]lengths?|steps?"),
}
ASYMMETRY = {"arm_swing": "arm_swing_asymmetry_percent", "step_length": "step_length_asymmetry_percent"}
RATED = ("walking_speed", "stride_length", "foot_clearance", "foot_strike", "arm_swing", "turn")  # item 3.10
EQUAL_WITHIN = {"arm_swing": 5.0, "foot_strike": 5.0, "foot_clearance": 0.01, "step_length": 0.03}
UNITS = [  # (words, dimension, factor to the parameter's unit)
    (r"m/s|met(?:re|er)s? (?:per|a) second", "speed", 1.0), (r"cm/s", "speed", 0.01), (r"km/h", "speed", 1 / 3.6),
    (r"steps?/min(?:ute)?|steps? (?:per|a) minute|spm", "rate", 1.0), (r"cm|centimet(?:re|er)s?", "length", 0.01),
    (r"mm|millimet(?:re|er)s?", "length", 0.001), (r"m|met(?:re|er)s?", "length", 1.0), (r"ms", "time", 0.001),
    (r"s|sec(?:ond)?s?", "time", 1.0), (r"degrees?|deg|°", "angle", 1.0), (r"percent|per cent|%", "percent", 1.0),
    (r"episodes?|times|freezes", "count", 1.0),
]
FIGURES = {w: i for i, w in enumerate("none one two three four five six seven eight nine".split())} | {"no": 0}
OTHER = {"left": "right", "right": "left"}
SPREAD = {"arm_swing": 12**0.5}  # the table's +- fits its source's p values only as a standard error, of 12 people
NUMBER = re.compile(rf"(?<![\w.])([-−]?\d+(?:\.\d+)?)(?:[\s-]?({'|'.join(u[0] for u in UNITS)})(?![\w/]))?", re.I)
MENTION = re.compile("|".join(rf"(?P<{s}>\b(?:{m[3]}))" for s, m in MEASURES.items()), re.I)
SIDE = re.compile(r"\b(left|right)\b", re.I)
AFTER_SIDE = re.compile(
    r"\s*\(?(?:(?:on|for|at|in|of) )?(?:the )?(left|right)\b(?!,? (?:about |at |is )?[-−]?\d)", re.I)
NOUN = r"(?:range|norms?|limits?|mean|average|values?|adults|people|peers|published|healthy|usual|normal|expected)\b"
TAIL = rf"(?:(?: (?:the|its|their|that|those|of|for|in|what|is|usual|normal|healthy|older|reference))* {NOUN}| it\b)"
RELATION = re.compile(  # to the norms
    rf"\b(?:(?P<low>below|short of|(?:under|beneath|(?:lower|less|shorter|smaller|slower) than)(?={TAIL}))"
    rf"|(?P<high>above|(?:over|beyond|(?:higher|more|longer|larger|greater|faster) than)(?={TAIL}))"
    rf"|(?P<ok>within|inside|(?:in|at|near|close to|in line with|similar to|comparable (?:to|with))(?={TAIL}))"
    rf"|(?P<out>outside)){TAIL}*", re.I)
JUDGED = re.compile(r"\b(?:(?P<low>low|reduced|diminished|decreased|impaired|slow|poor|abnormal)"
                    r"|(?P<ok>preserved|normal|intact|unremarkable))\b(?! (?:confidence|differ\w*|range))", re.I)
COMPARE = re.compile(  # left with right
    r"\b(?:(?P<more>more|longer|larger|bigger|higher|greater|wider|further|farther|steeper|stronger|exceeds)"
    r"|(?P<less>less|shorter|smaller|lower|narrower|weaker|flatter|fewer)"
    r"|(?P<equal>(?:about )?(?:equal(?:ly)?|similar(?:ly)?|the same|alike|comparabl[ey]|even(?:ly)?)|symmetric\w*)"
    r"|(?P<differ>differs?|unequal|uneven|asymmetr(?:y|ic(?:al)?)))\b", re.I)
NORM_BEFORE = re.compile(r"(?:\b(?:mean|average|norm|reference|published|typical|usual|healthy|SD|deviation)|±)"
                         r"(?: (?:\w+ )?(?:value|mean|adults?|range|older|is|was|of|about|for|at))*[\s:=,]*$", re.I)
NORM_AFTER = re.compile(r"\s*\)? ?(?:in|for|among|of) (?:the )?(?:healthy|older|norm|published)", re.I)
PAIR_GAP = re.compile(r"[,\s]*(?:against|versus|vs\.?|compared (?:with|to)|and|to|as against) (?:only |about )?$", re.I)
SHARED_UNIT = re.compile(r"(?:[,\s(]|\b(?:on|the|left|right|and|against|versus|vs|but|for|is|about|arm|foot))*$", re.I)
BETWEEN = re.compile(r"(?:\s|-|\b(?:long|wide|of|per|in|the|for|left|right|a))*", re.I)
NEGATION = re.compile(r"(?:\b(?:not|neither|nor|never|no|without)|n't)\s+(?:\w+\s+)?$", re.I)
LISTING = re.compile(r"(?: (?:on|at|than|the|left|right|side))*\s*(?::|(?:is|are|in|lies?|falls?|come)\b)", re.I)
UNMEASURED = re.compile(r"(?:\bnot|n't|cannot) (?:be )?(?:measur\w+|determined|assessed|available)|unavailable"
                        r"|\bno turns? (?:was|were|is)\b|unmeasured", re.I)
NO_NORM = re.compile(r"\bno (?:\w+ )?(?:published )?norms?\b|without a (?:\w+ )?norm|\bnorms? do(?:es)? not", re.I)
PRONOUN = re.compile(r"(?:It|This|That|They|Both|Here|On|The (?:left|right)|Left|Right)\b")
# fmt: on


class Claim(NamedTuple):
    """One thing that a sentence says; ``values`` are those that a word such as "below" speaks of."""

    kind: str  # number, norm_mean, side, norm, judged, aspect, count, unmeasured, no_norm
    stated: str
    status: str  # supported, unsupported, unchecked, unclear
    reason: str
    sentence: str
    stem: str = ""
    side: str | None = None
    verdict: str = ""  # low, high or ok, of a norm, judged or aspect claim
    values: tuple[float, ...] = ()


class Mention(NamedTuple):
    """A measure named in a sentence; ``side`` only where it stands beside the name."""

    stem: str
    start: int
    end: int
    side: str | None


class Number(NamedTuple):
    """A number in a sentence with its unit's dimension and factor ("" and 1 without one)."""

    value: float
    decimals: int
    start: int
    end: int
    dimension: str
    factor: float


def claim(kind: str, stated: str, right: bool, reason: str, text: str, stem: str = "") -> Claim:
    """A decided claim; the reason is kept for a wrong one only."""
    return Claim(kind, stated, "supported" if right else "unsupported", "" if right else reason, text, stem)


def rounds(n: Number, value: float, half: float) -> bool:
    """Whether ``value``, itself rounded to +- ``half``, may be printed as this number."""
    return abs(value - n.value * n.factor) <= 0.5 * 10**-n.decimals * n.factor + half + 1e-9


def fits(stem: str, dimension: str) -> bool:
    """Whether a measure can have a unit of this dimension; a percentage of a sided one is its asymmetry."""
    return dimension == MEASURES[stem][1] or (dimension == "percent" and stem in ASYMMETRY)


def find_mentions(text: str) -> Iterator[Mention]:
    """Measures in the order of the text; "83 steps/min" names no step."""
    for m in MENTION.finditer(NUMBER.sub(lambda n: " " * len(n.group()), text)):
        beside = re.search(r"\b(left|right)(?:'s)? $", text[: m.start()], re.I)
        beside = beside or re.match(r" (?:on|at|in|of|for) (?:the )?(left|right)\b", text[m.end() :], re.I)
        both = re.search(r"\b(?:left|right) (?:and|or) (?:the )?(?:left|right) $", text[: m.start()], re.I)
        yield Mention(str(m.lastgroup), m.start(), m.end(), beside[1].lower() if beside and not both else None)


def find_numbers(text: str) -> list[Number]:
    """Numbers with their units; "29 against 34 degrees" and "29 degrees, the right 34" share one."""
    out: list[Number] = []
    for m in NUMBER.finditer(text):
        unit = next(((d, f) for words, d, f in UNITS if m[2] and re.fullmatch(words, m[2], re.I)), ("", 1.0))
        out.append(Number(float(m[1].replace("−", "-")), len(m[1].partition(".")[2]), m.start(), m.end(), *unit))
    for i, n in enumerate(out):
        for other in [*out[i + 1 : i + 2], *out[max(0, i - 1) : i]]:
            gap = text[min(n.end, other.end) : max(n.start, other.start)]
            if not out[i].dimension and SHARED_UNIT.match(gap):
                out[i] = n._replace(dimension=other.dimension, factor=other.factor)
    return out


def number_side(text: str, numbers: list[Number], i: int, mention: Mention) -> str | None:
    """The side a number is given for: beside it, by its place in "39 degrees against 51", or the last one named."""
    if beside := AFTER_SIDE.match(text, numbers[i].end):
        return beside[1].lower()
    for first in (i, i - 1):
        if 0 <= first < len(numbers) - 1 and PAIR_GAP.fullmatch(text[numbers[first].end : numbers[first + 1].start]):
            named = [s.lower() for s in SIDE.findall(text[: numbers[first].start])]
            if named and not AFTER_SIDE.match(text, numbers[first + 1].end):
                lead = named[-2] if len(named) > 1 and named[-2] != named[-1] else named[-1]
                return lead if first == i else OTHER[lead]
    named = [s.lower() for s in SIDE.findall(text[: numbers[i].start])]
    return named[-1] if named else mention.side


def subjects(text: str, mentions: Mentions, word: Word, words: list[Word]) -> Mentions:
    """The measures that a word such as "below" speaks of: a list after it, else those since the last such word."""
    start = max([w.end() for w in words if w.end() <= word.start()], default=0)
    stop = min([w.start() for w in words if w.start() >= word.end()], default=len(text))
    before = [m for m in mentions if start <= m.start < word.start()]
    after = [m for m in mentions if word.end() <= m.start < stop]
    rest = text[word.end() :]
    if after and not SIDE.sub("", rest[: after[0].start - word.end()]).strip():  # "the longer step"
        return after[:1]
    return (
        (after if LISTING.match(rest) or not before else [])
        or before
        or [m for m in mentions if m.start < word.start()][-1:]
        or mentions[:1]
    )


def compared_sides(text: str, word: Word, rest: str) -> tuple[str | None, str | None]:
    """Who is more (or less), and than whom; a missing one is the other side."""
    head, than, target = rest.partition(" than ")
    inner = re.match(r"(?: \w+){0,3}? (?:on|at|in|for|with|to) (?:the )?(left|right)\b", head, re.I)
    named = ([inner[1]] if inner else SIDE.findall(text[: word.start()])[-1:]) or (
        [] if than else SIDE.findall(head)[:1]
    )
    found = SIDE.search(target[:40])
    second = found[1].lower() if found else None
    first = named[0].lower() if named else OTHER.get(second or "")
    return first, second or OTHER.get(first or "")


class Reader:
    """Reads sentences against the measures of one file."""

    def __init__(self, measures: dict[str, Any], norms: Norms, within_sd: float) -> None:
        self.measures, self.norms, self.within_sd = measures, norms, within_sd

    def values(self, stem: str, side: str | None = None) -> dict[str, float | None]:
        """Measured values by side; a measure without sides has one, called ""."""
        name = MEASURES[stem][0]
        if "{}" not in name:
            return {"": self.measures.get(name)}
        return {s: self.measures.get(name.format(s)) for s in OTHER if side in (None, s)}

    def norm(self, stem: str, column: str = "healthy_older_mean") -> float | None:
        """A figure of the norm table, or none."""
        text = self.norms.get(MEASURES[stem][2], {}).get(column)
        return float(text) if text else None

    def read(self, text: str) -> tuple[list[Claim], list[str]]:
        """All claims of a text, and the sentences in which none was found."""
        claims: list[Claim] = []
        silent, last = [], None
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n+", text.strip()):
            mentions = list(find_mentions(sentence))
            if not mentions and last and PRONOUN.match(sentence):
                mentions = [last._replace(start=0, end=0, side=None)]
            found = self.read_sentence(sentence, mentions)
            last = mentions[-1] if mentions else last
            claims += found
            silent += [] if found else [sentence]
        return self.agree_with_words(claims), silent

    def read_sentence(self, text: str, mentions: Mentions) -> list[Claim]:
        """One sentence: a closing count, or numbers, relations to norms, left against right, what is missing."""
        if re.search(r"\baspects?\b", text):
            return list(self.read_count(text, mentions))
        claims = list(self.read_numbers(text, mentions))
        relations = list(RELATION.finditer(text)) if re.search(NOUN, text, re.I) else []
        rest = RELATION.sub(lambda r: " " * len(r.group()), text) if relations else text
        judged, compared = list(JUDGED.finditer(rest)), list(COMPARE.finditer(rest))
        for kind, words in (("norm", relations), ("judged", judged)):
            claims += [c for word in words for c in self.read_judgement(text, mentions, word, words, kind)]
        claims += [c for word in compared for c in self.read_comparison(text, mentions, word, compared)]
        if UNMEASURED.search(text):
            for m in mentions:
                null = all(v is None for v in self.values(m.stem, m.side).values())
                claims.append(claim("unmeasured", m.stem, null, "it was measured", text, m.stem))
        elif NO_NORM.search(text):
            for m in mentions[:1]:
                claims.append(claim("no_norm", m.stem, self.norm(m.stem) is None, "the table has one", text, m.stem))
        return claims

    def read_numbers(self, text: str, mentions: Mentions) -> Iterator[Claim]:
        """Each number: which measure it is given for, by its place; then its unit, its side and its value."""
        numbers = find_numbers(text)
        used: set[int] = set()
        given: set[tuple[str, str | None]] = set()
        for i, n in enumerate(numbers):
            if n.value == 180 and n.dimension in ("angle", ""):  # the turn that a turn's time is given for
                continue
            previous = [m for m in mentions if m.end <= n.start]
            following = [m for m in mentions if m.start >= n.end]
            if not n.dimension or not mentions:
                yield Claim("number", text[n.start : n.end], "unclear", "no measure or unit understood", text)
                continue
            mention = previous[-1] if previous else following[0]
            if not fits(mention.stem, n.dimension):
                if previous and following and BETWEEN.fullmatch(text[n.end : following[0].start]):  # "a 0.97 m stride"
                    mention = following[0]
                elif mention.start in used and n.dimension in ("speed", "rate"):  # "1.2 m strides at 1.1 m/s"
                    mention = mention._replace(stem="walking_speed" if n.dimension == "speed" else "cadence")
            used.add(mention.start)
            norm = NORM_BEFORE.search(text[: n.start]) or NORM_AFTER.match(text[n.end :])
            side = number_side(text, numbers, i, mention)
            found = self.check_number(text, n, mention.stem, side, norm)
            twice = side and not norm and n.dimension != "percent" and (mention.stem, side) in given
            yield found._replace(status="unclear", reason="a second value for this side") if twice else found
            given.add((mention.stem, None if norm else side))

    def check_number(self, text: str, n: Number, stem: str, side: str | None, norm: Word | None) -> Claim:
        """A number against the measurement, or against the norm table where the words call it a norm."""
        stated = text[n.start : n.end]
        if norm and "range" in norm.group().lower():
            return Claim("norm_mean", stated, "unclear", "the limits of the range stand in no fact", text, stem)
        if norm:
            group = "pd" if re.search(r"parkinson|\bPD\b", text[max(0, n.start - 40) : n.end + 40]) else "healthy_older"
            table = self.norm(stem, group + ("_sd" if re.search("SD|deviation|±", norm.group()) else "_mean"))
            right = table is not None and n.dimension == MEASURES[stem][1] and rounds(n, table, 0.0)
            return claim("norm_mean", f"{stem} {stated}", right, f"the table has {table}", text, stem)
        percent = n.dimension == "percent" and stem in ASYMMETRY
        values = {"asymmetry": self.measures.get(ASYMMETRY[stem])} if percent else self.values(stem, side)
        half = {"angle": 0.05, "percent": 0.05, "rate": 0.05, "count": 0.0}.get(n.dimension, 0.0005)
        right = fits(stem, n.dimension) and all(v is not None and rounds(n, v, half) for v in values.values())
        stated = " ".join([*(values if len(values) == 1 else ["both"]), stem, stated]).strip()
        return claim("number", stated, right, f"measured {values}" if fits(stem, n.dimension) else "unit", text, stem)

    def read_judgement(self, text: str, named: Mentions, word: Word, words: list[Word], kind: str) -> Iterator[Claim]:
        """Below, within or above the usual range, low, preserved: for each measure that the word speaks of."""
        verdict, stated = next(k for k, v in word.groupdict().items() if v), word.group()
        if NEGATION.search(text[: word.start()]):
            verdict, stated, kind = {"low": "ok"}.get(verdict, "out"), f"not {stated}", "judged"
        about = subjects(text, named, word, words)
        if not about or verdict == "out":
            yield Claim(kind, stated, "unclear", "of which measure, or how, is not understood", text)
            return
        beside = re.match(r"(?: only)? (?:on|at) the (left|right)\b", text[word.end() :], re.I)
        beside = beside or re.match(r"on the (left|right)\b", text, re.I)
        for m in about:
            side = m.side or (beside[1].lower() if beside and len(about) == 1 else None)
            yield self.check_judgement(text, kind, stated, m.stem, side, verdict)

    def check_judgement(self, text: str, kind: str, word: str, stem: str, side: str | None, verdict: str) -> Claim:
        """One measure called low, high or usual; without a side it must hold on both (an aspect: on one of them)."""
        sided = self.values(stem, side)
        values = tuple(v for v in sided.values() if v is not None)
        mean, sd = self.norm(stem), (self.norm(stem, "healthy_older_sd") or 0.0) * SPREAD.get(stem, 1.0)
        right, reason = None, "no yardstick in the facts"
        if len(values) < len(sided):
            right, reason = False, f"not measured: {sided}"
        elif mean is None and kind == "norm":
            right, reason = False, "the table has no such norm"
        elif mean is not None and verdict in ("low", "high"):
            holds = [(v < mean) if verdict == "low" else (v > mean) for v in values]
            right, reason = any(holds) if kind == "aspect" else all(holds), f"{sided} against a mean of {mean}"
        elif mean is not None and sd and kind == "norm":
            right = all(abs(v - mean) <= self.within_sd * sd for v in values)
            reason = f"{sided} beyond {mean} +- {self.within_sd:g} x {sd}"
        status = "unchecked" if right is None else "supported" if right else "unsupported"
        return Claim(kind, f"{side or ''} {stem} {word}".strip(), status, reason, text, stem, side, verdict, values)

    def read_comparison(self, text: str, mentions: Mentions, word: Word, words: list[Word]) -> Iterator[Claim]:
        """Left against right; a comparison with a number is none."""
        how = next(k for k, v in word.groupdict().items() if v)
        rest = text[word.end() : min([w.start() for w in words if w.start() > word.start()], default=len(text))]
        about = [m for m in subjects(text, mentions, word, words) if "{}" in MEASURES[m.stem][0]]
        first, second = compared_sides(text, word, rest)
        unsided = how in ("more", "less") and (first is None or first == second)
        if not about or unsided or NEGATION.search(text[: word.start()]) or re.match(r" than (?:about )?[-−]?\d", rest):
            yield Claim("side", word.group(), "unclear", "what is compared is not understood", text)
            return
        for stem in dict.fromkeys(m.stem for m in about):
            left, right = self.values(stem).values()
            holds = False
            if left is not None and right is not None:
                gap = (right - left) if first == "right" else (left - right)
                share = abs(gap) / max(abs(left), abs(right), 1e-9)
                alike = share <= 0.1 or abs(gap) <= EQUAL_WITHIN[stem]
                holds = {"more": gap > 0, "less": gap < 0, "differ": share > 0.05, "equal": alike}[how]
            stated = f"{stem}: {first or 'sides'} {word.group()}"
            yield claim("side", stated, holds, f"measured left {left}, right {right}", text, stem)

    def read_count(self, text: str, mentions: Mentions) -> Iterator[Claim]:
        """Of the 5 rated aspects measured, 3 are reduced: both counts, and each aspect that is named."""
        figure = rf"(\d+|all|both|{'|'.join(FIGURES)})\b"
        total = re.search(rf"\bof (?:the )?{figure}", text, re.I)
        bad = re.search(r"\b(?:reduced|impaired|low|below|affected|abnormal)\b", text, re.I)
        counted = re.findall(rf"\b{figure}", text[total.end() : bad.start()], re.I) if total and bad else []
        counted = counted or re.findall(rf"\b{figure} of (?:the )?\w+", text, re.I)
        if not (total and bad and counted):
            yield Claim("count", text[:40], "unclear", "count not understood", text)
            return
        n = int(total[1]) if total[1].isdigit() else FIGURES.get(total[1].lower(), -1)
        last = counted[-1].lower()
        k = n if last in ("all", "both") else int(last) if last.isdigit() else FIGURES[last]
        stop = text.find(";", bad.end()) if ";" in text[bad.end() :] else len(text)
        reduced = [m for m in mentions if bad.end() <= m.start < stop] or [m for m in mentions if m.end <= bad.start()]
        kept = [m for m in mentions if m.start > stop]
        listed = len({m.stem for m in reduced})
        measured = sum(all(v is not None for v in self.values(s).values()) for s in RATED)
        yield claim("count", f"{n} aspects", n == measured, f"{measured} were measured", text)
        yield claim("count", f"{k} reduced", k == listed, f"{listed} are named", text)
        if kept:
            yield claim("count", f"{len(kept)} kept", len(kept) + k == n, f"{k} + {len(kept)} is not {n}", text)
        for m in [*reduced, *kept]:
            word, verdict = ("reduced", "low") if m in reduced else ("preserved", "ok")
            yield self.check_judgement(text, "aspect", word, m.stem, m.side, verdict)

    def agree_with_words(self, claims: list[Claim]) -> list[Claim]:
        """Aspects of the closing count against the words before it; "reduced" may hold for one side only."""
        said = [c for c in claims if c.kind in ("norm", "judged")]
        low = {c.stem for c in said if c.verdict == "low"}
        usual = {c.stem for c in said if c.verdict in ("ok", "high") and c.side is None} - low
        wrong = [c.kind == "aspect" and c.stem in (usual if c.verdict == "low" else low) for c in claims]
        why = "the words before say otherwise"
        unlike = [
            c._replace(status="unsupported", reason=why) if bad else c for c, bad in zip(claims, wrong, strict=True)
        ]
        counts = [c.sentence for c in claims if c.kind == "count" and c.stated.endswith("reduced")]
        missed = (low & set(RATED)) - {c.stem for c in claims if c.kind == "aspect"} if counts else set()
        return unlike + [Claim("count", s, "unsupported", "low, not counted", counts[0], s) for s in sorted(missed)]


def across_files(files: Rows) -> None:
    """Marks a value that is called low although it exceeds one called usual in another file, and the reverse."""
    pool = [(f["source"], c) for f in files for c in f["shown"] if c.kind in ("norm", "judged") and c.values]
    for f, part in ((f, part) for f in files for part in ("shown", "removed")):
        for i, c in enumerate(f[part]):
            others = [o for s, o in pool if s != f["source"] and o.stem == c.stem]
            one = min(c.values, default=0.0) if c.kind == "aspect" or c.verdict == "ok" else max(c.values, default=0.0)
            clash = [o for o in others if (c.verdict, o.verdict) == ("low", "ok") and one > min(o.values)]
            clash += [o for o in others if (c.verdict, o.verdict) == ("ok", "low") and one < max(o.values)]
            if clash and c.values and c.status in ("supported", "unchecked"):
                reason = f"across files: {one:g}, but elsewhere {clash[0].values} is {clash[0].stated}"
                f[part][i] = c._replace(status="unsupported", reason=reason)


def check(assessed: Rows, measured: Rows, norms: Norms, within_sd: float = 2.0) -> Rows:
    """Per file with a rationale: the claims shown, those of the sentences removed, and the sentences without any."""
    by_source = {line["source"]: line["gait_parameters"] for line in measured}
    files = []
    for line in (line for line in assessed if line.get("rationale")):
        reader = Reader(by_source[line["source"]], norms, within_sd)
        shown, silent = reader.read(line["rationale"])
        texts = list(dict.fromkeys(u["text"] for u in line["grounding"]["unsupported"]))
        removed = [c for text in texts for c in reader.read(text)[0]]
        both = any(None not in reader.values(stem).values() for stem in EQUAL_WITHIN)
        file = {"source": line["source"], "shown": shown, "removed": removed, "texts": texts, "silent": silent}
        files.append(file | {"both_sides": both})
    across_files(files)
    return files


def summarise(files: Rows) -> dict[str, Any]:
    """The figures and lists that are printed; every removed sentence in which no fault is found is a disagreement."""
    shown = [c for f in files for c in f["shown"]]
    status = Counter(c.status for c in shown)
    per_file = [[sum(c.kind == kind for c in f["shown"]) for kind in ("number", "side")] for f in files]
    few = [f["source"] for f, (n, k) in zip(files, per_file, strict=True) if n < 5 or (not k and f["both_sides"])]
    faults = [(f["source"], c) for f in files for c in f["removed"] if c.status == "unsupported"]
    removed = [(f["source"], text) for f in files for text in f["texts"]]
    own = [(o, c) for o, c in faults if not c.reason.startswith("across files")]
    found, alone = ([r for r in removed if any(r[0] == s and c.sentence in r[1] for s, c in k)] for k in (faults, own))
    wrong = [(f["source"], c) for f in files for c in f["shown"] if c.status == "unsupported"]
    disagree = [f"{source}: shown, {c.stated} ({c.reason}): {c.sentence}" for source, c in wrong]
    disagree += [f"{s}: removed, no fault found: {t}" for s, t in removed if (s, t) not in found]
    return {
        "files": len(files),
        "claims": len(shown),
        "claims_by_status": dict(status),
        "unsupported_by_kind": dict(Counter(f"{c.kind} {c.stem}" for _, c in wrong)),
        "numeric_per_file_min": min((n for n, _ in per_file), default=0),
        "numeric_per_file_median": statistics.median([n for n, _ in per_file] or [0]),
        "left_right_per_file_min": min((n for _, n in per_file), default=0),
        "supported_share": round(status["supported"] / max(len(shown), 1), 4),
        "supported_share_of_decided": round(status["supported"] / max(status["supported"] + len(wrong), 1), 4),
        "removed_sentences": len(removed),
        "removed_with_fault_share": round(len(found) / max(len(removed), 1), 4),
        "removed_with_fault_share_without_other_files": round(len(alone) / max(len(removed), 1), 4),
        "not_understood": [f"{f['source']}: {s}" for f in files for s in f["silent"]],
        "partly_not_understood": [f"{c.stated} ({c.reason}): {c.sentence}" for c in shown if c.status == "unclear"],
        "few_claims": few,
        "disagreements": disagree,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assessed", type=Path)
    parser.add_argument("measured", type=Path)
    parser.add_argument("--norms", type=Path, default=NORMS)
    parser.add_argument("--within-sd", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    texts = (path.read_text(encoding="utf-8") for path in (args.assessed, args.measured))
    assessed, measured = ([json.loads(line) for line in text.splitlines() if line] for text in texts)
    with args.norms.open(encoding="utf-8", newline="") as stream:
        norms = {row["measure"]: row for row in csv.DictReader(stream)}
    summary = summarise(check(assessed, measured, norms, args.within_sd))
    if args.json:
        print(json.dumps(summary))
    for name, value in summary.items() if not args.json else ():
        print(f"{name}: {len(value)}", *value, sep="\n  ") if isinstance(value, list) else print(f"{name}: {value}")
    return 1 if summary["claims_by_status"].get("unsupported") else 0


if __name__ == "__main__":
    sys.exit(main())
