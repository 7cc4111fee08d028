"""Which measure each number of a rationale speaks of, and where in the text it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .claims import NumberClaim, number_claims, take_scores
from .lexer import split_sentences, tokenize
from .measures import GROUPS

_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:,\d{3})*(?:\.\d+)?")


@dataclass(frozen=True)
class LinkedNumber:
    """A number in a text, [start, end) in characters, and the measures that it is about.

    Attributes:
        names: of ``GaitParameters.values``; both sides where the text names none.
        role: ``measured``, ``norm`` or another role of `NumberClaim`.
    """

    start: int
    end: int
    names: tuple[str, ...]
    role: str


def linked_numbers(text: str) -> list[LinkedNumber]:
    """The numbers of a text that speak of a measure, in their order. Whether they are true is not looked at here."""
    found = []
    topic, at = "", 0
    for sentence in split_sentences(text):
        start = text.find(sentence, at)
        at = start + len(sentence)
        _, rest = take_scores(sentence)
        claims, topic = number_claims(tokenize(rest), topic)
        places = [match for match in _NUMBER.finditer(sentence)]
        for claim in claims:
            names = _names(claim)
            place = next((one for one in places if float(one.group().replace(",", "")) == claim.number.value), None)
            if place is None:
                continue  # written as a word
            places.remove(place)
            if names:
                found.append(LinkedNumber(start + place.start(), start + place.end(), names, claim.role))
    return sorted(found, key=lambda link: link.start)


def _names(claim: NumberClaim) -> tuple[str, ...]:
    measures = GROUPS.get(claim.group, ())
    one_side = claim.side in ("left", "right")
    return tuple(m.name for m in measures if not one_side or m.side in (None, claim.side))
