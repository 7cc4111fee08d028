"""How good the rationales of assessments are: true, complete, in agreement with the score, near a reference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..rationale.aspects import ASPECTS
from .text_metrics import bleu, chrf, mean_rouge

_NUMBER_WORDS = {word: n for n, word in enumerate(("none", "one", "two", "three", "four", "five", "six"))}
_SUMS = (
    re.compile(r"\bof the (?P<total>\w+) [\w -]*aspects measured, (?P<reduced>\w+) (?:is|are) reduced", re.IGNORECASE),
    re.compile(r"\b(?P<reduced>\w+) of the (?P<total>\w+) [\w -]*aspects measured (?:is|are) reduced", re.IGNORECASE),
)


def reduced_share(text: str) -> float | None:
    """Share of the rated aspects that a rationale sums up as reduced; None where it does not say."""
    for pattern in _SUMS:
        if found := pattern.search(text):
            total = _count(found["total"], None)
            reduced = _count(found["reduced"], total)
            if total and reduced is not None:
                return min(reduced / total, 1.0)
    return None


def _count(word: str, total: int | None) -> int | None:
    word = word.lower()
    return total if word == "all" else int(word) if word.isdigit() else _NUMBER_WORDS.get(word)


def criteria_covered(text: str, measured: Sequence[str]) -> float | None:
    """Share of the rated aspects that were measured and that a rationale names; None where none was measured."""
    if not measured:
        return None
    return sum(name in text.lower() for name in measured) / len(measured)


def rationale_figures(results: Sequence[dict[str, Any]], references: Sequence[str]) -> dict[str, Any]:
    """Figures over the assessments that were not abstained from.

    Args:
        results: of the pipeline; their rationales are as shown, their grounding counts as generated.
        references: a text for each result; "" where there is none.

    Returns:
        ``claims`` and the share of them that is supported as generated, by kind of fault; the share of texts without a
        fault; ``rank_correlation_with_score`` of the share of aspects summed up as reduced and the expected score, and
        ``contradictions``: none reduced but a score of 2 or more, or all reduced but a score of 0; criteria covered;
        BLEU, chrF and ROUGE against references, which know nothing of truth.
    """
    from scipy.stats import spearmanr

    told = [
        (result, reference) for result, reference in zip(results, references, strict=True) if not result["abstained"]
    ]
    if not told:
        return {"rationales": 0}
    claims = sum(result["grounding"]["claims"] for result, _ in told)
    supported = sum(result["grounding"]["supported"] for result, _ in told)
    faults: dict[str, int] = {}
    for result, _ in told:
        for fault in result["grounding"]["unsupported"]:
            faults[fault["kind"]] = faults.get(fault["kind"], 0) + 1
    shares = [reduced_share(result["rationale"]) for result, _ in told]
    expected = [result["expected_score"] for result, _ in told]
    pairs = [(share, score) for share, score in zip(shares, expected, strict=True) if share is not None]
    correlation = float(spearmanr(*zip(*pairs, strict=True)).statistic) if len(set(pairs)) > 2 else float("nan")
    wrong = sum(
        (share == 0.0 and result["score"] >= 2) or (share == 1.0 and result["score"] == 0)
        for share, (result, _) in zip(shares, told, strict=True)
    )
    names = [aspect.name for aspect in ASPECTS]
    covered = [criteria_covered(result["rationale"], names) for result, _ in told]
    figures: dict[str, Any] = {
        "rationales": len(told),
        "claims": claims,
        "claims_supported_share": round(supported / claims, 5) if claims else None,
        "faultless_share": round(float(np.mean([not result["grounding"]["unsupported"] for result, _ in told])), 4),
        "faults_by_kind": dict(sorted(faults.items())),
        "rank_correlation_with_score": None if np.isnan(correlation) else round(correlation, 4),
        "contradictions": int(wrong),
        "criteria_named_share": round(float(np.mean([one for one in covered if one is not None])), 4),
    }
    compared = [(result["rationale"], reference) for result, reference in told if reference]
    if compared:
        texts, wanted = zip(*compared, strict=True)
        figures["bleu"], figures["chrf"] = round(bleu(texts, wanted), 2), round(chrf(texts, wanted), 2)
        figures |= {name: round(value, 4) for name, value in mean_rouge(texts, wanted).items()}
    return figures
