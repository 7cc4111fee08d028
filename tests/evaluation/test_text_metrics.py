"""Text metrics: the values of the libraries they are named after, and defined corner cases."""

from __future__ import annotations

import random

import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation.text_metrics import bleu, chrf, mean_rouge, rouge_l, rouge_n

WORDS = "the left arm swings 12 degrees, less than the right (31 degrees); Walking speed is 0.78 m/s. Müller's".split()


def texts(seed: int, count: int = 20) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 30))) for _ in range(count)]


def test_rouge_is_that_of_rouge_score() -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer", reason="needs the dev extra")
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    for text, reference in zip(texts(1), texts(2), strict=True):
        theirs = scorer.score(reference, text)
        assert rouge_n(text, reference, 1) == pytest.approx(theirs["rouge1"].fmeasure, abs=1e-9)
        assert rouge_n(text, reference, 2) == pytest.approx(theirs["rouge2"].fmeasure, abs=1e-9)
        assert rouge_l(text, reference) == pytest.approx(theirs["rougeL"].fmeasure, abs=1e-9)


def test_rouge_of_known_pairs() -> None:
    assert rouge_l("a b c d", "a c d e") == pytest.approx(0.75)  # a c d
    assert rouge_n("a b c", "a b d", 2) == pytest.approx(0.5)
    assert rouge_n("a", "a b", 2) == 0.0 and rouge_l("", "a") == 0.0 and rouge_l("...", "...") == 0.0
    assert mean_rouge(["a b", "x"], ["a b", "y"]) == {"rouge1": 0.5, "rouge2": 0.5, "rougeL": 0.5}


def test_bleu_and_chrf_are_sacrebleus() -> None:
    sacrebleu = pytest.importorskip("sacrebleu", reason="needs the evaluate extra")
    given, wanted = texts(3), texts(4)
    assert bleu(given, wanted) == pytest.approx(sacrebleu.BLEU().corpus_score(given, [wanted]).score, abs=1e-9)
    assert chrf(given, wanted) == pytest.approx(sacrebleu.CHRF().corpus_score(given, [wanted]).score, abs=1e-9)
    assert bleu(given, given) == pytest.approx(100.0) and chrf(given, given) == pytest.approx(100.0)


@pytest.mark.parametrize("metric", [bleu, chrf, mean_rouge])
def test_no_texts_and_uneven_texts_are_refused(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AgirError, match="at least one, found 0 and 0"):
        metric([], [])
    with pytest.raises(AgirError, match="found 1 and 2"):
        metric(["a", "b"], ["a"])
