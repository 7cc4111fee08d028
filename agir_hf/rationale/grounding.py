"""The grounding check: every number, side, comparison, norm, count and score in a text against the measurements.

It reads general English about gait, not only texts of this package. A number it cannot assign to a measure counts as
invented: what cannot be checked is not supported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .claims import number_claims, take_scores
from .lexer import split_sentences, tokenize
from .measures import Parameters
from .statements import word_claims
from .verify import Fault, check_number, check_words


@dataclass(frozen=True)
class UnsupportedClaim:
    """A claim that the measurements do not bear out.

    Attributes:
        text: the sentence it stands in.
        kind: ``number``, ``side``, ``unit``, ``comparison``, ``invented``, ``norm``, ``count`` or ``score``.
        stated: what the text says.
        measured: what was measured instead.
    """

    text: str
    kind: str
    stated: str
    measured: str


@dataclass(frozen=True)
class GroundingReport:
    """The outcome of a check.

    Attributes:
        claims: claims in the text as generated.
        supported: those that the measurements bear out.
        unsupported: the others.
        shown: the text without the sentences that hold an unsupported claim.
    """

    claims: int
    supported: int
    unsupported: tuple[UnsupportedClaim, ...]
    shown: str

    def to_dict(self) -> dict[str, object]:
        """``{"claims", "supported", "unsupported": [{"text", "kind", "stated", "measured"}]}``, ready for JSON."""
        return {
            "claims": self.claims,
            "supported": self.supported,
            "unsupported": [
                {"text": c.text, "kind": c.kind, "stated": c.stated, "measured": c.measured} for c in self.unsupported
            ],
        }


def _sentence_faults(
    sentence: str, parameters: Parameters, score: int | None, topic: str
) -> tuple[list[Fault | None], str]:
    """One entry a claim, None where it is supported; and the measure the sentence ends on."""
    scores, rest = take_scores(sentence)
    known = "unknown" if score is None else str(score)
    results: list[Fault | None] = [
        None if claim.score == score else Fault("score", claim.text, f"score {known}") for claim in scores
    ]
    tokens = tokenize(rest)
    numbers, ends_on = number_claims(tokens, topic)
    results += [check_number(claim, parameters) for claim in numbers]
    results += [check_words(claim, parameters) for claim in word_claims(tokens, topic)]
    mentions = [token.group for token in tokens if token.kind == "measure"]
    return results, mentions[-1] if mentions else ends_on


def _checked(text: str, parameters: Parameters, score: int | None) -> Iterator[tuple[str, list[Fault | None]]]:
    topic = ""
    for sentence in split_sentences(text):
        results, topic = _sentence_faults(sentence, parameters, score, topic)
        yield sentence, results


def check_grounding(text: str, parameters: Parameters, *, score: int | None = None) -> GroundingReport:
    """Check every claim of a text about one person's gait.

    Args:
        text: any length; empty text has no claims.
        parameters: what was measured.
        score: the score that the text may state; without it no stated score is supported.
    """
    claims = 0
    unsupported: list[UnsupportedClaim] = []
    kept: list[str] = []
    for sentence, results in _checked(text, parameters, score):
        claims += len(results)
        faults = [fault for fault in results if fault is not None]
        unsupported += [UnsupportedClaim(sentence, f.kind, f.stated, f.measured) for f in faults]
        if not faults:
            kept.append(sentence)
    return GroundingReport(claims, claims - len(unsupported), tuple(unsupported), " ".join(kept))
