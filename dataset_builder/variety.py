"""How much the wording of texts varies: distinct-n, self-BLEU and length."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence

_TOKEN = re.compile(r"[a-z]+(?:[-'][a-z]+)*|\d+(?:\.\d+)?|[^\w\s]")
_BLEU_ORDER = 4


def tokens(text: str) -> list[str]:
    """Lower-case words, numbers and punctuation marks."""
    return _TOKEN.findall(text.lower())


def _ngrams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def distinct(texts: Sequence[Sequence[str]], order: int) -> float:
    """Different n-grams over all n-grams, 0 to 1 (Li et al. 2016)."""
    total: Counter[tuple[str, ...]] = Counter()
    for words in texts:
        total.update(_ngrams(words, order))
    count = sum(total.values())
    return len(total) / count if count else 0.0


def bleu(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU-4 of a text against others (Papineni et al. 2002), with add-one smoothing above single words, 0 to 1."""
    if not candidate or not references:
        return 0.0
    logs = 0.0
    for order in range(1, _BLEU_ORDER + 1):
        own = _ngrams(candidate, order)
        best: Counter[tuple[str, ...]] = Counter()
        for reference in references:
            best |= _ngrams(reference, order)
        matched, count = sum((own & best).values()), sum(own.values())
        smooth = 0 if order == 1 else 1
        if matched + smooth == 0 or count + smooth == 0:
            return 0.0
        logs += math.log((matched + smooth) / (count + smooth)) / _BLEU_ORDER
    closest = min((abs(len(reference) - len(candidate)), len(reference)) for reference in references)[1]
    penalty = 1.0 if len(candidate) >= closest else math.exp(1.0 - closest / len(candidate))
    return penalty * math.exp(logs)


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Mean BLEU of each text against all others (Zhu et al. 2018): 1 where all read the same."""
    if len(texts) < 2:
        return 0.0
    return sum(bleu(text, [*texts[:i], *texts[i + 1 :]]) for i, text in enumerate(texts)) / len(texts)


def variety(texts: Sequence[str], *, sample: int = 100, seed: int = 0) -> dict[str, float | int]:
    """Figures about the wording of many texts.

    Args:
        texts: any number.
        sample: texts that self-BLEU is computed on, since its cost grows with the square.
        seed: which texts these are.
    """
    words = [tokens(text) for text in texts]
    chosen = sorted(random.Random(seed).sample(range(len(words)), min(sample, len(words))))
    lengths = sorted(sum(token[0].isalnum() for token in text) for text in words)
    return {
        "texts": len(texts),
        "different_texts": len(set(texts)),
        "distinct_1": round(distinct(words, 1), 4),
        "distinct_2": round(distinct(words, 2), 4),
        "distinct_3": round(distinct(words, 3), 4),
        "self_bleu": round(self_bleu([words[i] for i in chosen]), 4),
        "self_bleu_sample": len(chosen),
        "words_mean": round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        "words_min": lengths[0] if lengths else 0,
        "words_median": lengths[len(lengths) // 2] if lengths else 0,
        "words_max": lengths[-1] if lengths else 0,
    }
