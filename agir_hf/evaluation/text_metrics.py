"""How near a rationale comes to a reference text, by words and letters alone; whether it is true, grounding says.

BLEU and chrF are sacrebleu's. ROUGE is defined as in rouge-score without stemming (Lin 2004): words are runs of
letters a to z and digits of the lower-cased text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..errors import AgirError, require

_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


def _pairs(texts: Sequence[str], references: Sequence[str]) -> None:
    if not len(texts) or len(texts) != len(references):
        raise AgirError(
            f"expected as many references as texts and at least one, found {len(references)} and {len(texts)}"
        )


def bleu(texts: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU, 0 to 100 (Papineni et al. 2002, as sacrebleu counts it)."""
    _pairs(texts, references)
    return float(require("sacrebleu", "evaluate").corpus_bleu(list(texts), [list(references)]).score)


def chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF, 0 to 100 (Popovic 2015, as sacrebleu counts it)."""
    _pairs(texts, references)
    return float(require("sacrebleu", "evaluate").corpus_chrf(list(texts), [list(references)]).score)


def rouge_n(text: str, reference: str, n: int) -> float:
    """F-measure of shared n-grams, 0 to 1; 0 where either text has none."""
    given, wanted = (_ngrams(_words(one), n) for one in (text, reference))
    shared = sum((given & wanted).values())
    return _f_measure(shared, sum(given.values()), sum(wanted.values()))


def rouge_l(text: str, reference: str) -> float:
    """F-measure of the longest common subsequence of words, 0 to 1; 0 where either text has none."""
    given, wanted = _words(text), _words(reference)
    return _f_measure(_common_subsequence(given, wanted), len(given), len(wanted))


def mean_rouge(texts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Means over pairs of ROUGE-1, ROUGE-2 and ROUGE-L, 0 to 1."""
    _pairs(texts, references)
    pairs = list(zip(texts, references, strict=True))
    return {
        "rouge1": float(np.mean([rouge_n(*pair, 1) for pair in pairs])),
        "rouge2": float(np.mean([rouge_n(*pair, 2) for pair in pairs])),
        "rougeL": float(np.mean([rouge_l(*pair) for pair in pairs])),
    }


def _words(text: str) -> list[str]:
    return [word for word in _NOT_A_WORD.split(text.lower()) if word]


def _ngrams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _f_measure(shared: int, given: int, wanted: int) -> float:
    # The harmonic mean of shared / given and shared / wanted.
    return 2.0 * shared / (given + wanted) if given and wanted else 0.0


def _common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    lengths = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, against in enumerate(other, start=1):
            above = lengths[place]
            lengths[place] = diagonal + 1 if word == against else max(above, lengths[place - 1])
            diagonal = above
    return lengths[-1]
