"""All figures of a system at once: those of the plain functions, per walk and per person, and JSON without NaN."""

from __future__ import annotations

import json

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation import accuracy, expected_calibration_error, macro_f1, quadratic_weighted_kappa
from agir_hf.evaluation.agreement import Told, agreement
from agir_hf.evaluation.differences import differences, differences_note
from agir_hf.evaluation.report_files import COLUMNS, markdown, model_index, write_report


def told(seed: int, walks: int = 120, skill: float = 2.0) -> Told:
    rng = np.random.default_rng(seed)
    given = rng.integers(0, 4, walks)
    logits = rng.standard_normal((walks, 4)) + skill * np.eye(4)[given]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Told(given, shares, np.array([f"p{i // 3}" for i in range(walks)]))


def test_figures_are_those_of_the_plain_functions() -> None:
    one = told(0)
    figures = agreement(one, resamples=50)
    scores = one.probabilities.argmax(1)
    for name, value in (
        ("accuracy", accuracy(one.given, scores)),
        ("macro_f1", macro_f1(one.given, scores, range(4))),
        ("macro_f1_0_to_2", macro_f1(one.given, scores, range(3))),
        ("qwk", quadratic_weighted_kappa(one.given, scores, 4)),
        ("ece", expected_calibration_error(one.given, one.probabilities)),
    ):
        found = figures[name]
        assert found["value"] == pytest.approx(value, abs=5e-5)
        assert found["interval_95"][0] <= found["value"] + 0.05 and found["interval_95"][1] >= found["value"] - 0.05
    assert np.sum(figures["confusion"]) == 120 and len(figures["classes"]) == 4
    json.dumps(figures, allow_nan=False)


def test_walks_of_a_person_are_averaged() -> None:
    shares = np.array([[0.6, 0.4, 0.0, 0.0], [0.0, 0.9, 0.1, 0.0], [0.0, 0.0, 0.0, 1.0]])
    one = Told(np.array([0, 1, 3]), shares, np.array(["a", "a", "b"]))
    person = one.by_subject()
    assert person.subjects.tolist() == ["a", "b"] and person.given.tolist() == [1, 3]  # 0.5 is rounded up
    assert person.probabilities[0].tolist() == pytest.approx([0.3, 0.65, 0.05, 0.0])
    assert agreement(one, resamples=20)["by_subject"]["accuracy"]["value"] == 1.0


def test_abstained_walks_do_not_count_but_are_counted() -> None:
    one = told(1)
    shares = one.probabilities.copy()
    shares[::2] = np.nan
    figures = agreement(Told(one.given, shares, one.subjects), resamples=20)
    assert (figures["walks"], figures["abstained"], figures["answered"]) == (120, 60, 60)
    nothing = agreement(Told(one.given, np.full((120, 4), np.nan), one.subjects))
    assert nothing == {"walks": 120, "abstained": 120}


def test_one_class_and_one_person_have_defined_figures() -> None:
    one = Told.from_scores([2, 2, 2], [2, 2, 2], ["a", "a", "a"], 4)
    figures = agreement(one, resamples=20)
    assert figures["accuracy"]["value"] == 1.0 and figures["qwk"]["value"] is None
    assert figures["auroc_impaired"] == {"value": None, "interval_95": [None, None]}
    assert figures["macro_f1"]["value"] == 1.0  # of the one class that occurs
    with pytest.raises(AgirError, match="found 3, 2 and 3"):
        Told(np.zeros(3, int), np.zeros((2, 4)), np.array(["a"] * 3))


@pytest.fixture(scope="module")
def report() -> dict:
    main = "AGIR, evidence and motion"
    return {
        **{"agir_evaluation": 1, "model": "agir-tiny", "trained_on": "simulated", "data": "d", "simulated": True},
        **{"protocol": "split", "seed": 0, "test_walks": 120, "test_subjects": 40, "main_system": main},
        "systems": {
            "most frequent score": agreement(Told.from_scores([0, 1, 2], [0, 0, 0], ["a", "b", "c"], 4), resamples=20),
            main: agreement(told(2), resamples=50),
        },
        "risk_coverage": {main: {"coverage": [0.5, 1.0], "risk": [0.1, 0.3]}},
        "measures_by_score": {"walking_speed_mps": {"0": [1.2, 1.3], "2": [0.7]}},
        "rationales": {"claims": 10, "faults_by_kind": {"side": 1}},
    }


def test_a_report_is_written(report: dict, tmp_path) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("matplotlib", reason="needs the evaluate extra")
    paths = write_report(report, tmp_path)
    assert {path.name for path in paths} == {
        *("report.json", "report.md", "confusion.svg", "reliability.svg", "risk_coverage.svg"),
        "measures_by_score.svg",
    }
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    for path in paths[2:]:
        assert "simulated people" in path.read_text("utf-8") or path.stat().st_size > 5000


def test_the_tables_say_who_the_people_are(report: dict) -> None:
    text = markdown(report)
    assert "agir-tiny on simulated people" in text and "| faults_by_kind, side | 1 |" in text
    value = report["systems"]["AGIR, evidence and motion"]["qwk"]["value"]
    assert f"{value:.3f} (" in text and all(column in text for column in COLUMNS.values())
    index = model_index(report)[0]["results"][0]
    assert all("simulated people" in metric["name"] for metric in index["metrics"])


def test_what_changed_is_beyond_noise(report: dict) -> None:
    worse = {**report, "systems": {"AGIR, evidence and motion": agreement(told(3, skill=0.2), resamples=50)}}
    found = differences(report, worse)
    assert {one["figure"] for one in found if one["beyond_noise"]} >= {"accuracy", "macro_f1", "qwk"}
    assert not any(one["beyond_noise"] for one in differences(report, report))
    assert differences_note(differences(report, report)).endswith("figures did not change beyond noise.")
    with pytest.raises(AgirError, match="one protocol, found split and cross"):
        differences(report, {**report, "protocol": "cross"})


def test_ranking_is_compared_within_a_fold() -> None:
    # Shares learned without a person lean away from that person's score: pooled, the constant would rank backwards.
    given = np.array([0, 1, 0, 1])
    shares = np.array([[0.4, 0.6], [0.4, 0.6], [0.6, 0.4], [0.6, 0.4]])
    people, folds = np.array(list("abcd")), np.array([0, 0, 1, 1])
    assert agreement(Told(given, shares, people, folds), resamples=20)["auroc_impaired"]["value"] == 0.5
    alone = agreement(Told(given, shares, people, np.arange(4)), resamples=20)
    assert alone["auroc_impaired"] == {"value": None, "interval_95": [None, None]}
    assert alone["by_subject"]["auroc_impaired"]["value"] is None
