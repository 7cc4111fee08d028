"""Whether a rewritten text may stand in for the original."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agir_hf.rationale import check_grounding
from agir_hf.rationale.measures import Parameters

from .preservation import Sentence, lost, read_claims

# Words that tell a score, a severity or a diagnosis. "Rated aspects" are what the originals count.
_LEAK = re.compile(
    r"\b(?:scor\w+|(?:mds\W?)?updrs|grad(?:e|es|ed|ing)|rating|severity|stages?|(?:ab|sub)?normal\w*|"
    r"slight\w*|mild\w*|moderate\w*|severe\w*|(?:un)?impair\w*|patholog\w*|parkinson\w*|diagnos\w*|diseases?|disorders?|"
    r"hoehn|yahr|(?:level|class|category|points?|item)\s+(?:of\s+)?(?:\d|zero|one|two|three|four)\b|"
    r"(?:\d|zero|one|two|three|four)\s*(?:/|out of)\s*(?:[34]|three|four)\b(?!\s+(?:\w+\s+){0,3}aspects))",
    re.IGNORECASE,
)
# Words that draw a conclusion, which no measurement bears out.
_INFERENCE = re.compile(
    r"\b(?:because|due to|owing to|caus(?:e|es|ed|ing)|suggest\w*|indicat\w*|impl(?:y|ies|ying)|consistent with|likely|"
    r"probabl[ey]|possibl[ey]|perhaps|maybe|may|might|should|recommend\w*|therap\w*|treat\w*|risk\w*|patients?)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"(?:\b(?:about|around|approximately|roughly|circa|nearly)\s+|~\s*)-?\d", re.IGNORECASE)
_SAME_SIDE = re.compile(r"\b(left|right) (?:and|or|than) (?:the )?\1\b", re.IGNORECASE)
_MARKUP = re.compile(r"[*#`|<>{}\\]|^\s*(?:[-\u2022]|\d+[.)])\s", re.MULTILINE)
_REMARK = re.compile(
    r"^\W*(?:sure|certainly|of course|okay|ok|here (?:is|are)|here's|rewritten|rewrite|revised|text|note|as an ai)\b",
    re.IGNORECASE,
)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_OVERLONG = 4
_NAMED = 5  # faults of one kind that are named to the model


@dataclass(frozen=True)
class Fault:
    """Why an answer is not accepted.

    Attributes:
        kind: ``empty``, ``format``, ``length``, ``unchanged``, ``score_leak``, ``inference``, ``grounding``,
            ``sides``, ``numbers_added``, ``certainty``, ``unchecked`` or ``claims_lost``.
        text: what was expected and found, for the model and for the record.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Limits:
    """How far a rewritten text may be from the original.

    Attributes:
        max_lost_share: of the original's claims, from 0 to 1.
        min_length, max_length: in words, over the original's.
    """

    max_lost_share: float = 0.1
    min_length: float = 0.5
    max_length: float = 1.6


def cleaned(answer: str) -> str:
    """The answer without the thoughts some models write before it, and with single spaces."""
    text = _THOUGHT.sub("", answer).strip()
    return text if _MARKUP.search(text) else " ".join(text.split())


def find_faults(text: str, original: str, parameters: Parameters, limits: Limits) -> list[Fault]:
    """Everything that speaks against a cleaned answer; empty where it may be used.

    What a sentence says beside its claims is judged by its words only, so a remark in the middle of a sentence that
    draws no conclusion can pass.
    """
    if not text:
        return [Fault("empty", "expected a text, found none")]
    if len(text) > _OVERLONG * max(len(original), 100):  # a server may ignore how long an answer may be
        return [Fault("length", f"expected about {len(original)} characters, found {len(text)}")]
    faults = _form_faults(text, original, limits)
    leaks = sorted({match.group().lower() for match in _LEAK.finditer(text)})
    if leaks:
        named = ", ".join(repr(word) for word in leaks[:_NAMED])
        faults.append(Fault("score_leak", f"expected no word of a score, severity or diagnosis, found {named}"))
    inferences = sorted({match.group().lower() for match in _INFERENCE.finditer(text)})
    if inferences:
        named = ", ".join(repr(word) for word in inferences[:_NAMED])
        faults.append(Fault("inference", f"expected what was measured and no conclusion from it, found {named}"))
    unsupported = check_grounding(text, parameters).unsupported
    faults += [
        Fault("grounding", f"{claim.kind}: it says {claim.stated!r}, measured is {claim.measured}")
        for claim in unsupported[:_NAMED]
    ]
    return faults + _content_faults(text, original, parameters, limits)


def _form_faults(text: str, original: str, limits: Limits) -> list[Fault]:
    faults = []
    if _MARKUP.search(text) or _REMARK.search(text) or not text.isprintable():
        faults.append(
            Fault("format", "expected one paragraph of plain sentences and no remark, found markup or a remark")
        )
    elif text[-1] not in ".!?":
        faults.append(Fault("format", f"expected whole sentences, found the end {text[-30:]!r}"))
    words, expected = len(text.split()), len(original.split())
    if not limits.min_length * expected <= words <= limits.max_length * expected:
        faults.append(Fault("length", f"expected about {expected} words, found {words}"))
    if text.casefold() == " ".join(original.split()).casefold():
        faults.append(Fault("unchanged", "expected other wording, found the original"))
    return faults


def _content_faults(text: str, original: str, parameters: Parameters, limits: Limits) -> list[Fault]:
    before, after = list(read_claims(original, parameters)), list(read_claims(text, parameters))
    faults = []
    if not any(sentence.values for sentence in before) and any(sentence.values for sentence in after):
        faults.append(Fault("numbers_added", "expected words only, as in the text, found numbers"))
    faults += [
        Fault("sides", f"expected both sides, found one of them twice in {s[:200]!r}") for s in _one_sided(after)
    ]
    hedged, expected = len(_ABOUT.findall(text)), len(_ABOUT.findall(original))
    if hedged < expected:
        faults.append(Fault("certainty", f"expected 'about' before {expected} numbers, as in the text, found {hedged}"))
    kept, idle = ([s.text for s in sentences if not s.claims] for sentences in (before, after))
    added = [sentence for sentence in idle if sentence not in kept][:_NAMED]
    faults += [Fault("unchecked", f"expected nothing but what the text says, found {s[:120]!r}") for s in added]
    faults += [Fault("unchecked", f"expected this sentence word for word: {s[:300]}") for s in kept if s not in idle]
    total = sum(len(sentence.told) for sentence in before)
    missing = lost(before, after)
    if len(missing) > limits.max_lost_share * total:
        named = "; ".join(told.words for told in missing[:_NAMED])
        faults.append(
            Fault("claims_lost", f"expected all {total} statements of the text, found {len(missing)} missing: {named}")
        )
    return faults


def _one_sided(sentences: list[Sentence]) -> list[str]:
    """Sentences that give one side of a measure twice: each claim is true, and the other side is gone."""
    found = []
    for sentence in sentences:
        sided = [(told.group, told.side) for told in sentence.told if told.relation == "measured" and told.side]
        if len(set(sided)) < len(sided) or _SAME_SIDE.search(sentence.text):
            found.append(sentence.text)
    return found[:_NAMED]
