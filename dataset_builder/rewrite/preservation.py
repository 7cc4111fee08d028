"""What a text claims, and which of its claims another text no longer makes.

The grounding check says whether claims are true, one text at a time. Two texts are compared here by what their
supported claims are about: the same value of the same measure and side, or the same kind of statement about it. As
both are supported by the same measurements, "less than the right" and "the right swings more" tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agir_hf.rationale.claims import NumberClaim, take_scores
from agir_hf.rationale.claims import number_claims as read_numbers
from agir_hf.rationale.lexer import split_sentences, tokenize
from agir_hf.rationale.lexicon import DIMENSIONS
from agir_hf.rationale.measures import GROUPS, Parameters
from agir_hf.rationale.statements import WordClaim
from agir_hf.rationale.statements import word_claims as read_words
from agir_hf.rationale.verify import check_number, check_words

_ROUNDING = 0.06  # of two numbers that may each be rounded by the 5 % that the grounding check allows


@dataclass(frozen=True)
class Told:
    """One supported claim.

    Attributes:
        relation: what is said: ``measured``, ``norm``, ``difference``, a kind of count, ``sides``, ``missing``,
            ``no_norm``, ``freezing``, ``list``, ``rest`` or ``judged``.
        group: the measure; empty where it is about the aspects as a whole.
        side: left, right, or None where both or neither is named.
        value: of numbers, in the base unit of their dimension.
        words: the claim as a person reads it.
        allowed: how far another value of the same claim may be off.
    """

    relation: str
    group: str
    side: str | None
    value: float | None
    words: str
    allowed: float = 0.0

    def same_as(self, other: Told) -> bool:
        """Whether the other one tells this."""
        if (self.relation, self.group) != (other.relation, other.group):
            return False
        if self.side and other.side and self.side != other.side:
            return False
        if self.relation == "norm" or self.value is None or other.value is None:
            return True
        return abs(self.value - other.value) <= max(self.allowed, _ROUNDING * abs(self.value))


@dataclass(frozen=True)
class Sentence:
    """A sentence with its supported claims, how many claims it makes in all, and how many of them quote a value."""

    text: str
    told: tuple[Told, ...]
    claims: int
    values: int


def read_claims(text: str, parameters: Parameters) -> Iterator[Sentence]:
    """The sentences of a text with what they claim."""
    topic = ""
    for sentence in split_sentences(text):
        scores, rest = take_scores(sentence)
        tokens = tokenize(rest)
        numbers, ends_on = read_numbers(tokens, topic)
        words = read_words(tokens, topic)
        mentions = [token.group for token in tokens if token.kind == "measure"]
        topic = mentions[-1] if mentions else ends_on
        told = [_number(claim) for claim in numbers if check_number(claim, parameters) is None]
        told += [_statement(claim) for claim in words if check_words(claim, parameters) is None]
        values = sum(claim.role in ("measured", "norm", "difference") for claim in numbers)
        yield Sentence(sentence, tuple(told), len(scores) + len(numbers) + len(words), values)


def lost(original: list[Sentence], rewritten: list[Sentence]) -> list[Told]:
    """The claims of the original that the rewritten text does not make."""
    kept = [told for sentence in rewritten for told in sentence.told]
    return [
        told
        for sentence in original
        for told in sentence.told
        if told.relation != "definition" and not any(told.same_as(other) for other in kept)
    ]


def _phrase(group: str, side: str | None) -> str:
    if not group:
        return ""
    phrase = group.replace("_", " ")
    return f"{side} {phrase}" if side else phrase


def _number(claim: NumberClaim) -> Told:
    side = claim.side if claim.side in ("left", "right") else None
    words = f"{_phrase(claim.group, side)} {claim.number.text}".strip()
    if claim.group == "freezing":
        return Told("freezing", claim.group, None, None, words)
    if not claim.group:
        return Told(claim.role, "", None, claim.number.value, f"{claim.role} {claim.number.text}")
    base = DIMENSIONS[claim.group][1]
    value = claim.number.value * (claim.number.factor if claim.number.dimension is not None else base)
    fine = 0.5 * 10.0 ** -GROUPS[claim.group][0].decimals * base
    return Told(claim.role, claim.group, side, value, words, 2 * fine)


def _statement(claim: WordClaim) -> Told:
    group, side = claim.target.group, claim.target.side
    side = side if side in ("left", "right") else None
    words = f"{_phrase(group, side)} {claim.text}".strip()
    if claim.kind in ("missing", "no_norm", "list"):
        return Told(claim.kind, group, side, None, words)
    if claim.kind in ("rest_usual", "rest_out"):
        return Told("rest", "", None, None, words)
    if claim.kind in ("freezing_none", "freezing_some"):
        return Told("freezing", group, None, None, words)
    if claim.against == "other side" or claim.kind in ("even", "uneven"):
        return Told("sides", group, None, None, words)
    return Told("norm" if claim.against else "judged", group, side, None, words)
