"""What rationales say in sum, what they cover, and how that goes with the score."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from agir_hf.evaluation.rationales import criteria_covered, rationale_figures, reduced_share
from agir_hf.rationale import check_grounding, write_rationale
from agir_hf.rationale.aspects import ASPECTS, aspects_with

sys.path.insert(0, str(Path(__file__).parents[1] / "rationale"))
from rationale_people import some_person


@pytest.mark.parametrize("numbers", [True, False])
def test_the_sum_is_read_from_any_wording(numbers: bool) -> None:
    read = 0
    for seed in range(120):
        person = some_person(seed, missing=0.1)
        reduced, preserved = (aspects_with(person, status) for status in ("reduced", "preserved"))
        share = reduced_share(write_rationale(person, random.Random(seed), numbers=numbers))
        if len(reduced) + len(preserved) > 1:
            assert share == pytest.approx(len(reduced) / (len(reduced) + len(preserved)))
            read += 1
    assert read > 80
    assert reduced_share("The person walks.") is None


def test_criteria_are_those_named() -> None:
    names = [aspect.name for aspect in ASPECTS]
    assert criteria_covered(" ".join(names), names) == 1.0 and criteria_covered("", names) == 0.0
    assert criteria_covered(names[0], names) == pytest.approx(1 / len(names)) and criteria_covered("x", []) is None


def test_figures_of_assessments() -> None:
    pytest.importorskip("sacrebleu", reason="needs the evaluate extra")
    results, references = [{"abstained": True}], [""]
    for seed in range(30):
        person = some_person(seed)
        text = write_rationale(person, random.Random(seed))
        score = round(3 * (reduced_share(text) or 0.0))
        grounding = check_grounding(text, person).to_dict()
        results.append(
            {"abstained": False, "rationale": text, "score": score, "expected_score": score, "grounding": grounding}
        )
        references.append(text)
    figures = rationale_figures(results, references)
    assert figures["rationales"] == 30 and figures["claims_supported_share"] == figures["faultless_share"] == 1.0
    assert figures["rank_correlation_with_score"] > 0.9 and figures["contradictions"] == 0
    assert figures["bleu"] == 100.0 and figures["rougeL"] == 1.0
    results[1] |= {"rationale": "All of the 6 rated aspects measured are reduced.", "score": 0}
    assert rationale_figures(results, references)["contradictions"] == 1
    assert rationale_figures([{"abstained": True}], [""]) == {"rationales": 0}
